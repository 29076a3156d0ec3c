// The page: contents, sections, what is being helped with, and the bar that saves.
import { attestAll } from "./entry-attest.js";
import { relevance } from "./entry-conditions.js";
import { Findings } from "./entry-findings.js";
import { Model, split } from "./entry-model.js";
import { Block, gist } from "./entry-rows.js";
import { Saving } from "./entry-save.js";
import { make, words } from "./entry-text.js";

export class Page {
  constructor(schema, server, centre, saving = (page) => new Saving(page)) {
    Object.assign(this, { schema, server, centre, blocks: new Map(), all: false, strict: false, loading: true, stamp: 0, stored: 0 });
    this.model = new Model(schema);
    this.relevant = relevance(schema.form);
    this.findings = new Findings(this);
    this.saving = saving(this);
    this.attest = attestAll(this);
    this.helpBox = make("div", { class: "help-box", "aria-hidden": "true" });
    this.said = make("span", { class: "said", role: "status" });
    this.node = make("div", { class: "entry" }, this.contents(), this.sections(), this.bar());
    this.refreshNow();
    this.loading = false;
    this.model.onChange(() => this.changed());
    document.addEventListener("keydown", (event) => this.key(event));
    window.addEventListener("beforeunload", (event) => {
      if (this.stamp !== this.stored) event.preventDefault();
    });
  }

  contents() {
    const all = make("input", { type: "checkbox", id: "show-all", onchange: (event) => this.showAll(event.target.checked) });
    this.links = this.schema.form.sections.map(({ title }, i) => make("a", { href: `#section-${i}`, onclick: (event) => this.jump(event, `section-${i}-title`) }, title, make("span", { class: "tally" })));
    const last = make("a", { href: "#section-end", onclick: (event) => this.jump(event, "attest-title") }, "Complete and save");
    return make(
      "aside",
      {},
      make("nav", { "aria-label": "Sections of the case" }, make("ul", {}, [...this.links, last].map((link) => make("li", {}, link)))),
      make("label", { class: "all" }, all, "Show every element"),
      this.helpBox,
    );
  }

  sections() {
    const sections = this.schema.form.sections.map(({ title, entities }, i) => {
      const blocks = entities.map((name) => {
        const block = new Block(this, this.schema.entities.get(name));
        this.blocks.set(name, block);
        return block.node;
      });
      return make("section", { class: "part", id: `section-${i}`, "aria-labelledby": `section-${i}-title` }, make("h2", { id: `section-${i}-title`, tabindex: "-1" }, title), blocks);
    });
    const end = make("section", { class: "part", id: "section-end" }, make("h2", {}, "Complete and save"), this.attest.node, this.findings.node, this.saving.node);
    return make("div", { class: "parts" }, sections, end);
  }

  bar() {
    this.undo = make("button", { type: "button", hidden: true });
    return make("div", { class: "bar", role: "region", "aria-label": "Save" }, make("span", { "aria-live": "polite" }, this.findings.tally), this.said, this.undo, make("span", { class: "buttons" }, this.saving.draft, this.saving.button));
  }

  /** Puts a stored document on the page. */
  take(document) {
    this.loading = true;
    this.model.load(document);
    this.refreshNow();
    this.loading = false;
    this.strict = true;
    this.findings.ask();
  }

  /** An answer from elsewhere, onto the page. */
  put(entity, place, element, value) {
    const row = this.model.rows(entity)[place];
    this.model.set(row, element, value);
    const field = this.blocks.get(entity)?.views.get(row.id).fields.get(element);
    field?.control.show(value);
    field?.draw();
  }

  changed() {
    this.stamp += 1;
    this.findings.soon();
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => this.waiting && this.refreshNow());
  }

  refreshNow() {
    this.waiting = false;
    for (const block of this.blocks.values()) block.refresh();
    this.attest.refresh();
    this.schema.form.sections.forEach(({ entities }, i) => {
      const rows = entities.filter((name) => this.schema.entities.get(name).repeated).reduce((sum, name) => sum + this.model.rows(name).length, 0);
      this.links[i].lastChild.textContent = rows ? String(rows) : "";
    });
  }

  /** What the registry says beside findings: derived elements, what closing a section is worth. */
  verdict({ derived, not_attested: waiting }) {
    const worth = new Map(waiting.map((one) => [one.section, one.measures_unlocked]));
    for (const [name, block] of this.blocks) {
      block.closer?.worth(worth.get(name));
      const known = this.schema.derived.get(name).filter((element) => derived[element.name]);
      const say = (element) => `${words(element.name)}: ${element.codes?.find((one) => one.code === derived[element.name])?.label ?? derived[element.name]}`;
      block.showDerived(known.length ? `The registry derives ${known.map(say).join(", ")}.` : "");
    }
  }

  help(field) {
    this.helpBox.replaceChildren(make("strong", {}, field.label), make("p", {}, field.help()), make("code", {}, field.path));
  }

  gist(entity, row, parts) {
    return gist(this.schema.form, this.schema.entities.get(entity), row, parts);
  }

  showAll(all) {
    this.all = all;
    this.refreshNow();
  }

  jump(event, id) {
    event.preventDefault();
    const target = document.getElementById(id);
    target.scrollIntoView();
    target.focus({ preventScroll: true });
  }

  goTo(view, field) {
    view.open();
    field.node.hidden = false;
    view.block.node.hidden = false;
    field.control.focus.focus();
    field.node.scrollIntoView({ block: "center" });
  }

  goToPath(path) {
    const [entity, element] = split(path);
    const view = [...this.blocks.get(entity).views.values()][0];
    this.goTo(view, view.fields.get(element));
  }

  /** Says something in the bar, to be heard too; with one thing to do about it. */
  say(text, action, act) {
    this.said.textContent = text;
    this.undo.hidden = !action;
    if (!action) return;
    this.undo.textContent = action;
    this.undo.onclick = () => {
      this.say("");
      act();
    };
  }

  /** What was sent at `stamp` is stored. */
  clean(stamp) {
    this.stored = stamp;
  }

  key(event) {
    if (event.key.toLowerCase() !== "s" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    this.saving.keep();
  }
}
