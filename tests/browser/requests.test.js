// A researcher picks from the dictionary of a release, looks for more, asks; the office approves: DEMO_ACCESS=demo-data/access.json npm test
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

const picture = async (page, name) => {
  if (process.env.PICTURES) await page.screenshot({ path: `${process.env.PICTURES}/${name}.png`, fullPage: true });
};

test("what is picked without JavaScript is what the office approves and the researcher downloads", async () => {
  const title = `Grade and survival ${Date.now()}`;
  const { context, page } = await signIn(browser, "researcher", { javaScriptEnabled: false });
  await page.goto(`${base}/releases`);
  await page.getByRole("link", { name: "demo-1", exact: true }).click();
  await picture(page, "release-researcher");
  await page.getByRole("link", { name: "Ask for data of this release" }).click();
  assert.equal(await page.locator("select[name=release]").inputValue(), "demo-1");
  const ask = page.getByRole("region", { name: "Ask" });
  await ask.getByText("Patient", { exact: true }).click();
  await ask.getByRole("checkbox", { name: /^The file patient\.csv/ }).check();
  await ask.getByRole("checkbox", { name: /^survival_s1\.csv/ }).check();
  await page.getByLabel("Title").fill(title);
  await page.getByLabel("Find files and elements").fill("fnclcc");
  await picture(page, "requests-picked");
  await ask.getByRole("button", { name: "Show" }).click();
  // What was picked and filled in is still there, beside what was found.
  assert.ok(await ask.getByRole("checkbox", { name: /^The file patient\.csv/ }).isChecked());
  assert.ok(await ask.getByRole("checkbox", { name: /^survival_s1\.csv/ }).isChecked());
  assert.equal(await page.getByLabel("Title").inputValue(), title);
  assert.equal(await ask.locator("input[value='patient.birth_year']").count(), 0);
  await ask.locator("input[value='primary.fnclcc_grade']").check();
  await page.getByLabel("Purpose").fill("To see whether the page works.");
  await picture(page, "requests-found");
  await ask.getByRole("button", { name: "File the request" }).click();
  const row = (of) => of.locator("tbody tr").filter({ hasText: title }).first();
  assert.match(await row(page).innerText(), /waits for the coordinating office/);

  const office = await signIn(browser, "coordinator", { javaScriptEnabled: false });
  await office.page.goto(`${base}/requests`);
  assert.match(await row(office.page).innerText(), /patient\.csv, survival_s1\.csv, primary\.fnclcc_grade/);
  await row(office.page).getByText("Approve", { exact: true }).first().click();
  await row(office.page).getByLabel("Last day").fill(new Date(Date.now() + 86_400_000).toISOString().slice(0, 10));
  await row(office.page).getByRole("button", { name: "Approve" }).click();
  assert.match(await row(office.page).innerText(), /open through/);
  await picture(office.page, "requests-office");
  await office.context.close();

  await page.goto(`${base}/requests`);
  const href = await row(page).getByRole("link", { name: /^manifest/ }).getAttribute("href");
  const manifest = await (await page.request.get(base + href)).json();
  assert.deepEqual(manifest.request.files, ["patient.csv", "survival_s1.csv"]);
  assert.deepEqual(manifest.request.elements, ["primary.fnclcc_grade"]);
  await context.close();
});

test("the office freezes the published run and follows it to its page", { timeout: 240_000 }, async () => {
  const id = `b-${Date.now()}`;
  const { context, page } = await signIn(browser, "coordinator", { javaScriptEnabled: false });
  await page.goto(`${base}/releases`);
  await page.getByLabel("Id, as it will be cited").fill(id);
  await page.getByLabel("Title").fill("Frozen in a browser");
  await page.getByRole("button", { name: "Freeze" }).click();
  await picture(page, "releases-begun");
  // On the page at once, and a link when it is there.
  assert.match(await page.locator("main").innerText(), new RegExp(id));
  const link = page.getByRole("link", { name: id, exact: true });
  while ((await link.count()) === 0) await page.getByRole("link", { name: "Look again" }).click();
  await link.click();
  const headers = { authorization: `Bearer ${entry("coordinator").key}` };
  const head = await (await fetch(`${base}/api/v1/releases/${id}`, { headers })).json();
  const said = await page.locator("main").innerText();
  assert.ok(said.includes(head.sha256) && said.includes("Frozen in a browser"));
  await picture(page, "release-office");
  await context.close();
});

// Whoever asks first waits until it is made.
test("the fictitious release is found and fetched by somebody without an account", { timeout: 240_000 }, async () => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${base}/sign-in`);
  const href = await page.getByRole("link", { name: "a fictitious release" }).getAttribute("href");
  const answer = await page.request.get(base + href, { timeout: 230_000 });
  assert.equal(answer.status(), 200);
  assert.equal(answer.headers()["content-type"], "application/zip");
  await context.close();
});
