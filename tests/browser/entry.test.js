// The entry form in headless Chromium: the patient of Figure 2 from nothing, by labels and keyboard; corrections, conflicts, contexts.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { base, entry, launch, signIn } from "./demo.js";
import { Person, Words } from "./person.js";

const file = (version) => new URL(`../../schema/examples/${version}/valid/figure-2.json`, import.meta.url);
const read = (version) => JSON.parse(readFileSync(file(version)));
/** The example in the newest version of the schema, which is what the form shows and keeps. */
let example;
const fresh = (name) => `${name}-${Date.now().toString(36)}${Math.floor(Math.random() * 1296).toString(36)}`;

let browser;
before(async () => {
  browser = await launch();
  const earlier = read("1.0.0");
  earlier.patient.pseudonym_id = fresh("EARLIER");
  assert.equal((await api("PUT", `/api/v1/cases/${earlier.patient.pseudonym_id}`, earlier)).status, 201);
  example = (await (await api("GET", `/api/v1/cases/${earlier.patient.pseudonym_id}?form=newest`)).json()).case;
});
after(async () => {
  await browser.close();
});

const api = async (method, path, body, headers = {}) =>
  fetch(base + path, { method, headers: { authorization: `Bearer ${entry("submitter").key}`, "content-type": "application/json", ...headers }, body: body && JSON.stringify(body) });

async function open(path, options = {}) {
  const { context, page } = await signIn(browser, "submitter", options);
  const heard = [];
  page.on("pageerror", (error) => heard.push(String(error)));
  page.on("console", (message) => message.type() === "error" && !/status of (409|412|422)/.test(message.text()) && heard.push(message.text()));
  await page.goto(base + path);
  await page.waitForSelector("#entry[data-ready]");
  const version = await page.locator("#entry").getAttribute("data-version");
  const words = new Words(await (await fetch(`${base}/api/v1/schemas/case/${version}/form`)).json());
  return { context, page, heard, version, person: new Person(page, words) };
}

/** The case as stored, and a stored case to work on. */
const stored = async (pseudonym) => (await (await api("GET", `/api/v1/cases/${pseudonym}`)).json()).case;
async function given(change = () => {}) {
  const record = structuredClone(example);
  record.patient.pseudonym_id = fresh("ENTRY");
  change(record);
  const answer = await api("PUT", `/api/v1/cases/${record.patient.pseudonym_id}`, record);
  assert.equal(answer.status, 201, await answer.text());
  return record;
}

/** Sets of codes and statements about sections have no order. */
function sorted(value) {
  const name = (one) => one.section ?? one;
  if (Array.isArray(value)) return value.every((one) => typeof name(one) === "string") ? [...value].sort((a, b) => name(a).localeCompare(name(b))) : value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, sorted(inner)]));
}

test("the patient of Figure 2, entered from nothing by labels and keyboard, is the example record", { timeout: 240_000 }, async () => {
  const { context, page, heard, version, person } = await open("/cases/new");
  const record = read(existsSync(file(version)) ? version : "1.0.0");
  record.schema_version = version;
  record.patient.pseudonym_id = fresh("FIGURE-2");
  await person.enter(record);
  for (const { section, status, complete_through: through } of record.section_attestation) await person.close(section, status, through);
  assert.match(await person.save(), /^Saved as version 1, with \d+ errors? and \d+ warnings?\./);
  assert.equal(new URL(page.url()).pathname, `/cases/${record.patient.pseudonym_id}/edit`);
  assert.deepEqual(sorted(await stored(record.patient.pseudonym_id)), sorted(record));
  assert.deepEqual(heard, []);
  // Nothing of the patient stays on the machine.
  const kept = await page.evaluate(async () => [localStorage.length, sessionStorage.length, (await indexedDB.databases()).length, (await caches.keys()).length]);
  assert.deepEqual(kept, [0, 0, 0, 0]);
  await context.close();
});

test("opening and saving a stored case changes nothing", async () => {
  const record = await given();
  const { context, person, heard } = await open(`/cases/${record.patient.pseudonym_id}/edit`);
  assert.match(await person.save(), /^Nothing had changed: version 1 stands/);
  assert.deepEqual(heard, []);
  await context.close();
});

