// Small pieces of page, and names in words.

/** An element with attributes (`on...` are listeners) and children; nothing is ever parsed as HTML. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

/** A name of the dictionary in words: underscores are blanks, the first letter is large. */
export const words = (name) => (name.charAt(0).toUpperCase() + name.slice(1)).replaceAll("_", " ");

export const lower = (text) => text.charAt(0).toLowerCase() + text.slice(1);

/** "1 error", "2 errors". */
export const count = (n, one) => `${n} ${one}${n === 1 ? "" : "s"}`;

/** Whether two values of a record are the same. */
export function same(a, b) {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || !a || !b) return false;
  const [x, y] = [Object.keys(a), Object.keys(b)];
  return Array.isArray(a) === Array.isArray(b) && x.length === y.length && x.every((key) => same(a[key], b[key]));
}
