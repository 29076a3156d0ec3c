// Saving: the same PUT as every other client, with the version it replaces; each refusal said in words, nothing lost.
import { notice } from "./entry-conflict.js";
import { open } from "./entry-findings.js";
import { count, make } from "./entry-text.js";

const address = (pseudonym) => `/api/v1/cases/${encodeURIComponent(pseudonym)}`;
/** The stored case as this form shows it: in the newest version of the schema. */
const newest = (pseudonym) => `${address(pseudonym)}?form=newest`;

export class Saving {
  constructor(page) {
    this.page = page;
    this.reason = make("input", { id: "change-reason", type: "text", autocomplete: "off", "aria-describedby": "reason-about" });
    this.reasonField = make(
      "div",
      { class: "field reason", hidden: true },
      make("label", { for: "change-reason" }, "Reason for the change"),
      this.reason,
      make("small", { id: "reason-about" }, "Needed for a verified or locked case; kept with the version. No names."),
    );
    this.outcome = make("div", { class: "outcome-of-saving", tabindex: "-1" });
    this.node = make("section", { class: "saving" }, this.reasonField, this.outcome);
    /** What the stored case is: a draft stays one until somebody says Save. */
    this.status = null;
    this.draft = make("button", { type: "button", onclick: () => this.save(true) }, "Save as draft");
    this.button = make("button", { type: "button", class: "primary", onclick: () => this.save(false) }, "Save");
  }

  /** Opens a stored case; false when there is none here. */
  async load(pseudonym) {
    const answer = await this.page.server.send("GET", newest(pseudonym));
    if (!answer.ok) return false;
    Object.assign(this, { base: answer.body.case, etag: answer.etag, status: answer.body.envelope.status, pseudonym });
    this.page.take(answer.body.case);
    this.known();
    return true;
  }

  /** The case is stored: its pseudonym is settled. */
  known() {
    this.reasonField.hidden = false;
    const [entity, element] = this.page.schema.form.identity.split(".");
    const view = [...this.page.blocks.get(entity).views.values()][0];
    view.fields.get(element).control.focus.readOnly = true;
  }

  /** As the case is: a draft as a draft. For the keyboard, which says nothing of the mode. */
  keep() {
    return this.save(this.status === "draft");
  }

  async save(draft) {
    const { model, schema, server } = this.page;
    if (this.busy) return;
    // What is still being typed counts as answered.
    const at = document.activeElement;
    at?.blur?.();
    at?.focus?.();
    const pseudonym = this.pseudonym ?? model.first(schema.form.identity);
    if (!pseudonym) {
      this.page.goToPath(schema.form.identity);
      this.page.say("The case needs its pseudonym first.");
      return;
    }
    if (model.withdrawn() && !window.confirm("Consent is refused or withdrawn: saving takes this case out of the registry's use, and nothing more is accepted for it. Go on?")) return;
    const sent = model.document();
    const stamp = this.page.stamp;
    const headers = this.etag ? { "if-match": this.etag } : { "if-none-match": "*" };
    if (this.reason.value.trim()) headers["change-reason"] = this.reason.value.trim();
    this.busy = true;
    this.page.say("Saving");
    const answer = await server.send("PUT", address(pseudonym) + (draft ? "?draft=true" : ""), sent.document, headers).catch(() => null);
    this.busy = false;
    this.page.strict = true;
    if (answer?.ok) this.saved(pseudonym, answer, sent, stamp);
    else await this.refused(pseudonym, answer, sent, draft);
  }

