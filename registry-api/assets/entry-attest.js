// Closing sections: only a statement makes the absence of rows mean that nothing happened.
import { days, fault, normalised } from "./entry-dates.js";
import { split } from "./entry-model.js";
import { make, words } from "./entry-text.js";

/** The statement about one section, or about all of them. */
export function statement(model, section) {
  const said = model.schema.form.attestation;
  return model.rows(said.entity).find((row) => row.values[said.section] === section);
}

/** Replaces the statement about a section; no status takes it back. */
function state(page, section, status, through) {
  const { model } = page;
  const said = page.schema.form.attestation;
  const row = statement(model, section);
  if (!status) {
    if (row) model.remove(said.entity, row);
    return;
  }
  const values = { [said.section]: section, [said.status]: status };
  if (status === said.complete && through) values[said.through] = through;
  if (row) {
    row.values = values;
    model.changed();
  } else {
    model.add(said.entity, values);
  }
}

/** The last day anything is known of: proposed as the day of a statement. */
function lastDay(page) {
  const [entity, element] = split(page.schema.form.attestation.last_day);
  const all = page.model.rows(entity).map((row) => row.values[element]);
  return all.filter((text) => text?.length === 10 && days(text)).sort().at(-1) ?? "";
}

function dayInput(id, changed) {
  const input = make("input", { id, type: "text", class: "date", placeholder: "yyyy-mm-dd", autocomplete: "off", "aria-describedby": `${id}-found` });
  const found = make("span", { id: `${id}-found`, class: "found error" });
  const check = () => {
    input.value = normalised(input.value);
    found.textContent = input.value ? fault(input.value, false) : "";
    input.toggleAttribute("aria-invalid", Boolean(found.textContent));
    return found.textContent === "";
  };
  input.addEventListener("change", () => {
    check();
    changed();
  });
  return { input, found, check };
}

/** The line under a section that says how complete it is. */
export function closer(page, entity) {
  const said = page.schema.form.attestation;
  const status = page.schema.entities.get(said.entity).elements.get(said.status);
  const id = `closing-${entity.name}`;
  const select = make("select", { id, "aria-describedby": `${id}-worth` }, make("option", { value: "" }, ""), status.codes.map((code) => make("option", { value: code.code }, code.label ?? words(code.code))));
  const day = dayInput(`${id}-day`, () => state(page, entity.name, select.value, day.input.value));
  const through = make("span", { class: "through" }, make("label", { for: `${id}-day` }, "through"), day.input, day.found);
  const worth = make("small", { id: `${id}-worth` });
  select.addEventListener("change", () => {
    state(page, entity.name, select.value, day.input.value);
    if (select.value === said.complete && !day.input.value) day.input.focus();
  });
  const node = make("div", { class: "closer" }, make("label", { for: id }, `${entity.title}: how complete?`), select, through, worth);
  return {
    node,
    focus: select,
    worth(measures) {
      worth.textContent = measures ? `${measures === 1 ? "One measure waits" : `${measures} measures wait`} for this.` : "";
    },
    refresh() {
      const own = statement(page.model, entity.name)?.values;
      const all = statement(page.model, said.all)?.values;
      select.options[0].textContent = all?.[said.through] ? `As everything: through ${all[said.through]}` : "Nothing said yet";
      select.value = own?.[said.status] ?? "";
      through.hidden = select.value !== said.complete;
      if (document.activeElement !== day.input) day.input.value = own?.[said.through] ?? "";
    },
  };
}

/** One click for every section at once. */
export function attestAll(page) {
  const said = page.schema.form.attestation;
  const day = dayInput("attest-day", () => {});
  let typed = false;
  day.input.addEventListener("input", () => (typed = true));
  const now = make("p", { class: "quiet" });
  const back = make("button", { type: "button", onclick: () => take() }, "Take back");
  const take = () => {
    state(page, said.all, "");
    page.say("The statement about all sections is taken back.");
    day.input.focus();
  };
  const attest = () => {
    if (!day.input.value || !day.check()) {
      day.found.textContent ||= "Through which day?";
      day.input.focus();
      return;
    }
    state(page, said.all, said.complete, day.input.value);
    for (const row of page.model.rows(said.entity)) {
      const old = row.values[said.through];
      if (row.values[said.status] === said.complete && (!old || old < day.input.value)) row.values[said.through] = day.input.value;
    }
    page.model.changed();
    page.say(`Everything is entered through ${day.input.value}. What was said about single sections (none ever, incomplete) stands.`);
  };
  const node = make(
    "section",
    { class: "attest", id: "attest", "aria-labelledby": "attest-title" },
    make("h3", { id: "attest-title", tabindex: "-1" }, "Is everything entered?"),
    make("p", { class: "quiet" }, "Only then does a section without a row count as “did not happen”. Sections can say something of their own, below their rows."),
    make("p", { class: "actions" }, make("label", { for: "attest-day" }, "Entered through"), day.input, make("button", { type: "button", class: "add", onclick: attest }, "Everything is entered through this day"), day.found),
    now,
  );
  return {
    node,
    refresh() {
      const all = statement(page.model, said.all)?.values;
      if (!typed) day.input.value = all?.[said.through] ?? lastDay(page);
      now.hidden = !all;
      now.replaceChildren(all?.[said.through] ? `Sections without a statement of their own are complete through ${all[said.through]}. ` : "", back);
    },
  };
}
