// Keys, centres, the trail and files from pages, most of it without JavaScript: DEMO_ACCESS=demo-data/access.json npm test
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

const asks = async (key) => (await fetch(`${base}/api/v1/cases?limit=1`, { headers: { authorization: `Bearer ${key}` } })).status;

/** A picture of a page for whoever wants to look at it. */
const pictured = (page, name) => process.env.PICTURES && page.screenshot({ path: `${process.env.PICTURES}/${name}.png`, fullPage: true });

test("the office makes a key, rotates it, and revokes both", async () => {
  const { context, page } = await signIn(browser, "coordinator", { javaScriptEnabled: false });
  await page.goto(`${base}/admin`);
  const name = `tried ${Date.now()}`;
  await page.getByLabel("What it is for").fill(name);
  await page.getByRole("combobox", { name: "Role" }).selectOption({ label: "Data manager" });
  await page.getByRole("combobox", { name: "Centre" }).selectOption("C02");
  await page.getByRole("button", { name: "Make the key" }).click();
  const notice = page.getByRole("region", { name: "New key" });
  const first = (await notice.locator("code").innerText()).trim();
  await pictured(page, "admin-key");
  assert.equal(await asks(first), 200);
  await page.goto(`${base}/admin`);
  assert.equal(await page.getByText(first).count(), 0, "shown once");
  const rows = page.locator("tbody tr").filter({ hasText: name });
  await rows.first().getByText("Rotate", { exact: true }).click();
  await rows.first().getByRole("button", { name: "Make its successor" }).click();
  const second = (await notice.locator("code").innerText()).trim();
  assert.deepEqual([await asks(first), await asks(second)], [200, 200]);
  for (let left = 2; left > 0; left -= 1) {
    const row = rows.filter({ hasText: "in use" }).first();
    await row.getByText("Revoke", { exact: true }).first().click();
    await row.getByRole("button", { name: "Revoke" }).click();
  }
  assert.deepEqual([await asks(first), await asks(second)], [401, 401]);
  await context.close();
});

test("a centre is added, gets a year, and ends", async () => {
  const { context, page } = await signIn(browser, "admin", { javaScriptEnabled: false });
  const id = `T${Date.now() % 1e8}`;
  await page.goto(`${base}/admin`);
  await page.getByRole("textbox", { name: "Id", exact: true }).fill(id);
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("Tried <b>here</b>");
  await page.getByRole("button", { name: "Add the centre" }).click();
  await page.waitForURL(new RegExp(`/admin/centres/${id}$`));
  await page.getByLabel("Another year").fill("2024");
  await page.getByRole("button", { name: "Show" }).click();
  await page.getByLabel(/^New patients with retroperitoneal sarcoma seen in the year.*per year/).fill("31");
  await page.getByRole("button", { name: "Enter 2024" }).click();
  const table = page.getByRole("region", { name: "Table by year" });
  assert.match(await table.innerText(), /2024/);
  assert.match(await table.innerText(), /31/);
  await pictured(page, "admin-centre");
  await page.getByLabel("Takes part").selectOption("no");
  await page.getByRole("button", { name: "Change", exact: true }).click();
  assert.match(await page.locator("main").innerText(), /takes part no more/);
  assert.match(await page.locator("h1").innerText(), /Tried <b>here<\/b>/);
  await context.close();
});

test("the trail is filtered by a click, and its chain is verified", async () => {
  const { context, page } = await signIn(browser, "coordinator", { javaScriptEnabled: false });
  await page.goto(`${base}/audit`);
  await pictured(page, "audit");
  await page.locator("tbody a", { hasText: "session.begin" }).first().click();
  assert.match(page.url(), /action=session\.begin/);
  const actions = await page.locator("tbody tr td:nth-child(4)").allInnerTexts();
  assert.deepEqual([...new Set(actions)], ["Signed in\nsession.begin"]);
  await page.getByText("Verify the chain").first().click();
  await page.getByRole("button", { name: "Verify the chain" }).click();
  assert.match(await page.getByRole("status").innerText(), /events, the chain is whole/);
  await context.close();
});

