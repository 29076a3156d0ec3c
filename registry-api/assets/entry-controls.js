// One control per type of element. Each has `node`, `focus` (what takes the focus), `read()` and `show(value)`; it calls `changed`
// when a person has answered.
import { normalised } from "./entry-dates.js";
import { make, words } from "./entry-text.js";

// A comma is read as a decimal point where it cannot stand between thousands.
const NUMBER = /^-?\d+(\.\d+|,\d{1,2})?$/;
// What comes along when text is pasted and nobody sees; the registry refuses it.
const UNSEEN = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;
const NUMBERS = ["integer", "number", "percent", "year"];

/** The control of an element. `options()` lists codes or the rows it may name; null when any text will do. */
export function controlOf(element, about, options, changed) {
  if (element.type === "boolean" || (options && !element.type.endsWith("_set"))) return choice(element, about, options, changed);
  return options ? choices(element, about, options, changed) : typed(element, about, changed);
}

const absent = (value) => (value && typeof value === "object" && !Array.isArray(value) ? value.absent : undefined);

/** A value as it stands in the document, from the text of an option. */
function parsed(element, text) {
  if (element.type === "boolean") return text === "true";
  return NUMBERS.includes(element.type) ? Number(text) : text;
}

function absences(element, about) {
  return element.absence.map((code) => make("option", { value: `absent:${code}` }, about.absence[code] ?? words(code)));
}

/** One of a list: a select, the reasons for having no value below. */
function choice(element, about, options, changed) {
  const select = make("select", { id: about.id, "aria-describedby": about.describedBy });
  const listed = () => options?.() ?? [{ code: "true", label: "Yes" }, { code: "false", label: "No" }];
  let last = "";
  const fill = () => {
    const all = listed();
    const key = JSON.stringify(all);
    if (key === last) return;
    last = key;
    const kept = select.value;
    select.replaceChildren(make("option", { value: "" }, ""), ...all.map(({ code, label }) => make("option", { value: code }, label ?? words(code))));
    if (element.absence.length) select.append(make("optgroup", { label: "No value" }, absences(element, about)));
    select.value = kept;
  };
  fill();
  select.addEventListener("change", changed);
  return {
    node: select,
    focus: select,
    refresh: fill,
    read() {
      if (select.value === "") return undefined;
      return select.value.startsWith("absent:") ? { absent: select.value.slice(7) } : parsed(element, select.value);
    },
    show(value) {
      const text = absent(value) ? `absent:${absent(value)}` : String(value ?? "");
      if (![...select.options].some((option) => option.value === text)) select.append(make("option", { value: text }, text));
      select.value = text;
    },
  };
}

/** The select beside a control that has no list of its own: why there is no value. */
function reason(element, about, chosen) {
  if (element.absence.length === 0) return null;
  const select = make("select", { class: "absence", "aria-label": `${about.label}: no value because` });
  select.append(make("option", { value: "" }, "No value?"), ...absences(element, about));
  select.addEventListener("change", chosen);
  return select;
}

/** Text: dates, numbers, keys. */
function typed(element, about, changed) {
  const date = element.type === "date";
  const number = NUMBERS.includes(element.type);
  const input = make("input", {
    id: about.id,
    type: "text",
    autocomplete: "off",
    spellcheck: "false",
    inputmode: number ? "decimal" : undefined,
    placeholder: date ? "yyyy-mm-dd" : undefined,
    class: date ? "date" : number ? "number" : undefined,
    "aria-describedby": about.describedBy,
  });
  const why = reason(element, about, () => {
    if (why.value) input.value = "";
    changed();
  });
  input.addEventListener("change", () => {
    input.value = input.value.replace(UNSEEN, "").trim();
    if (why && input.value) why.value = "";
    if (date) input.value = normalised(input.value);
    changed();
  });
  const members = (text) => [...new Set(text.split(/[,\s]+/).filter(Boolean))];
  return {
    node: make("div", { class: "typed" }, input, about.unit ? make("span", { class: "unit" }, about.unit) : null, why),
    focus: input,
    read() {
      const text = input.value.trim();
      if (why?.value) return { absent: why.value.slice(7) };
      if (text === "") return undefined;
      if (element.type.endsWith("_set")) return members(text);
      return number && NUMBER.test(text) ? Number(text.replace(",", ".")) : text;
    },
    show(value) {
      if (why) why.value = absent(value) ? `absent:${absent(value)}` : "";
      input.value = absent(value) ? "" : Array.isArray(value) ? value.join(", ") : String(value ?? "");
    },
  };
}

/** Any number of a list: boxes, one of them for "none of these", which is an answer too. */
function choices(element, about, options, changed) {
  const boxes = make("div", { class: "boxes" });
  let chosen = [];
  const none = make("input", { type: "checkbox", id: `${about.id}-none` });
  const inputs = () => [...boxes.querySelectorAll("input")].filter((box) => box !== none);
  const why = reason(element, about, () => {
    if (why.value) for (const box of [...inputs(), none]) box.checked = false;
    changed();
  });
  const box = ({ code, label }) => {
    const input = make("input", { type: "checkbox", value: code });
    input.addEventListener("change", () => {
      if (input.checked) {
        none.checked = false;
        if (why) why.value = "";
      }
      changed();
    });
    return make("label", {}, input, label ?? words(code));
  };
  none.addEventListener("change", () => {
    if (none.checked) {
      for (const one of inputs()) one.checked = false;
      if (why) why.value = "";
    }
    changed();
  });
  let last = "";
  const fill = () => {
    const all = options();
    const key = JSON.stringify(all);
    if (key === last) return;
    last = key;
    const kept = inputs().filter((one) => one.checked).map((one) => one.value);
    boxes.replaceChildren(...all.map(box), make("label", { class: "none" }, none, "None of these"));
    for (const one of inputs()) one.checked = kept.includes(one.value);
  };
  fill();
  return {
    node: make("div", { class: "many" }, boxes, why),
    get focus() {
      return inputs()[0] ?? none;
    },
    refresh: fill,
    read() {
      if (why?.value) return { absent: why.value.slice(7) };
      // In the order in which they were chosen: what was stored does not change by being looked at.
      const checked = inputs().filter((one) => one.checked).map((one) => one.value);
      chosen = [...chosen.filter((code) => checked.includes(code)), ...checked.filter((code) => !chosen.includes(code))];
      return chosen.length || none.checked ? chosen : undefined;
    },
    show(value) {
      const list = Array.isArray(value) ? value : [];
      chosen = list;
      for (const code of list) {
        if (!inputs().some((one) => one.value === code)) none.parentNode.before(box({ code, label: code }));
      }
      for (const one of inputs()) one.checked = list.includes(one.value);
      none.checked = Array.isArray(value) && value.length === 0;
      if (why) why.value = absent(value) ? `absent:${absent(value)}` : "";
    },
  };
}