test("a case sent in an earlier version is shown, and kept, in the newest", async () => {
  const record = read("1.0.0");
  record.patient.pseudonym_id = fresh("OLD");
  const { pseudonym_id: pseudonym } = record.patient;
  assert.equal((await api("PUT", `/api/v1/cases/${pseudonym}`, record)).status, 201);
  const { context, page, person, version, heard } = await open(`/cases/${pseudonym}/edit`);
  assert.equal(version, example.schema_version);
  assert.match(await page.locator("main").innerText(), /This case was sent in version 1\.0\.0 of the case schema/);
  assert.match(await person.save(), /^Saved as version 2/);
  assert.deepEqual(sorted(await stored(pseudonym)), sorted({ ...example, patient: { ...example.patient, pseudonym_id: pseudonym } }));
  const first = await (await api("GET", `/api/v1/cases/${pseudonym}/versions/1`)).json();
  assert.deepEqual(first.case, record, "what was sent stays");
  assert.deepEqual(heard, []);
  await context.close();
});

test("a draft stays a draft until somebody says Save: by the keyboard, and over somebody else's version", async () => {
  const record = structuredClone(example);
  record.patient.pseudonym_id = fresh("DRAFT");
  const { pseudonym_id: pseudonym } = record.patient;
  assert.equal((await api("PUT", `/api/v1/cases/${pseudonym}?draft=true`, record)).status, 201);
  const status = async () => (await (await api("GET", `/api/v1/cases/${pseudonym}`)).json()).envelope;
  const { context, page } = await open(`/cases/${pseudonym}/edit`);
  const year = page.getByLabel("Birth year", { exact: true });
  await year.fill("1963");
  await page.keyboard.press("Control+s");
  await page.getByText("Saved as version 2, a draft that no run counts").first().waitFor();
  // Somebody else saves the draft meanwhile.
  const now = await api("GET", `/api/v1/cases/${pseudonym}`);
  const theirs = (await now.json()).case;
  theirs.primary.size_mm = 121;
  assert.equal((await api("PUT", `/api/v1/cases/${pseudonym}?draft=true`, theirs, { "if-match": now.headers.get("etag") })).status, 200);
  await year.fill("1964");
  await page.getByRole("button", { name: "Save as draft", exact: true }).press("Enter");
  await page.getByRole("button", { name: /Save what stands here over/ }).press("Enter");
  await page.getByText("Saved as version 4, a draft that no run counts").first().waitFor();
  const draft = await status();
  assert.deepEqual([draft.status, draft.version], ["draft", 4]);
  await page.getByRole("button", { name: "Save", exact: true }).press("Enter");
  await page.getByText(/^Saved as version 5, with/).first().waitFor();
  assert.equal((await status()).status, "submitted");
  // What is submitted is saved as such.
  await year.fill("1965");
  await page.keyboard.press("Control+s");
  await page.getByText(/^Saved as version 6, with/).first().waitFor();
  assert.equal((await status()).status, "submitted");
  await context.close();
});

test("a finding stands beside its field and in a list that leads to it", async () => {
  const record = await given();
  const { context, page, person } = await open(`/cases/${record.patient.pseudonym_id}/edit`);
  const row = page.getByRole("group", { name: "Examination 2" });
  await page.getByText("Examination 2", { exact: true }).click();
  const date = row.getByLabel("Date", { exact: true });
  await date.fill("2024-13");
  await date.press("Tab");
  await row.getByText("Not a date: write 2026-03-07, 2026-03 or 2026.").waitFor();
  assert.equal(await date.getAttribute("aria-invalid"), "true");
  const described = (await date.getAttribute("aria-describedby")).split(" ").at(-1);
  assert.match(await page.locator(`[id="${described}"]`).innerText(), /Not a date/);
  const link = page.getByRole("link", { name: "Examination 2: Date" });
  await link.waitFor();
  assert.match(await person.save(), /Not saved/);
  await link.press("Enter");
  assert.equal(await date.evaluate((input) => input === document.activeElement), true);
  const size = page.getByLabel("Size", { exact: true });
  await size.fill("1,000");
  await size.press("Tab");
  await page.getByText("Not a number.").first().waitFor();
  await size.fill("100");
  const year = page.getByLabel("Birth year", { exact: true });
  await year.fill("\u200e1958\u00ad");
  await year.press("Tab");
  assert.equal(await year.inputValue(), "1958", "what nobody sees is not kept");
  // What is written otherwise but means one day is understood.
  await date.fill("20240209");
  await date.press("Tab");
  assert.equal(await date.inputValue(), "2024-02-09");
  assert.match(await person.save(), /^Nothing had changed/);
  await context.close();
});