  saved(pseudonym, { body, etag }, sent, stamp) {
    Object.assign(this, { base: sent.document, etag, pseudonym });
    this.page.clean(stamp);
    if (!body.findings) {
      this.page.take(sent.document);
      const taken = (body.warnings ?? []).map((one) => ` ${one.message}`).join("");
      return this.tell(`The withdrawal is stored; the registry uses nothing of this case any more.${taken}`);
    }
    this.status = body.status;
    this.page.findings.show(body.findings, sent.places, body.further_findings);
    window.history.replaceState(null, "", `/cases/${encodeURIComponent(pseudonym)}/edit`);
    this.reason.value = "";
    this.known();
    const found = [count(open(body.findings, "error"), "error"), count(open(body.findings, "warning"), "warning")].join(" and ");
    const done = body.unchanged ? `Nothing had changed: version ${body.version} stands.` : `Saved as version ${body.version}${body.status === "draft" ? ", a draft that no run counts" : ""}, with ${found}.`;
    this.tell(done, make("a", { href: `/cases/${encodeURIComponent(pseudonym)}` }, "See the case"));
  }

  async refused(pseudonym, answer, sent, draft) {
    const code = answer?.body?.code;
    const detail = answer?.body?.detail ? ` ${answer.body.detail}` : "";
    if (!answer) return this.tell("The registry does not answer. Nothing is lost: what you typed is on this page; try again.");
    if (answer.status === 401) return this.tell("You are not signed in any more. What you typed is still here: sign in again in another tab, then save.", make("a", { href: "/sign-in", target: "_blank", rel: "noopener" }, "Sign in in another tab"));
    if (answer.status === 412) return this.conflict(pseudonym, sent, draft);
    if (code === "invalid_record") {
      this.page.findings.show(answer.body.errors, sent.places, answer.body.further_errors);
      this.tell("Not saved: the findings marked “must be corrected” stand in the way. Nothing typed is lost.");
      this.page.findings.title.focus();
      return undefined;
    }
    if (code === "row_frozen") {
      this.page.findings.show(answer.body.errors, sent.places, 0);
      this.tell(`Not saved.${detail} Nothing typed is lost.`);
      this.page.findings.title.focus();
      return undefined;
    }
    if (code === "change_reason_required") {
      this.reasonField.hidden = false;
      this.tell("Not saved: this case is verified or locked, so the change needs a reason.");
      this.reason.focus();
      return undefined;
    }
    return this.tell(`Not saved: ${answer.body?.title ?? "the registry refused it"}.${detail} Nothing typed is lost.`);
  }

  /** The case is at another version than the one opened here. */
  async conflict(pseudonym, sent, draft) {
    const other = await this.page.server.send("GET", newest(pseudonym)).catch(() => null);
    if (!other?.ok) return this.tell("Not saved: the case has changed meanwhile and cannot be read at present. Nothing typed is lost.");
    if (!this.base) return this.tell("Not saved: your centre has a case with this pseudonym already. What you typed is still here.", make("a", { href: `/cases/${encodeURIComponent(pseudonym)}/edit`, target: "_blank", rel: "noopener" }, "Open that case in another tab"));
    const version = other.body.envelope.version;
    const choose = async (which, changes) => {
      if (which === "both") {
        Object.assign(this, { base: other.body.case, etag: other.etag, status: other.body.envelope.status });
        for (const { entity, i, element, value } of changes) this.page.put(entity, i, element, value);
        this.tell(`Taken over from version ${version}: ${changes.map((one) => one.at).join(", ")}. Look at it, then save.`);
        (draft && this.status === "draft" ? this.draft : this.button).focus();
      } else if (which === "mine") {
        // In the mode it was to be saved in; what is submitted meanwhile is no draft any more.
        const status = other.body.envelope.status;
        Object.assign(this, { base: other.body.case, etag: other.etag, status });
        await this.save(draft && status === "draft");
      } else {
        await this.load(pseudonym);
        this.page.clean(this.page.stamp);
        this.tell(`Version ${version} is loaded.`);
      }
    };
    this.tell("");
    this.outcome.replaceChildren(notice(this.page.schema, this.base, other.body.case, sent.document, version, choose));
    this.outcome.querySelector("h3").focus();
    this.page.say(`Not saved: version ${version} was saved by someone else.`);
    return undefined;
  }

  tell(text, link) {
    this.outcome.replaceChildren(...(text ? [make("p", { class: "notice" }, text, " ", link ?? "")] : []));
    this.page.say(text);
    return undefined;
  }
}
