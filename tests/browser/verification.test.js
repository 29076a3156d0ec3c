// Source-data verification in headless Chromium: the office draws, somebody else enters a case again on a blank form, the centre sees what differs.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { base, launch, signIn } from "./demo.js";
import { Person, Words } from "./person.js";

let browser;
before(async () => {
  browser = await launch();
});
after(async () => {
  await browser.close();
});

/** Draws 5 % by the form of the page, without JavaScript; answers the address of the draw. */
async function draw(seed) {
  const { context, page } = await signIn(browser, "coordinator", { javaScriptEnabled: false });
  await page.goto(`${base}/verification`);
  await page.getByLabel("Seed").fill(seed);
  assert.equal(await page.getByLabel("Share in percent").inputValue(), "5");
  await page.getByRole("button", { name: "Draw", exact: true }).click();
  await page.waitForURL(/\/verification\/[0-9a-f-]{36}$/);
  const path = new URL(page.url()).pathname;
  assert.match(await page.locator("main").innerText(), new RegExp(`seed ${seed}`));
  await context.close();
  return path;
}

test("a sampled case is entered again blind, compared, and set back by the office", { timeout: 240_000 }, async () => {
  const path = await draw(`s${Date.now().toString(36)}`);
  const { context, page } = await signIn(browser, "submitter");
  const heard = [];
  page.on("pageerror", (error) => heard.push(String(error)));
  await page.goto(base + path);
  const link = page.locator("tbody th a").first();
  const pseudonym = await link.innerText();
  assert.match(await page.locator("tbody tr").first().innerText(), /not yet/);

  const asked = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await link.click();
  await page.waitForSelector("#entry[data-ready]");
  assert.match(await page.locator("main").innerText(), /Nothing of what is stored is shown or proposed/);
  const name = page.getByLabel("Pseudonym", { exact: true });
  assert.deepEqual([await name.inputValue(), await name.evaluate((input) => input.readOnly)], [pseudonym, true]);
  // Everything else is blank, and the stored case was not asked for.
  const filled = await page.locator("#entry input:not([type=checkbox])").evaluateAll((all) => all.filter((one) => one.value && !one.readOnly).length);
  assert.equal(filled, 0);
  assert.equal(await page.locator("#entry details.row").count(), 0);
  assert.deepEqual(asked.filter((one) => one.startsWith("/api/v1/cases/")), []);
  assert.equal(await page.getByRole("button", { name: "Save as draft" }).isVisible(), false);

  const record = JSON.parse(readFileSync(new URL("../../schema/examples/1.1.0/valid/minimal.json", import.meta.url)));
  record.patient.pseudonym_id = pseudonym;
  const version = await page.locator("#entry").getAttribute("data-version");
  const words = new Words(await (await fetch(`${base}/api/v1/schemas/case/${version}/form`)).json());
  await new Person(page, words).enter(record);
  await page.getByRole("button", { name: "Hand in", exact: true }).press("Enter");
  await page.getByText(/^Handed in, with/).first().waitFor();
  assert.equal(await page.getByRole("button", { name: "Hand in", exact: true }).isDisabled(), true);
  await page.getByRole("link", { name: "See how far the two agree" }).click();
  await page.waitForURL(new RegExp(`${pseudonym}$`));
  const own = await page.locator("main").innerText();
  assert.match(own, /\d+ of \d+ answers agree/);
  assert.match(own, /a row in one only/);
  assert.match(own, /Stored\s+Entered again/);
  // In the words of the form, never the codes of the dictionary or pointers into it.
  assert.match(own, /8890\/3|Consented/);
  assert.doesNotMatch(own, /[a-z]\.[a-z]+_[a-z]|\/imaging\/0/);
  assert.deepEqual(heard, []);
  await page.goto(base + path);
  assert.match(await page.locator("main").innerText(), /Critical elements/);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth + 1);
  assert.equal(wide, false);
  await context.close();

  const office = await signIn(browser, "coordinator", { javaScriptEnabled: false });
  await office.page.goto(`${base}${path}/${pseudonym}`);
  assert.match(await office.page.locator("main").innerText(), /What they say is shown to the centre only/);
  await office.page.getByLabel("Reason").fill("entered from the wrong file");
  await office.page.getByRole("button", { name: "Set back" }).click();
  assert.match(await office.page.locator("main").innerText(), /Nobody has entered this case again/);
  await office.context.close();
});

test("the committee reads shares and no case", async () => {
  const path = await draw(`c${Date.now().toString(36)}`);
  const { context, page } = await signIn(browser, "committee");
  await page.goto(base + path);
  const shown = await page.locator("main").innerText();
  assert.match(shown, /Nothing has been entered again yet/);
  assert.doesNotMatch(shown, /SYN-/);
  await context.close();
});