test("a conflict is explained and loses nothing", async () => {
  const record = await given();
  const { pseudonym_id: pseudonym } = record.patient;
  const mine = await open(`/cases/${pseudonym}/edit`);
  const current = await api("GET", `/api/v1/cases/${pseudonym}`);
  record.primary.size_mm = 120;
  const answer = await api("PUT", `/api/v1/cases/${pseudonym}`, record, { "if-match": current.headers.get("etag") });
  assert.equal(answer.status, 200);
  const year = mine.page.getByLabel("Birth year", { exact: true });
  await year.fill("1959");
  assert.match(await mine.person.save(), /Not saved: version 2 was saved by someone else/);
  const said = mine.page.getByRole("group", { name: /Version 2 was saved by someone else/ });
  assert.match(await said.innerText(), /Primary tumour: Size\s+100 mm\s+120 mm\s+100 mm/);
  assert.equal(await year.inputValue(), "1959");
  // What the other changed and I did not is taken over by one key; what I typed stays.
  await said.getByRole("button", { name: "Take over 1 change where I changed nothing" }).press("Enter");
  assert.equal(await mine.page.getByLabel("Size", { exact: true }).inputValue(), "120");
  assert.match(await mine.person.save(), /^Saved as version 3/);
  const after = await stored(pseudonym);
  assert.deepEqual([after.patient.birth_year, after.primary.size_mm], [1959, 120]);
  await mine.context.close();
});

test("of two versions either can be kept", async () => {
  const record = await given();
  const { pseudonym_id: pseudonym } = record.patient;
  for (const [button, said, kept] of [[/Save what stands here over/, "Saved as version 3", "1959"], [/Give up what I typed/, "Version 4 is loaded", "1970"]]) {
    const mine = await open(`/cases/${pseudonym}/edit`);
    const answer = await api("GET", `/api/v1/cases/${pseudonym}`);
    const theirs = (await answer.json()).case;
    theirs.patient.birth_year = theirs.patient.birth_year === 1958 ? 1960 : 1970;
    await api("PUT", `/api/v1/cases/${pseudonym}`, theirs, { "if-match": answer.headers.get("etag") });
    const year = mine.page.getByLabel("Birth year", { exact: true });
    await year.fill(kept === "1959" ? "1959" : "1980");
    await mine.person.save();
    assert.equal(await mine.page.getByRole("button", { name: /where I changed nothing/ }).count(), 0);
    await mine.page.getByRole("button", { name: button }).press("Enter");
    await mine.page.getByText(said).first().waitFor();
    assert.equal(await year.inputValue(), kept);
    assert.equal(String((await stored(pseudonym)).patient.birth_year), kept);
    await mine.context.close();
  }
});

test("a new case does not overwrite one of the same pseudonym", async () => {
  const record = await given();
  const { context, page, person } = await open("/cases/new");
  await page.getByLabel("Pseudonym", { exact: true }).fill(record.patient.pseudonym_id);
  await page.getByLabel("Legal basis", { exact: true }).selectOption("waiver");
  assert.match(await person.save(), /Not saved/);
  assert.deepEqual(await stored(record.patient.pseudonym_id), record);
  await context.close();
});