/** The bundle a centre takes home. */
async function ownBundle() {
  const answer = await fetch(`${base}/api/v1/cases/export?format=csv`, { headers: { authorization: `Bearer ${entry("submitter").key}` } });
  assert.equal(answer.status, 200);
  return { name: "own.zip", mimeType: "application/zip", buffer: Buffer.from(await answer.arrayBuffer()) };
}

/** Hands a file in and looks again until its job has ended, as somebody without JavaScript does. */
async function handIn(page, file, store) {
  await page.goto(`${base}/imports`);
  await page.locator("form[action='/imports'] input[type=file]").setInputFiles(file);
  if (store) await page.getByLabel("Store what is not refused").check();
  await page.getByRole("button", { name: "Hand in" }).click();
  await page.waitForURL(/\/imports\/[0-9a-f-]+$/);
  while (await page.getByRole("link", { name: "Look again" }).count()) await page.getByRole("link", { name: "Look again" }).click();
}

test("a centre tries a file, stores it, and what was there stays as it was", { timeout: 240_000 }, async () => {
  const { context, page } = await signIn(browser, "submitter", { javaScriptEnabled: false });
  const file = await ownBundle();
  await handIn(page, file, false);
  assert.equal(await page.locator("h1").innerText(), "Dry run: done");
  assert.match(await page.locator("main").innerText(), /nothing was stored/);
  await pictured(page, "import-dry-run");
  await handIn(page, file, true);
  assert.equal(await page.locator("h1").innerText(), "Import: done");
  // Cases that were sent in an older form of the schema are stored anew in the newest, once.
  assert.match(await page.locator("main").innerText(), /: 0 new, \d+ changed, \d+ unchanged, 0 refused/);
  await handIn(page, file, true);
  assert.match(await page.locator("main").innerText(), /: 0 new, 0 changed, \d+ unchanged, 0 refused/);
  await page.goto(`${base}/imports`);
  await page.locator("form[action='/imports'] input[type=file]").setInputFiles({ name: "own.zip", mimeType: "application/zip", buffer: Buffer.from("no zip") });
  await page.getByRole("button", { name: "Hand in" }).click();
  assert.match(await page.getByRole("alert").innerText(), /cannot be read; nothing was stored/);
  await pictured(page, "import-refused");
  await context.close();
});

test("what is under way is looked at again until it has ended, and not by whoever stops that", async () => {
  const { context, page } = await signIn(browser, "submitter");
  let [done, asked] = [10, 0];
  const shown = () => (done < 30 ? `<section data-under-way><div class="as-it-stands"><progress max="30" value="${done}" aria-label="x"></progress></div><p class="again" role="status"><a href="/imports">Look again</a></p></section>` : "");
  await page.route(`${base}/imports`, (route) => {
    asked += 1;
    return route.fulfill({ contentType: "text/html", body: `<!doctype html><html lang="en"><title>x</title><main>${shown()}</main><script src="/assets/enhance.js" defer></script></html>` });
  });
  await page.clock.install();
  await page.goto(`${base}/imports`);
  const value = () => page.locator("progress").getAttribute("value");
  assert.equal(await value(), "10");
  asked = 0;
  done = 20;
  await page.clock.runFor(3000);
  await page.waitForSelector("progress[value='20']");
  assert.equal(asked, 1);
  await page.getByRole("button", { name: "Stop updating" }).click();
  done = 25;
  await page.clock.runFor(60_000);
  assert.deepEqual([asked, await value()], [1, "20"], "stopped");
  await page.getByRole("button", { name: "Go on updating" }).click();
  await page.clock.runFor(3000);
  await page.waitForSelector("progress[value='25']");
  assert.equal(asked, 2);
  done = 30;
  await page.clock.runFor(3000);
  await page.getByText("It has ended.").waitFor();
  assert.equal(await page.locator("progress").count(), 0, "nothing is under way any more");
  assert.equal(await page.getByRole("button").count(), 0);
  await context.close();
});
