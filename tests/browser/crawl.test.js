// Every page that links lead to, for every role: WCAG 2.2 AA by axe-core, in the dark for the three roles that see all of them, one heading, a title of its own, nothing refused.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, describe, it, test } from "node:test";
import { crawl } from "./crawl.js";
import { base, entry, launch, roles, signIn } from "./demo.js";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const WCAG = { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] };
const COLOURS = { type: "rule", values: ["color-contrast"] };

let browser;
before(async () => {
  browser = await launch();
  // So that there are pages of a sample, too.
  const headers = { authorization: `Bearer ${entry("coordinator").key}`, "content-type": "application/json" };
  const body = JSON.stringify({ through: new Date().toISOString().slice(0, 10), share: 0.02 });
  const answer = await fetch(`${base}/api/v1/verifications`, { method: "POST", headers, body });
  assert.equal(answer.status, 201, await answer.text());
  await imported();
});

/** A small import by the centre, so that the page of a job is there to be looked at: tried, nothing is stored. */
async function imported() {
  const { context, page } = await signIn(browser, "submitter", { javaScriptEnabled: false });
  await page.goto(`${base}/imports`);
  const file = await context.request.get(`${base}/api/v1/cases/export?format=csv`, { headers: { authorization: `Bearer ${entry("submitter").key}` } });
  await page.locator("form[action='/imports'] input[type=file]").setInputFiles({ name: "own.zip", mimeType: "application/zip", buffer: await file.body() });
  await page.getByRole("button", { name: "Hand in" }).click();
  await page.waitForURL(/\/imports\/[0-9a-f-]+$/);
  while (await page.getByRole("link", { name: "Look again" }).count()) await page.getByRole("link", { name: "Look again" }).click();
  assert.equal(await page.locator("h1").innerText(), "Dry run: done");
  await context.close();
}
after(async () => {
  await browser.close();
});

/** Console errors, errors of scripts, refused requests and policy reports, as they come. */
function complaints(page) {
  const heard = [];
  page.on("console", (message) => message.type() === "error" && heard.push(message.text()));
  page.on("pageerror", (error) => heard.push(String(error)));
  page.on("response", (response) => response.status() >= 400 && heard.push(`${response.url()} answers ${response.status()}`));
  page.on("requestfailed", (request) => heard.push(`${request.url()} failed`));
  return heard;
}

/** What axe-core finds wrong: rule, how often, and the first place. */
const violations = (page, runOnly) =>
  page.evaluate(async (wanted) => {
    const { violations } = await window.axe.run(document, { runOnly: wanted, resultTypes: ["violations"] });
    return violations.map(({ id, nodes }) => `${id} x ${nodes.length}: ${nodes[0].html.slice(0, 160)}: ${nodes[0].failureSummary.split("\n")[1]?.trim()}`);
  }, runOnly);

/** A scheme of colours at a time; everything else does not change with it. */
async function accessible(page, dark) {
  await page.evaluate(() => {
    for (const details of document.querySelectorAll("details")) details.open = true;
  });
  await page.evaluate(axe);
  await page.emulateMedia({ colorScheme: "light" });
  const found = await violations(page, WCAG);
  if (!dark) return found;
  await page.emulateMedia({ colorScheme: "dark" });
  const more = await violations(page, COLOURS);
  await page.emulateMedia({ colorScheme: "light" });
  return [...found, ...more.map((one) => `in the dark: ${one}`)];
}

const IN_THE_DARK = ["coordinator", "submitter", "researcher"];

// Two at a time, for a page is read by one processor alone; who can go farthest first.
describe("every page", { concurrency: 2 }, () => {
  for (const role of [...roles].reverse()) {
    it(`${role}: every page is accessible, says what it is, and complains of nothing`, { timeout: 1_200_000 }, async () => {
      const { context, page } = await signIn(browser, role, { viewport: { width: 1280, height: 900 } });
      const heard = complaints(page);
      const wrong = [];
      const titles = new Map();
      const found = await crawl(page, async (pattern, path, response) => {
        const say = (what) => wrong.push(`${path}: ${what}`);
        if (response.status() !== 200) say(`status ${response.status()}`);
        const about = await page.evaluate(() => ({ title: document.title, lang: document.documentElement.lang, headings: [...document.querySelectorAll("h1")].map((one) => one.textContent.trim()) }));
        if (about.lang !== "en") say(`language ${about.lang}`);
        if (about.headings.length !== 1 || !about.headings[0]) say(`first headings: ${about.headings.join(" | ")}`);
        const kind = pattern.split("?")[0];
        const other = titles.get(about.title) ?? kind;
        if (other !== kind) say(`has the title of ${other}: ${about.title}`);
        titles.set(about.title, kind);
        for (const one of await accessible(page, IN_THE_DARK.includes(role))) say(one);
        for (const one of heard.splice(0)) say(one);
      });
      assert.ok(found.size > 1, "links lead somewhere");
      if (role === "submitter") assert.ok([...found.keys()].some((one) => one.startsWith("/imports/")), "the page of an import");
      assert.deepEqual(wrong, []);
      await context.close();
    });
  }
});

/** Pages no link leads to: for who is not signed in, of a link, and for problems; how each is reached. */
const APART = [
  ["sign-in", null, (page) => page.goto(`${base}/sign-in`)],
  ["not-signed-in", null, (page) => page.goto(`${base}/adherence`)],
  ["invitation", "coordinator", invitation],
  ["not-found", "researcher", (page) => page.goto(`${base}/releases/none`)],
  ["forbidden", "submitter", (page) => page.goto(`${base}/admin`)],
  ["bad-query", "committee", (page) => page.goto(`${base}/adherence?kind=none`)],
  ["refused", "coordinator", refused],
];

/** Somebody is invited, and the link opened. */
async function invitation(page) {
  await page.goto(`${base}/users`);
  await page.getByLabel("Sign-in name").fill(`axe-${Date.now().toString(36)}@hospital.example`);
  await page.getByLabel("Name", { exact: true }).fill("Axe Rossi");
  await page.locator("form[action='/users'] select[name=role]").selectOption("committee");
  await page.getByRole("button", { name: "Invite", exact: true }).click();
  await page.goto(await page.locator("section.notice code").innerText());
}

/** A form that is refused at one of its fields. */
async function refused(page) {
  await page.goto(`${base}/admin`);
  await page.getByLabel("What it is for").fill("nightly push");
  await page.getByRole("combobox", { name: "Role" }).selectOption({ label: "Data manager" });
  await page.getByRole("button", { name: "Make the key" }).click();
  assert.equal(await page.locator("[aria-invalid=true]").count(), 1);
}

for (const [name, role, reach] of APART) {
  test(`${name}: accessible in light and dark, with one heading`, async () => {
    const options = { viewport: { width: 1280, height: 900 } };
    const { context, page } = role ? await signIn(browser, role, options) : await visitor(options);
    await reach(page);
    assert.equal(await page.locator("h1").count(), 1);
    assert.equal(await page.locator("nav[aria-label=Main]").count(), role && name !== "invitation" ? 1 : 0, "the menu of who is signed in");
    assert.deepEqual(await accessible(page, true), []);
    await context.close();
  });
}

/** Somebody who is not signed in. */
async function visitor(options) {
  const context = await browser.newContext(options);
  return { context, page: await context.newPage() };
}
