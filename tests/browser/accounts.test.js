// A person with an account, from the office's invitation to signing out everywhere: DEMO_ACCESS=demo-data/access.json npm test
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { base, launch, signIn } from "./demo.js";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const WCAG = { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] };
const PASSWORD = "tin lantern, seven oars";

let browser;
before(async () => {
  browser = await launch();
});
after(async () => {
  await browser.close();
});

/** What an authenticator app shows (RFC 6238), `ahead` steps of 30 seconds from now. */
function code(key, ahead = 0) {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...key].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const secret = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + ahead));
  const hash = createHmac("sha1", secret).update(step).digest();
  const word = hash.readUInt32BE(hash[19] & 15) & 0x7fffffff;
  return String(word % 1_000_000).padStart(6, "0");
}

/** Nothing that axe-core finds wrong, and no scrolling sideways on a telephone. */
async function fine(page, what) {
  await page.evaluate(() => {
    for (const details of document.querySelectorAll("details")) details.open = true;
  });
  await page.evaluate(axe);
  const found = await page.evaluate(async (runOnly) => (await window.axe.run(document, { runOnly, resultTypes: ["violations"] })).violations.map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 160)}`), WCAG);
  assert.deepEqual(found, [], what);
  await page.setViewportSize({ width: 360, height: 800 });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(wide <= 1, `${what} scrolls sideways`);
  if (process.env.PICTURES) await page.screenshot({ path: `${process.env.PICTURES}/accounts-${what.replaceAll(" ", "-")}-360.png`, fullPage: true });
  await page.setViewportSize({ width: 1280, height: 900 });
  if (process.env.PICTURES) await page.screenshot({ path: `${process.env.PICTURES}/accounts-${what.replaceAll(" ", "-")}.png`, fullPage: true });
}

async function withPassword(page, login, second) {
  await page.goto(`${base}/sign-in`);
  await page.getByLabel("Sign-in name").fill(login);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByLabel("Code that your app shows").fill(second);
  await page.getByRole("button", { name: "Sign in" }).click();
}

for (const javaScriptEnabled of [true, false]) {
  test(`invited, set up, signed in, signed out everywhere, ${javaScriptEnabled ? "with" : "without"} scripts`, { timeout: 120_000 }, async () => {
    const login = `li-${Date.now()}@hospital.example`;
    const office = await signIn(browser, "coordinator", { javaScriptEnabled });
    await office.page.getByRole("link", { name: "Administration" }).click();
    await office.page.getByRole("link", { name: "Users" }).click();
    await office.page.getByLabel("Sign-in name").fill(login);
    await office.page.getByLabel("Name", { exact: true }).fill("<b>Li</b> Wei");
    await office.page.locator("form[action='/users'] select[name=role]").selectOption("submitter");
    await office.page.locator("form[action='/users'] select[name=centre]").selectOption("C02");
    await office.page.getByRole("button", { name: "Invite", exact: true }).click();
    const link = await office.page.getByRole("region", { name: "New link" }).locator("code").innerText();
    assert.match(link, new RegExp(`^${base}/invitation\\?token=`));
    if (javaScriptEnabled) await fine(office.page, "users");

    const first = await browser.newContext({ javaScriptEnabled });
    const page = await first.newPage();
    await page.goto(link);
    assert.match(await page.locator("main").innerText(), /<b>Li<\/b> Wei/);
    const key = (await page.locator("p", { hasText: "Key:" }).locator("code").innerText()).replaceAll(" ", "");
    if (javaScriptEnabled) await fine(page, "invitation");
    await page.getByLabel("Password, 12 to 128").fill("Password20261!");
    await page.getByLabel("The same password again").fill("Password20261!");
    await page.getByLabel("Code that the app shows now").fill(code(key));
    await page.getByRole("button", { name: "Set up and sign in" }).click();
    assert.match(await page.getByRole("alert").innerText(), /too common/);
    await page.getByLabel("Password, 12 to 128").fill(PASSWORD);
    await page.getByLabel("The same password again").fill(PASSWORD);
    await page.getByLabel("Code that the app shows now").fill(code(key));
    await page.getByRole("button", { name: "Set up and sign in" }).click();
    const codes = await page.locator("ol.codes code").allInnerTexts();
    assert.equal(codes.length, 10);
    if (javaScriptEnabled) await fine(page, "recovery codes");
    await page.getByRole("link", { name: "I have kept them" }).click();
    assert.match(await page.locator("header.site").innerText(), /Data manager, C02/);
    await page.getByRole("button", { name: "Sign out" }).click();

    // The code of the next step is taken: clocks may differ by one. A wrong one is not.
    await withPassword(page, login, "000000");
    assert.match(await page.getByRole("alert").innerText(), /do not belong together/);
    if (javaScriptEnabled) await fine(page, "sign in");
    await withPassword(page, login, code(key, 1));
    await page.goto(`${base}/cases`);
    assert.equal(await page.locator("h1").innerText(), "Cases");

    const second = await browser.newContext({ javaScriptEnabled });
    const elsewhere = await second.newPage();
    await withPassword(elsewhere, login, codes[4]);
    await elsewhere.getByRole("link", { name: "Data manager, C02" }).click();
    const own = await elsewhere.locator("main").innerText();
    assert.match(own, /this one/);
    assert.match(own, /another browser/);
    assert.match(own, /9 left/);
    if (javaScriptEnabled) await fine(elsewhere, "account");
    await elsewhere.getByRole("button", { name: "Sign out everywhere" }).click();
    assert.equal(await elsewhere.locator("h1").innerText(), "Sign in");
    for (const one of [page, elsewhere]) {
      const answer = await one.goto(`${base}/cases`);
      assert.equal(answer.status(), 401);
      assert.equal(await one.locator("h1").innerText(), "Sign in");
    }
    // The link is used up, and the office sees who is in.
    assert.equal((await page.goto(link)).status(), 403);
    await office.page.goto(`${base}/users`);
    const row = office.page.locator("tbody tr", { hasText: login });
    assert.match(await row.innerText(), /active/);
    await row.getByText("Disable").first().click();
    await row.getByRole("button", { name: "Disable" }).click();
    assert.match(await office.page.locator("tbody tr", { hasText: login }).innerText(), /disabled/);
    await withPassword(page, login, codes[5]);
    assert.match(await page.getByRole("alert").innerText(), /do not belong together/);
    for (const context of [office.context, first, second]) await context.close();
  });
}
