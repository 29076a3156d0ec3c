// Whether an element matters where it stands: the `show` blocks of the form, asked of the case as typed so far.
import { days } from "./entry-dates.js";
import { split } from "./entry-model.js";

/** A recorded value: not missing, not an absence code. */
export const known = (value) => value !== undefined && (typeof value !== "object" || Array.isArray(value));

/** The values a condition about `path` looks at: the row's own, or those of every row elsewhere. */
function values(model, path, entity, row) {
  const [owner, element] = split(path);
  return (owner === entity && row ? [row] : model.rows(owner)).map((one) => one.values[element]);
}

const members = (value) => (Array.isArray(value) ? value : [value]);

export function holds(model, condition, entity, row) {
  if (condition.rows) return model.rows(condition.rows).length > 0;
  const found = values(model, condition.element, entity, row).filter(known);
  if (condition.is) return found.some((value) => members(value).some((one) => condition.is.includes(one)));
  if (condition.not) return found.some((value) => !members(value).some((one) => condition.not.includes(one)));
  if (condition.known) return found.length > 0;
  const other = condition.before ?? condition.years_before;
  const then = days(values(model, other, entity, row).find(known));
  if (!then || found.length === 0) return false;
  if (condition.before) return found.some((value) => days(value)?.[1] < then[0]);
  const year = new Date(then[1] * 86_400_000).getUTCFullYear();
  return found.some((value) => year - Number(value) >= condition.at_least);
}

/** Which elements and entities have conditions, by name. */
export function relevance(form) {
  const blocks = new Map();
  for (const show of form.show) {
    for (const name of [...show.elements, ...show.entities]) blocks.set(name, [...(blocks.get(name) ?? []), show.when]);
  }
  return (model, name, entity, row) => {
    const alternatives = blocks.get(name);
    return !alternatives || alternatives.some((when) => when.every((condition) => holds(model, condition, entity, row)));
  };
}
