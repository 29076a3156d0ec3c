// A sampled case entered again from its source: blank, under a pseudonym that is settled, handed in once and compared, never a version.
import { open } from "./entry-findings.js";
import { split } from "./entry-model.js";
import { Saving } from "./entry-save.js";
import { count, make } from "./entry-text.js";

export class Again extends Saving {
  constructor(page, { route, pseudonym, back }) {
    super(page);
    Object.assign(this, { route, pseudonym, back });
    this.draft.hidden = true;
    this.button.textContent = "Hand in";
  }

  /** Whose case it is stands there, and stays. */
  begin() {
    const [entity, element] = split(this.page.schema.form.identity);
    this.page.put(entity, 0, element, this.pseudonym);
    const view = [...this.page.blocks.get(entity).views.values()][0];
    view.fields.get(element).control.focus.readOnly = true;
    this.page.clean(this.page.stamp);
  }

  keep() {
    return this.save();
  }

  async save() {
    const { model, server } = this.page;
    if (this.busy || this.done) return;
    // What is still being typed counts as answered.
    const at = document.activeElement;
    at?.blur?.();
    at?.focus?.();
    if (model.withdrawn()) {
      this.tell("Not handed in: a case is entered again in full. A withdrawal of consent is recorded on the case itself.");
      return;
    }
    const sent = model.document();
    const stamp = this.page.stamp;
    this.busy = true;
    this.page.say("Handing in");
    const answer = await server.send("PUT", this.route, sent.document).catch(() => null);
    this.busy = false;
    this.page.strict = true;
    if (answer?.ok) this.kept(answer.body, sent, stamp);
    else await this.refused(this.pseudonym, answer, sent);
  }

  kept({ findings, further_findings: further }, sent, stamp) {
    this.done = true;
    this.button.disabled = true;
    this.page.clean(stamp);
    this.page.findings.show(findings, sent.places, further);
    const found = [count(open(findings, "error"), "error"), count(open(findings, "warning"), "warning")].join(" and ");
    this.tell(`Handed in, with ${found}. The case itself is as it was.`, make("a", { href: this.back }, "See how far the two agree"));
  }
}