test("what matters only in a context is hidden until it arises, and never when it holds a value", async () => {
  const { context, page } = await open("/cases/new");
  const add = (name) => page.getByRole("button", { name, exact: true }).press("Enter");
  await add("Add local treatment");
  const treatment = page.getByRole("group", { name: "Local treatment 1" });
  const test = treatment.getByLabel("Lung function test", { exact: true });
  assert.equal(await test.isVisible(), false);
  await treatment.getByLabel("Modality", { exact: true }).selectOption({ label: "Metastasectomy" });
  await treatment.getByLabel("Site", { exact: true }).selectOption({ label: "Lung" });
  await test.waitFor({ state: "visible" });
  await test.selectOption({ label: "Done" });
  await treatment.getByLabel("Site", { exact: true }).selectOption({ label: "Liver" });
  await treatment.getByLabel("Smoking status", { exact: true }).waitFor({ state: "hidden" });
  assert.equal(await test.isVisible(), true, "an answer does not vanish");
  // By hand, everything can be shown.
  await treatment.getByRole("button", { name: /^Show \d+ more/ }).press("Enter");
  await treatment.getByLabel("Smoking status", { exact: true }).waitFor({ state: "visible" });

  assert.equal(await page.getByRole("heading", { name: "Decisions about a biopsy" }).isVisible(), false);
  await add("Add lesion");
  await page.getByRole("group", { name: "Lesion 1" }).getByLabel("Radiographic pattern", { exact: true }).selectOption({ label: "Atypical" });
  await page.getByRole("heading", { name: "Decisions about a biopsy" }).waitFor({ state: "visible" });

  await add("Add board");
  const board = page.getByRole("group", { name: "Board 1" });
  const chance = board.getByLabel("Complete resection likelihood", { exact: true });
  assert.equal(await chance.isVisible(), false);
  await board.getByRole("group", { name: "Options considered" }).getByLabel("Resection", { exact: true }).check();
  await chance.waitFor({ state: "visible" });

  await add("Add line of therapy");
  const line = page.getByRole("group", { name: "Line of therapy 1" });
  const dose = line.getByLabel("Ifosfamide per cycle", { exact: true });
  assert.equal(await dose.isVisible(), false);
  await line.getByRole("group", { name: "Agents" }).getByLabel("Ifosfamide", { exact: true }).check();
  await dose.waitFor({ state: "visible" });
  await context.close();
});

test("presets, copies and values worked out: proposed, and a person's to accept", async () => {
  const { context, page } = await open("/cases/new");
  const button = (name) => page.getByRole("button", { name, exact: true });
  await button("Add examination: Surveillance CT").press("Enter");
  const scan = page.getByRole("group", { name: "Examination 1" });
  const chosen = (label) => scan.getByLabel(label, { exact: true }).evaluate((select) => select.selectedOptions[0].textContent);
  assert.deepEqual([await chosen("Modality"), await chosen("Purpose"), await chosen("Result")], ["CT", "Surveillance", ""]);
  assert.equal(await scan.getByLabel("Pelvis", { exact: true }).isChecked(), true);
  await scan.getByLabel("Date", { exact: true }).fill("2025-03-07");
  await button("Duplicate examination 1").press("Enter");
  assert.equal(await page.getByRole("group", { name: "Examination 2" }).getByLabel("Date", { exact: true }).inputValue(), "2025-03-07");
  await button("Remove examination 2").press("Enter");
  assert.equal(await page.getByRole("group", { name: "Examination 2" }).count(), 0);
  await button("Undo").press("Enter");
  assert.equal(await page.getByRole("group", { name: "Examination 2" }).count(), 1);

  // The lines of the metastatic setting count by their start, whatever the order of entry.
  for (const [n, start] of [[1, "2025-06-01"], [2, "2025-01-15"]]) {
    await button("Add line of therapy: Doxorubicin").press("Enter");
    const line = page.getByRole("group", { name: `Line of therapy ${n}` });
    await line.getByLabel("Start date", { exact: true }).fill(start);
    await line.getByLabel("Start date", { exact: true }).press("Tab");
  }
  const second = page.getByRole("group", { name: "Line of therapy 1" });
  assert.equal(await second.getByLabel("Line number", { exact: true }).inputValue(), "", "nothing is filled in unasked");
  await second.getByRole("button", { name: "Accept 2 for Line number" }).press("Enter");
  assert.equal(await second.getByLabel("Line number", { exact: true }).inputValue(), "2");

  // The largest of the lesions of the presentation that were not refuted.
  await button("Add presentation").press("Enter");
  for (const [n, size, status] of [[1, "12", "Confirmed"], [2, "31", "Refuted"], [3, "18", "Suspected"]]) {
    await button("Add lesion").press("Enter");
    const lesion = page.getByRole("group", { name: `Lesion ${n}` });
    await lesion.getByLabel("Status", { exact: true }).selectOption({ label: status });
    await lesion.getByLabel("Largest diameter", { exact: true }).fill(size);
    await lesion.getByLabel("Largest diameter", { exact: true }).press("Tab");
  }
  await page.getByRole("button", { name: "Accept 18 mm for Largest lesion" }).press("Enter");
  assert.equal(await page.getByRole("group", { name: "Presentation 1" }).getByLabel("Largest lesion", { exact: true }).inputValue(), "18");

  // Alive 90 days after the operation: no; not yet 90 days: unknown, so nothing is proposed.
  await button("Add local treatment").press("Enter");
  const treatment = page.getByRole("group", { name: "Local treatment 1" });
  await treatment.getByLabel("Date", { exact: true }).fill("2025-02-01");
  await button("Add contact").press("Enter");
  const contact = page.getByRole("group", { name: "Contact 1" });
  await contact.getByLabel("Date", { exact: true }).fill("2025-06-01");
  await contact.getByLabel("Date", { exact: true }).press("Tab");
  const accept = treatment.getByRole("button", { name: "Accept No for Death within 90 days" });
  assert.equal(await accept.count(), 0, "nobody says that the patient was alive");
  await contact.getByLabel("Vital status", { exact: true }).selectOption({ label: "Dead" });
  assert.equal(await accept.count(), 0, "dead, on a day nobody says");
  await contact.getByLabel("Vital status", { exact: true }).selectOption({ label: "Alive" });
  await accept.waitFor();
  await context.close();
});

