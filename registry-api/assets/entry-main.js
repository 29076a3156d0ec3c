// The entry form of one case: generated from the dictionary of its schema version, saved like any other submission.
import { Again } from "./entry-again.js";
import { Page } from "./entry-form.js";
import { structure } from "./entry-model.js";
import { Server } from "./entry-server.js";
import { make } from "./entry-text.js";

const root = document.getElementById("entry");
const { version, csrf, centre, case: pseudonym, again, sampled, back } = root.dataset;
const server = new Server(csrf);

async function start() {
  const answer = await server.send("GET", `/api/v1/schemas/case/${encodeURIComponent(version)}/form`);
  if (!answer.ok) return fail("The form of this schema version cannot be had at present.");
  const saving = again && ((page) => new Again(page, { route: again, pseudonym: sampled, back }));
  const page = new Page(structure(answer.body), server, centre, saving);
  if (again) page.saving.begin();
  if (pseudonym && !(await page.saving.load(pseudonym))) return fail("The case cannot be read at present.");
  root.replaceChildren(page.node);
  root.dataset.ready = "true";
  return undefined;
}

const fail = (text) => root.replaceChildren(make("p", { class: "notice", role: "alert" }, `${text} Reload the page to try again.`));

// A page brought back by the browser's history may belong to a session that has ended.
window.addEventListener("pageshow", (event) => event.persisted && window.location.reload());

start().catch(() => fail("The registry does not answer."));
