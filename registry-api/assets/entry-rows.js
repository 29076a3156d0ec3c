// An entity on the page: its one object, or its rows with add, duplicate, remove and presets.
import { closer } from "./entry-attest.js";
import { Field, spoken } from "./entry-field.js";
import { blockWords } from "./entry-findings.js";
import { lower, make, words } from "./entry-text.js";

/** A row in a few words: what its entity's `gist` names. */
export function gist(form, entity, row, parts) {
  const shown = (entity.gist ?? []).filter((name) => entity.elements.has(name) && row.values[name] !== undefined && !row.values[name].absent);
  return shown.slice(0, parts).map((name) => spoken(form, entity.elements.get(name), row.values[name])).join(" · ");
}

/** The fields of one row. */
class Row {
  constructor(page, block, row, open) {
    Object.assign(this, { page, block, row, all: false });
    const { entity } = block;
    this.fields = new Map([...entity.elements.values()].map((element) => [element.name, new Field(page, entity, row, element)]));
    this.list = make("ul", { class: "found" });
    this.more = make("button", { type: "button", class: "quiet-button", "aria-expanded": "false", onclick: () => this.toggle() });
    const grid = make("div", { class: "fields" }, [...this.fields.values()].map((field) => field.node));
    if (!entity.repeated) {
      this.node = make("div", { class: "row" }, this.list, grid, this.more);
      return;
    }
    this.title = make("span", { class: "row-name" });
    this.gist = make("span", { class: "gist" });
    this.mark = make("span", { class: "mark" });
    const actions = make(
      "p",
      { class: "actions" },
      this.more,
      (this.copyButton = make("button", { type: "button", onclick: () => block.duplicate(row) }, "Duplicate")),
      (this.removeButton = make("button", { type: "button", onclick: () => block.remove(row) }, "Remove")),
    );
    this.group = make("div", { role: "group", class: "row-body" }, this.list, grid, actions);
    this.details = make("details", { class: "row", open }, make("summary", {}, this.title, this.gist, this.mark), this.group);
    this.node = make("li", {}, this.details);
  }

  toggle() {
    this.all = !this.all;
    this.refresh();
    if (this.all) this.firstHidden?.control.focus.focus();
  }

  refresh(number) {
    const { entity } = this.block;
    let hidden = 0;
    this.firstHidden = null;
    for (const field of this.fields.values()) {
      const matters = field.relevant();
      if (!matters) {
        hidden += 1;
        this.firstHidden ??= field;
      }
      field.refresh(this.all || this.page.all);
    }
    this.more.hidden = hidden === 0 || this.page.all;
    this.more.setAttribute("aria-expanded", String(this.all));
    this.more.textContent = this.all ? "Show only what is needed here" : `Show ${hidden} more, not needed here`;
    if (!entity.repeated || number === undefined) return;
    const name = `${words(entity.one ?? entity.title)} ${number}`;
    this.name = name;
    this.title.textContent = name;
    this.gist.textContent = gist(this.page.schema.form, entity, this.row);
    this.group.setAttribute("aria-label", name);
    this.copyButton.setAttribute("aria-label", `Duplicate ${lower(name)}`);
    this.removeButton.setAttribute("aria-label", `Remove ${lower(name)}`);
  }

  findings(byElement) {
    let bad = 0;
    for (const [name, field] of this.fields) {
      const found = byElement.get(name) ?? [];
      field.findings(found);
      bad += found.length;
    }
    const own = byElement.get("") ?? [];
    this.list.replaceChildren(...own.map((one) => make("li", { class: one.severity }, blockWords(one))));
    if (this.mark) this.mark.textContent = bad + own.length ? `${bad + own.length} to look at` : "";
  }

  open() {
    if (this.details) this.details.open = true;
  }

  focus() {
    this.open();
    const first = [...this.fields.values()].find((field) => !field.node.hidden && this.row.values[field.element.name] === undefined);
    (first ?? [...this.fields.values()][0]).control.focus.focus();
  }
}

/** One entity. */
export class Block {
  constructor(page, entity) {
    Object.assign(this, { page, entity, views: new Map() });
    const id = `entity-${entity.name}`;
    this.node = make("section", { class: "entity", id, "aria-labelledby": `${id}-title` }, make("h3", { id: `${id}-title`, tabindex: "-1" }, entity.title ?? words(entity.name)));
    this.node.append(make("p", { class: "quiet" }, entity.description));
    this.list = make("ul", { class: "found" });
    this.derived = make("p", { class: "derived", hidden: true });
    this.rows = make(entity.repeated ? "ol" : "div", { class: "rows" });
    this.node.append(this.list, this.rows, this.derived);
    if (entity.repeated) this.node.append(this.adders());
    if (entity.section_attestation) {
      this.closer = closer(page, entity);
      this.node.append(this.closer.node);
    }
  }

  adders() {
    const presets = this.page.schema.form.presets.filter((preset) => preset.entity === this.entity.name);
    const one = this.entity.one ?? lower(words(this.entity.name));
    this.adder = make("button", { type: "button", class: "add", onclick: () => this.add() }, `Add ${one}`);
    const filled = presets.map((preset) => make("button", { type: "button", "aria-label": `Add ${one}: ${preset.title}`, onclick: () => this.add(preset.values) }, preset.title));
    return make("p", { class: "actions" }, this.adder, filled.length ? make("span", { class: "quiet" }, "or begin with") : null, filled);
  }

  add(values, after) {
    const row = this.page.model.add(this.entity.name, structuredClone(values ?? {}), after);
    this.page.refreshNow();
    const view = this.views.get(row.id);
    view.focus();
    this.page.say(`${view.name} added.`);
  }

  duplicate(row) {
    this.add(this.page.model.copy(this.entity.name, row), row);
  }

  remove(row) {
    const name = this.views.get(row.id).name;
    const undo = this.page.model.remove(this.entity.name, row);
    this.page.refreshNow();
    this.adder.focus();
    this.page.say(`${name} removed.`, "Undo", () => {
      undo();
      this.page.refreshNow();
      this.views.get(row.id)?.focus();
    });
  }

  /** Draws the rows the case has now, in their order. */
  refresh() {
    const rows = this.page.model.rows(this.entity.name);
    this.node.hidden = !(this.page.all || this.hasData() || this.page.relevant(this.page.model, this.entity.name, this.entity.name, null));
    const kept = new Set(rows.map((row) => row.id));
    for (const [id, view] of this.views) {
      if (kept.has(id)) continue;
      view.node.remove();
      this.views.delete(id);
    }
    rows.forEach((row, i) => {
      let view = this.views.get(row.id);
      if (!view) {
        view = new Row(this.page, this, row, !this.page.loading);
        this.views.set(row.id, view);
      }
      if (this.rows.children[i] !== view.node) this.rows.insertBefore(view.node, this.rows.children[i] ?? null);
      view.refresh(i + 1);
    });
    this.closer?.refresh(rows.length);
  }

  hasData() {
    return this.page.model.rows(this.entity.name).some((row) => this.entity.repeated || Object.keys(row.values).length > 0);
  }

  findings(byRow, own) {
    for (const [id, view] of this.views) view.findings(byRow.get(id) ?? new Map());
    this.list.replaceChildren(...own.map((one) => make("li", { class: one.severity }, blockWords(one))));
  }

  /** What the registry derives from this entity. */
  showDerived(text) {
    this.derived.hidden = !text;
    this.derived.textContent = text;
  }
}