test("one click says that everything is entered", async () => {
  const record = await given();
  const { pseudonym_id: pseudonym } = record.patient;
  const { context, page, person } = await open(`/cases/${pseudonym}/edit`);
  const day = page.getByLabel("Entered through", { exact: true });
  assert.equal(await day.inputValue(), "2026-04-10", "the last contact is proposed");
  await day.fill("2026-05-01");
  await page.getByRole("button", { name: "Everything is entered through this day" }).press("Enter");
  await person.save();
  const rows = (await stored(pseudonym)).section_attestation;
  const of = (section) => rows.find((row) => row.section === section);
  assert.deepEqual(of("all"), { section: "all", status: "complete_through", complete_through: "2026-05-01" });
  assert.deepEqual(of("lesion"), { section: "lesion", status: "complete_through", complete_through: "2026-05-01" });
  assert.deepEqual(of("radiotherapy"), { section: "radiotherapy", status: "none_ever" });
  assert.equal(rows.length, 8);
  await context.close();
});

test("a row that is moved takes its findings along, and another version asks before it is left", async () => {
  const record = await given((one) => {
    one.imaging[3].date = "2031-01-01";
  });
  const { context, page } = await open(`/cases/${record.patient.pseudonym_id}/edit`);
  const link = (n) => page.getByRole("link", { name: `Examination ${n}: Date` });
  await link(4).first().waitFor();
  await page.getByText("Examination 1", { exact: true }).click();
  await page.getByRole("button", { name: "Remove examination 1", exact: true }).press("Enter");
  await link(3).first().waitFor();
  assert.equal(await link(4).count(), 0);
  let asked = 0;
  page.on("dialog", (dialog) => {
    asked += 1;
    dialog.accept();
  });
  await page.goto(`${base}/cases`);
  assert.equal(asked, 1);
  await context.close();
});

test("a session that ends while typing loses nothing: sign in in another tab and save", async () => {
  const record = await given();
  const { pseudonym_id: pseudonym } = record.patient;
  const { context, page, person } = await open(`/cases/${pseudonym}/edit`);
  const other = await context.newPage();
  await other.goto(base);
  await other.click("form.who button");
  await other.waitForURL(/sign-in/);
  await page.getByLabel("Birth year", { exact: true }).fill("1961");
  assert.match(await person.save(), /not signed in any more\. What you typed is still here/);
  await other.goto(entry("submitter").sign_in);
  await other.click("main button");
  await other.waitForLoadState("load");
  assert.match(await person.save(), /^Saved as version 2/);
  assert.equal((await stored(pseudonym)).patient.birth_year, 1961);
  await context.close();
});

