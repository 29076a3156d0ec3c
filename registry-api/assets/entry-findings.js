// Findings as one goes: the verdict a submission would get, beside the fields and in a list that leads to them.
import { count, make, words } from "./entry-text.js";

const PATIENCE = 600;

/** `/imaging/1/date` as its steps. */
const steps = (pointer) => pointer.split("/").slice(1).map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));

/** A finding about a whole section, for somebody who sees the section. */
export function blockWords({ code, message }) {
  return ["required", "too_few_rows"].includes(code) ? "At least one is needed before the case can be saved." : message.replaceAll("`", "");
}

/** How many findings of a severity nobody has answered yet. */
export const open = (findings, severity) => findings.filter((one) => one.severity === severity && one.state !== "answered").length;

export class Findings {
  constructor(page) {
    Object.assign(this, { page, asked: 0, timer: 0, verdict: null });
    this.title = make("h3", { id: "findings-title", tabindex: "-1" }, "Findings");
    this.list = make("ol", { class: "findings" });
    this.node = make("section", { class: "summary", id: "findings", "aria-labelledby": "findings-title" }, this.title, this.list);
    this.tally = make("a", { href: "#findings", class: "tally", onclick: (event) => this.jump(event) }, "Not checked yet");
  }

  jump(event) {
    event.preventDefault();
    this.title.scrollIntoView();
    this.title.focus();
  }

  /** Asks again once typing rests. */
  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), PATIENCE);
  }

  async ask() {
    clearTimeout(this.timer);
    const number = ++this.asked;
    const { document, places } = this.page.model.document();
    this.tally.classList.add("checking");
    const answer = await this.page.server.send("POST", "/api/v1/cases:validate", document).catch(() => null);
    if (number !== this.asked) return;
    this.tally.classList.remove("checking");
    const result = answer?.ok ? answer.body.results[0] : null;
    if (!result || result.problem) {
      this.tally.textContent = answer?.status === 401 ? "Not signed in any more: nothing is checked" : (result?.problem.title ?? answer?.body?.title ?? "Cannot be checked at present");
      return;
    }
    this.show(result.findings, places, result.further_findings);
    this.page.verdict(result);
  }

  /** Shows findings of a document whose rows stood at `places`. */
  show(findings, places, further = 0) {
    const placed = new Map();
    const lines = findings.map((finding) => this.place(finding, places, placed));
    for (const [name, block] of this.page.blocks) {
      const { rows = new Map(), own = [] } = placed.get(name) ?? {};
      block.findings(rows, own);
    }
    const order = ["reject", "error", "warning"];
    const rank = ({ finding }) => order.indexOf(finding.severity) + (finding.state === "answered" ? order.length : 0);
    lines.sort((a, b) => rank(a) - rank(b));
    this.list.replaceChildren(...lines.map((line) => this.line(line)));
    if (further) this.list.append(make("li", {}, `${further} more are not listed.`));
    if (lines.length === 0) this.list.append(make("li", { class: "quiet" }, "Nothing was found."));
    const of = (severity) => open(findings, severity);
    const parts = [of("reject") && `${of("reject")} to correct before saving`, of("error") && count(of("error"), "error"), of("warning") && count(of("warning"), "warning")];
    this.tally.textContent = parts.filter(Boolean).join(", ") || "No findings";
    this.tally.classList.toggle("reject", of("reject") > 0);
  }

  /** Files a finding under its entity, row and element. */
  place(finding, places, placed) {
    const [entity, ...rest] = steps(finding.pointer);
    const said = this.page.schema.form.attestation;
    if (entity === said.entity) {
      const section = places.get(entity)?.[Number(rest[0])]?.values[said.section];
      const closed = this.page.blocks.get(section);
      return { finding, block: closed, target: closed?.closer?.focus };
    }
    const block = this.page.blocks.get(entity);
    if (!block) return { finding };
    const repeated = block.entity.repeated;
    const row = places.get(entity)?.[repeated ? Number(rest.shift()) : 0] ?? (repeated ? undefined : this.page.model.rows(entity)[0]);
    const bin = placed.get(entity) ?? { rows: new Map(), own: [] };
    placed.set(entity, bin);
    if (!row) {
      bin.own.push(finding);
      return { finding, block };
    }
    const element = block.entity.elements.has(rest[0]) ? rest[0] : "";
    const byElement = bin.rows.get(row.id) ?? new Map();
    bin.rows.set(row.id, byElement);
    byElement.set(element, [...(byElement.get(element) ?? []), finding]);
    return { finding, block, row, element };
  }

  line({ finding, block, row, element, target: closer }) {
    const view = row && block.views.get(row.id);
    const field = view?.fields.get(element);
    const at = [view?.name ?? block?.entity.title ?? "The record", field?.label].filter(Boolean).join(": ");
    const target = field?.control.focus ?? closer ?? block?.node.querySelector("h3");
    const go = (event) => {
      event.preventDefault();
      if (field) this.page.goTo(view, field);
      else if (target) target.focus();
    };
    const answered = finding.state === "answered";
    const said = answered ? `${finding.severity}, answered` : finding.severity === "reject" ? "must be corrected" : finding.severity;
    const badge = make("span", { class: `badge ${answered ? "answered" : finding.severity}` }, words(said));
    const place = target ? make("a", { href: `#${target.id}`, onclick: go }, at) : make("strong", {}, `${at}:`);
    return make("li", {}, badge, " ", place, " ", make("span", {}, field ? field.fault || field.plain(finding) : blockWords(finding)), " ", make("small", {}, finding.rule ?? ""));
  }
}
