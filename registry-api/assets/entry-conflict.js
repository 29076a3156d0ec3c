// Somebody else saved the case meanwhile: what they changed, and the choice between the two. Nothing typed is lost by itself.
import { labelOf, spoken } from "./entry-field.js";
import { count, make, same, words } from "./entry-text.js";

/** Every leaf of a document: where it stands, in words, and its value. */
function leaves(schema, document) {
  const all = new Map();
  for (const entity of schema.entities.values()) {
    const found = document[entity.name];
    const rows = entity.repeated ? (found ?? []) : found ? [found] : [];
    rows.forEach((values, i) => {
      for (const [name, value] of Object.entries(values)) {
        const element = entity.elements.get(name);
        if (!element || value === null) continue;
        const row = entity.repeated ? `${words(entity.one ?? entity.title ?? entity.name)} ${i + 1}` : entity.title ?? words(entity.name);
        all.set(`${entity.name}/${i}/${name}`, { entity, i, at: `${row}: ${labelOf(schema.form, entity.name, element)}`, element, value });
      }
    });
  }
  return all;
}

/** What `theirs` has otherwise than `base`, with what stands here. */
export function differences(schema, base, theirs, mine) {
  const [old, other, own] = [base, theirs, mine].map((document) => leaves(schema, document));
  const changed = [];
  for (const path of new Set([...old.keys(), ...other.keys()])) {
    const [before, after, here] = [old, other, own].map((one) => one.get(path)?.value);
    if (same(before, after)) continue;
    const { at, element, entity, i } = other.get(path) ?? old.get(path);
    const say = (value) => spoken(schema.form, element, value);
    // Rows are told apart by their place: only where none came or went is it sure which is meant.
    const counts = [base, theirs, mine].map((document) => document[entity.name]?.length);
    const safe = same(before, here) && counts.every((n) => n === counts[0]);
    changed.push({ at, before: say(before), after: say(after), mine: say(here), safe, entity: entity.name, i, element: element.name, value: after });
  }
  return changed;
}

/** The notice with the ways out. */
export function notice(schema, base, theirs, mine, version, choose) {
  const changed = differences(schema, base, theirs, mine);
  const safe = changed.filter((one) => one.safe);
  const head = make("tr", {}, ["Element", "Was", "Now stored", "Here"].map((text) => make("th", { scope: "col" }, text)));
  const rows = changed.map((one) => make("tr", {}, make("th", { scope: "row" }, one.at), [one.before, one.after, one.mine].map((text) => make("td", {}, text))));
  return make(
    "div",
    { class: "conflict", role: "group", "aria-labelledby": "conflict-title" },
    make("h3", { id: "conflict-title", tabindex: "-1" }, `Version ${version} was saved by someone else while you were typing`),
    make("p", {}, "Nothing was overwritten and everything you typed is still here. Decide what is to stand; what you changed yourself stays in any case but the last."),
    changed.length ? make("div", { class: "scroll" }, make("table", {}, make("thead", {}, head), make("tbody", {}, rows))) : make("p", {}, "The other version differs in its state only, not in what it says."),
    make(
      "p",
      { class: "actions" },
      safe.length ? make("button", { type: "button", class: "add", onclick: () => choose("both", safe) }, `Take over ${count(safe.length, "change")} where I changed nothing`) : null,
      make("button", { type: "button", onclick: () => choose("mine") }, `Save what stands here over version ${version}`),
      make("button", { type: "button", onclick: () => choose("theirs") }, `Give up what I typed and load version ${version}`),
    ),
  );
}
