// Values that follow from others. They are proposed; a person accepts them, and what dates leave open is not proposed.
import { holds, known } from "./entry-conditions.js";
import { days, today } from "./entry-dates.js";
import { split } from "./entry-model.js";

const exact = (text) => {
  const found = days(text);
  return found && found[0] === found[1] ? found[0] : null;
};

const ways = {
  apart({ from, to, days: limit, within, beyond }, model, row, entity) {
    const [a, b] = [from, to].map((path) => exact(valueOf(model, path, entity, row)));
    if (a === null || b === null) return undefined;
    if (Math.abs(b - a) <= limit) return within;
    return b > a ? beyond : undefined;
  },
  largest(how, model, row, entity) {
    const sizes = linked(how, model, row, entity).filter(known).map(Number);
    return sizes.length ? Math.max(...sizes) : undefined;
  },
  sum(how, model, row, entity) {
    const counts = linked(how, model, row, entity);
    return counts.length && counts.every(known) ? counts.reduce((sum, n) => sum + Number(n), 0) : undefined;
  },
  rank({ by, among }, model, row, entity) {
    const [, element] = split(by);
    const day = (one) => days(one.values[element])?.[0];
    if (day(row) === undefined || !holds(model, among, entity, row)) return undefined;
    const earlier = model.rows(entity).filter((one) => one !== row && holds(model, among, entity, one) && day(one) < day(row));
    return earlier.length + 1;
  },
  death_within({ from, death, seen, alive, days: limit }, model, row, entity) {
    const start = exact(valueOf(model, from, entity, row));
    if (start === null) return undefined;
    const column = (path) => model.rows(split(path)[0]).map((one) => one.values[split(path)[1]]);
    const last = start + limit;
    // A contact that says alive is the only one that shows survival; its date counts from the first day it can mean.
    const lives = model.rows(split(seen)[0]).filter((one) => holds(model, alive, split(seen)[0], one));
    const lived = lives.map((one) => days(one.values[split(seen)[1]])?.[0]).some((day) => day > last);
    const deaths = column(death).filter((value) => value !== undefined && value !== null && value !== "");
    const died = deaths.map(days);
    // Alive afterwards and dead before: one of the two is wrong.
    if (died.some((bounds) => bounds && bounds[0] >= start && bounds[1] <= last)) return lived ? undefined : true;
    if (lived) return false;
    // The patient is known to be dead, on a day that can lie on either side, or before the operation: nobody but a person can tell.
    if (deaths.length) return died.every((bounds) => bounds && bounds[0] > last) ? false : undefined;
    if (model.rows(split(seen)[0]).some((one) => known(one.values[split(alive.element)[1]]) && !holds(model, alive, split(seen)[0], one))) return undefined;
    return today() <= last ? { absent: "pending" } : undefined;
  },
  own_centre: (_how, _model, _row, _entity, centre) => centre || undefined,
};

function valueOf(model, path, entity, row) {
  const [owner, element] = split(path);
  return owner === entity ? row.values[element] : model.first(path);
}

/** Values of another entity's rows that belong to this row. */
function linked({ of, link, without }, model, row, entity) {
  const [owner, element] = split(of);
  const [, name] = split(link);
  const to = model.schema.form.links.find((one) => one.elements.includes(link));
  const key = to && row.values[split(to.to)[1]];
  return model
    .rows(owner)
    .filter((one) => one.values[name] === key && !(without && holds(model, without, owner, one)))
    .map((one) => one.values[element]);
}

/** What is proposed for an element of a row: the value and why; null when nothing is. */
export function proposal(model, path, row, centre) {
  const entity = split(path)[0];
  for (const how of model.schema.form.suggestions.filter((one) => one.element === path)) {
    const value = ways[how.kind]?.(how, model, row, entity, centre);
    if (value !== undefined) return { value, because: how.because };
  }
  return null;
}