test("a verified case asks for the reason of a change", async () => {
  const record = await given();
  const { pseudonym_id: pseudonym } = record.patient;
  const verified = await api("POST", `/api/v1/cases/${pseudonym}:verify`, {}, { authorization: `Bearer ${entry("centre_lead").key}` });
  assert.equal(verified.status, 200, await verified.text());
  const { context, page, person } = await open(`/cases/${pseudonym}/edit`);
  await page.getByLabel("Birth year", { exact: true }).fill("1962");
  assert.match(await person.save(), /verified or locked, so the change needs a reason/);
  const reason = page.getByLabel("Reason for the change", { exact: true });
  assert.equal(await reason.evaluate((input) => input === document.activeElement), true);
  await reason.fill("misread");
  assert.match(await person.save(), /^Saved as version \d+/);
  await context.close();
});

test("a withdrawal is asked about, and sends nothing clinical", async () => {
  const record = await given();
  const { pseudonym_id: pseudonym } = record.patient;
  const { context, page, person } = await open(`/cases/${pseudonym}/edit`);
  const sent = [];
  page.on("request", (request) => request.method() === "PUT" && sent.push(JSON.parse(request.postData())));
  await page.getByLabel("Legal basis", { exact: true }).selectOption("withdrawn");
  await page.getByLabel("Withdrawn on", { exact: true }).fill("2026-09-01");
  let answer = "dismiss";
  page.on("dialog", (dialog) => dialog[answer]());
  await page.keyboard.press("Control+s");
  assert.deepEqual(sent, [], "asked, and refused");
  answer = "accept";
  assert.match(await person.save(), /The withdrawal is stored/);
  assert.deepEqual(sent, [{ schema_version: record.schema_version, patient: { pseudonym_id: pseudonym }, consent: { status: "withdrawn", withdrawal_date: "2026-09-01" } }]);
  assert.equal(await page.getByText("Examination 1", { exact: true }).count(), 0);
  await context.close();
});

test("every control has a name of its own, and what describes it exists", async () => {
  const record = await given();
  const { context, page } = await open(`/cases/${record.patient.pseudonym_id}/edit`);
  await page.getByLabel("Show every element").check();
  for (const kind of ["board", "biopsy", "course", "trial check", "symptom", "assessment"]) await page.getByRole("button", { name: `Add ${kind}`, exact: true }).press("Enter");
  const faults = await page.evaluate(() => {
    const found = [];
    const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
    for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) found.push(`id ${id} stands twice`);
    for (const one of document.querySelectorAll("[aria-describedby], [aria-labelledby]")) {
      const named = [one.getAttribute("aria-describedby"), one.getAttribute("aria-labelledby")].filter(Boolean).join(" ").split(" ");
      for (const id of named) if (!document.getElementById(id)) found.push(`${id} describes and does not exist`);
    }
    const name = (one) => {
      const label = one.getAttribute("aria-label") ?? one.labels?.[0]?.textContent ?? "";
      const set = one.type === "checkbox" && one.closest("fieldset")?.querySelector("legend").textContent;
      return (set ? `${set}: ${label}` : label).trim();
    };
    for (const row of document.querySelectorAll(".row")) {
      const names = [...row.querySelectorAll("input, select")].map(name);
      names.forEach((one, i) => {
        if (!one) found.push(`a control without a name in ${row.textContent.slice(0, 30)}`);
        if (names.indexOf(one) !== i) found.push(`"${one}" names two controls of a row`);
      });
    }
    let level = 1;
    for (const heading of document.querySelectorAll("main :is(h1, h2, h3, h4)")) {
      const next = Number(heading.tagName[1]);
      if (next > level + 1) found.push(`heading "${heading.textContent}" skips a level`);
      level = next;
    }
    return [...new Set(found)];
  });
  assert.deepEqual(faults, []);
  await context.close();
});

test("without JavaScript the page says what else there is", async () => {
  const { context, page } = await signIn(browser, "submitter", { javaScriptEnabled: false });
  await page.goto(`${base}/cases/new`);
  assert.match(await page.locator("main").innerText(), /needs JavaScript.*API/s);
  await context.close();
});

for (const width of [360, 390, 820, 1440]) {
  test(`a full form does not scroll sideways at ${width} pixels`, async () => {
    const record = await given();
    const { context, page } = await open(`/cases/${record.patient.pseudonym_id}/edit`, { viewport: { width, height: 900 } });
    await page.getByLabel("Show every element").check();
    for (const summary of await page.locator("details.row > summary").all()) await summary.press("Enter");
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth + 1);
    assert.equal(wide, false);
    await context.close();
  });
}
