// One element of one row: label, control, what is proposed, what was found.
import { known } from "./entry-conditions.js";
import { controlOf } from "./entry-controls.js";
import { fault } from "./entry-dates.js";
import { split } from "./entry-model.js";
import { proposal } from "./entry-suggest.js";
import { make, same, words } from "./entry-text.js";

const SUFFIXES = /_(mm|pct|gy|months|ml_min|mg_m2)$/;

/** What an element is called. */
export function labelOf(form, entity, element) {
  return form.labels[`${entity}.${element.name}`] ?? words(element.unit ? element.name.replace(SUFFIXES, "") : element.name);
}

/** A value as a person reads it. */
export function spoken(form, element, value) {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return value.map((one) => spoken(form, element, one)).join(", ") || "none of these";
  if (!known(value)) return words(value.absent).toLowerCase();
  if (typeof value === "boolean") return value ? "Yes" : "No";
  const code = element.codes?.find((one) => one.code === String(value));
  return code?.label ?? String(value) + (element.unit ? ` ${element.unit}` : "");
}

export class Field {
  constructor(page, entity, row, element) {
    Object.assign(this, { page, entity, row, element, path: `${entity.name}.${element.name}`, found: [], fault: "" });
    const form = page.schema.form;
    const id = `${row.id}-${element.name}`;
    this.label = labelOf(form, entity.name, element);
    const about = {
      id,
      label: this.label,
      unit: element.unit,
      absence: form.absence,
      describedBy: `${id}-about ${id}-found`,
    };
    this.control = controlOf(element, about, this.options(), () => this.answered());
    this.proposed = make("p", { class: "proposed", hidden: true });
    this.list = make("ul", { class: "found", id: `${id}-found` });
    const optional = element.requirement === "O" ? make("small", {}, " optional") : null;
    const help = make("span", { id: `${id}-about`, class: "help", hidden: true }, this.help());
    const many = this.control.node.classList.contains("many");
    this.node = many
      ? make("fieldset", { class: "field many", id: `${id}-set`, "aria-describedby": about.describedBy }, make("legend", {}, this.label, optional))
      : make("div", { class: form.wide.includes(this.path) ? "field wide" : "field" }, make("label", { for: id }, this.label, optional));
    this.node.append(this.control.node, help, this.proposed, this.list);
    this.node.addEventListener("focusin", () => page.help(this));
    this.control.show(row.values[element.name]);
  }

  help() {
    const { description, condition, partial_date: partial } = this.element;
    const when = condition && !description.includes(condition) ? ` Needed when: ${condition}.` : "";
    const short = partial ? " Where the day is not known, the month (2026-03) or the year is enough." : "";
    return (description + when + short).replaceAll("`", "");
  }

  /** A finding for somebody who sees the field and not the document. */
  plain(finding) {
    if (finding.code === "required") return "Needed before the case can be saved.";
    return finding.message.replaceAll(`\`${this.path}\``, this.label).replace(/,? or \{"absent".*$/, ".").replaceAll("`", "");
  }

  /** Codes, or the rows of the entity this element names. */
  options() {
    const link = this.page.schema.form.links.find((one) => one.elements.includes(this.path));
    if (!link) return this.element.codes && (() => this.element.codes);
    return () => {
      const [entity, key] = split(link.to);
      const rows = this.page.model.rows(entity).filter((row) => known(row.values[key]));
      const listed = rows.map((row) => ({ code: String(row.values[key]), label: this.page.gist(entity, row, 3) }));
      return [...listed, ...Object.entries(link.also).map(([code, label]) => ({ code, label }))];
    };
  }

  /** A person has answered: into the case, at once. */
  answered() {
    this.touched = true;
    const value = this.control.read();
    const { type } = this.element;
    this.fault = "";
    if (type === "date" && typeof value === "string") this.fault = fault(value, this.element.partial_date);
    if (["integer", "number", "percent", "year"].includes(type) && typeof value === "string") this.fault = "Not a number.";
    this.page.model.set(this.row, this.element.name, value);
    this.draw();
  }

  /** Whether it matters here, or holds a value anyway. */
  relevant() {
    return this.row.values[this.element.name] !== undefined || this.page.relevant(this.page.model, this.path, this.entity.name, this.row);
  }

  refresh(all) {
    this.node.hidden = !(all || this.relevant());
    this.control.refresh?.();
    if (!this.node.hidden) this.propose();
  }

  propose() {
    const offer = proposal(this.page.model, this.path, this.row, this.page.centre);
    const mine = this.row.values[this.element.name];
    const open = offer && !same(offer.value, mine);
    const key = open ? JSON.stringify([offer, mine]) : "";
    if (key === this.offered) return;
    this.offered = key;
    this.proposed.hidden = !open;
    if (!open) return;
    const text = spoken(this.page.schema.form, this.element, offer.value);
    const accept = make("button", { type: "button", "aria-label": `${mine === undefined ? "Accept" : "Use this:"} ${text} for ${this.label}`, onclick: () => this.accept(offer.value) }, mine === undefined ? "Accept" : "Use this");
    this.proposed.replaceChildren(make("span", {}, "Worked out: ", make("strong", {}, text), `, ${offer.because}. `), accept);
  }

  accept(value) {
    this.control.show(value);
    this.control.focus.focus();
    this.answered();
  }

  /** What the checks found here. Of a case being typed in, only where a person has been. */
  findings(found) {
    this.found = found;
    this.draw();
  }

  draw() {
    const shown = this.touched || this.page.strict ? this.found : this.found.filter((one) => one.code !== "required");
    const items = this.fault ? [make("li", { class: "error" }, this.fault)] : shown.map((one) => make("li", { class: one.severity }, this.plain(one)));
    this.list.replaceChildren(...items);
    const bad = this.fault || shown.some((one) => one.severity !== "warning");
    for (const input of this.node.querySelectorAll("input:not([type=checkbox]), select:not(.absence)")) {
      if (bad) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    }
    this.node.classList.toggle("bad", Boolean(bad));
  }
}
