// The API's own documentation: drawn by files of ours under the content policy, and nothing asked for elsewhere.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { base, launch } from "./demo.js";

let browser;
before(async () => {
  browser = await launch();
});
after(async () => {
  await browser.close();
});

test("/docs shows every group of routes under the content policy, and asks for nothing elsewhere", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const complaints = [];
  const asked = new Set();
  page.on("console", (message) => {
    // The viewer styles one of its icons in place; the policy refuses that, and it shows all the same.
    const refused = message.text().startsWith("Applying inline style violates");
    if (message.type() === "error" && !refused) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => asked.add(new URL(request.url())));
  const response = await page.goto(`${base}/docs`);
  assert.equal(response.status(), 200);
  const policy = response.headers()["content-security-policy"];
  assert.ok(policy && !policy.includes("unsafe-"), policy);
  await page.waitForSelector(".opblock-tag-section");
  const document = await (await page.request.get(`${base}/openapi.json`)).json();
  const tags = new Set(Object.values(document.paths).flatMap((item) => Object.values(item).flatMap((one) => one.tags)));
  const shown = await page.locator(".opblock-tag").evaluateAll((all) => all.map((one) => one.dataset.tag));
  assert.deepEqual(shown.toSorted(), [...tags].toSorted());
  // A route opens and says what it answers with.
  await page.locator(".opblock-summary-control", { hasText: "/health/ready" }).click();
  await page.waitForSelector(".opblock.is-open .responses-table");
  // Pictures that stand in the style sheet itself are asked for of nobody.
  const elsewhere = [...asked].filter((url) => url.protocol !== "data:" && url.origin !== base).map(String);
  assert.deepEqual(elsewhere, []);
  assert.deepEqual(complaints, []);
  await context.close();
});
