// A pseudonym sent by a second centre, from the refusal to the transfer: DEMO_ACCESS=demo-data/access.json npm test
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { base, entry, launch, signIn } from "./demo.js";

let browser;
before(async () => {
  browser = await launch();
});
after(async () => {
  await browser.close();
});

/** A case of another centre than the submitter's, sent by the submitter and refused. */
async function sentTwice() {
  const office = { headers: { authorization: `Bearer ${entry("coordinator").key}` } };
  const other = entry("submitter").centre === "C02" ? "C03" : "C02";
  const listed = await (await fetch(`${base}/api/v1/cases?centre=${other}&limit=1`, office)).json();
  const pseudonym = listed.cases[0].pseudonym;
  const body = {
    schema_version: "1.0.0",
    patient: { pseudonym_id: pseudonym, registration_date: "2026-01-10", ascertainment: "prospective" },
    consent: { status: "consented", date: "2026-01-10" },
    hereditary: {},
    primary: { icdo_morphology: "8890/3", icdo_topography: "C48.0", diagnosis_date: "2024-05-02" },
    presentation: [{ seq: 1, date_detected: "2026-01-03" }],
    followup: [{ date: "2026-09-01", vital_status: "alive" }],
  };
  const answer = await fetch(`${base}/api/v1/cases/${pseudonym}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${entry("submitter").key}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  assert.equal(answer.status, 409, await answer.text());
  return pseudonym;
}

test("the office sees that a pseudonym was sent twice, and transfers the case", async () => {
  const { context, page } = await signIn(browser, "coordinator", { javaScriptEnabled: false });
  const pseudonym = await sentTwice();
  await page.goto(base);
  await page.getByRole("link", { name: /waits? for the coordinating office/ }).click();
  const row = page.locator("tbody tr").filter({ hasText: pseudonym }).first();
  if (process.env.PICTURES) await page.screenshot({ path: `${process.env.PICTURES}/tasks-open.png`, fullPage: true });
  await row.getByText(/^Transfer to/).click();
  await row.getByLabel("As of").fill("2026-01-01");
  await row.getByLabel("Reason").fill("<b>moved</b> to another town");
  if (process.env.PICTURES) await page.screenshot({ path: `${process.env.PICTURES}/tasks-form.png`, fullPage: true });
  await row.getByRole("button", { name: "Transfer" }).click();
  const centres = page.getByRole("region", { name: "Centres" });
  assert.match(await centres.innerText(), /2026-01-01/);
  assert.match(await centres.innerText(), /<b>moved<\/b> to another town/);
  if (process.env.PICTURES) await page.screenshot({ path: `${process.env.PICTURES}/case-office.png`, fullPage: true });
  await page.goto(`${base}/tasks`);
  assert.match(await page.locator("main").innerText(), /transferred to this centre as of 2026-01-01/);
  if (process.env.PICTURES) await page.screenshot({ path: `${process.env.PICTURES}/tasks-closed.png`, fullPage: true });
  await context.close();
  // The centre that has it now reads that it was another's, and neither whose nor why.
  const own = await signIn(browser, "submitter", { javaScriptEnabled: false });
  await own.page.goto(`${base}/cases/${pseudonym}`);
  const held = await own.page.getByRole("region", { name: "Centres" }).innerText();
  assert.match(held, /another centre/);
  assert.doesNotMatch(held, /moved/);
  assert.equal(await own.page.getByText("Transfer to another centre").count(), 0);
  if (process.env.PICTURES) await own.page.screenshot({ path: `${process.env.PICTURES}/case-centre.png`, fullPage: true });
  await own.context.close();
});
