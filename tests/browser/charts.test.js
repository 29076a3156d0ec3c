// Charts as they are drawn: no label covers another, wherever there is a chart; and the menu stands in one line on a laptop.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { base, launch, roles, signIn } from "./demo.js";

let browser;
before(async () => { browser = await launch(); });
after(async () => browser.close());

/** Labels of a page's charts that cover each other, its details open. */
const covered = (page) =>
  page.evaluate(() => {
    for (const closed of document.querySelectorAll("details")) closed.open = true;
    return [...document.querySelectorAll("svg.chart")].flatMap((chart) => {
      const name = chart.getAttribute("aria-label");
      const texts = [...chart.querySelectorAll("text")].map((text) => [text.textContent, text.getBoundingClientRect()]);
      const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 2 && b.top < a.bottom - 2;
      return texts.flatMap(([one, a], at) => texts.slice(at + 1).filter(([, b]) => meet(a, b)).map(([other]) => `${name}: ${one} / ${other}`));
    });
  });

/** Labels that reach out of their chart. */
const outside = (page) =>
  page.evaluate(() =>
    [...document.querySelectorAll("svg.chart")].flatMap((chart) => {
      const frame = chart.getBoundingClientRect();
      const out = (box) => box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1;
      return [...chart.querySelectorAll("text")].filter((text) => out(text.getBoundingClientRect())).map((text) => `${chart.getAttribute("aria-label")}: ${text.textContent}`);
    }));

for (const width of [390, 1280]) {
  test(`no label of a chart covers another or is cut off at ${width} pixels`, { timeout: 300_000 }, async () => {
    const wrong = [];
    let charts = 0;
    for (const role of ["committee", "coordinator"]) {
      const { context, page } = await signIn(browser, role, { viewport: { width, height: 900 } });
      await page.goto(`${base}/adherence`);
      // The first measure of every group, so that funnels and trends of every kind are among them.
      const measures = await page.locator("tbody tr:nth-child(2) th a").evaluateAll((all) => all.map((one) => new URL(one.href).pathname));
      assert.ok(measures.length >= 6, `${measures.length} measures`);
      await page.goto(`${base}/survival`);
      const endpoints = await page.locator("nav[aria-label=Endpoints] a").evaluateAll((all) => all.map((one) => one.href.replace(location.origin, "")));
      for (const path of ["/", "/quality", "/quality?section=imaging", "/quality?element=imaging.modality", "/brief", "/report", ...measures, ...endpoints]) {
        await page.goto(base + path);
        for (const label of await covered(page)) wrong.push(`${role} ${path} covers: ${label}`);
        for (const label of await outside(page)) wrong.push(`${role} ${path} cuts off: ${label}`);
        charts += await page.locator("svg.chart").count();
      }
      await context.close();
    }
    assert.ok(charts > 60, `${charts} charts`);
    assert.deepEqual(wrong, []);
  });
}

test("the menu of every role stands in one line on a laptop", async () => {
  for (const role of roles) {
    const { context, page } = await signIn(browser, role, { viewport: { width: 1280, height: 800 } });
    const tops = await page.locator("header.site nav li").evaluateAll((all) => [...new Set(all.map((one) => Math.round(one.getBoundingClientRect().top)))]);
    assert.equal(tops.length, 1, `${role}: ${tops.length} lines`);
    await context.close();
  }
});

test("pages that share a line of the menu lead to each other", async () => {
  const { context, page } = await signIn(browser, "coordinator");
  for (const path of ["/brief", "/report", "/indicators", "/rules", "/checks", "/schema", "/codelists", "/admin", "/users", "/tasks", "/adjudication"]) {
    await page.goto(base + path);
    assert.equal(await page.locator("nav.beside a[aria-current=page]").getAttribute("href"), path);
    assert.equal(await page.locator("header.site nav a[aria-current]").count(), 1, path);
  }
  await context.close();
});

test("checks and code lists are found by words, and kept as CSV", async () => {
  const { context, page } = await signIn(browser, "researcher");
  await page.goto(`${base}/checks`);
  const all = await page.locator("table.checks tbody tr").count();
  assert.ok(all > 100, `${all} checks`);
  await page.getByLabel("Search").fill("consent");
  await page.getByRole("button", { name: "Show" }).click();
  await page.waitForURL(/q=consent/);
  const some = await page.locator("table.checks tbody tr").count();
  assert.ok(some > 0 && some < all, `${some} of ${all}`);
  const csv = await (await page.request.get(`${base}${await page.locator("a.download").first().getAttribute("href")}`)).text();
  assert.equal(csv.split("\n").filter((line) => /^[ER]-\d{3},/.test(line)).length, some);
  await page.goto(`${base}/codelists?q=liposarcoma`);
  assert.match(await page.locator("main").innerText(), /liposarcoma/i);
  await context.close();
});
