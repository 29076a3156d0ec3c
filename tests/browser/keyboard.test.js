// Without a mouse: the skip link, the menu, filters, sorting, details and the entry form; the focus is seen everywhere and is never caught.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { base, launch, signIn } from "./demo.js";

let browser;
before(async () => {
  browser = await launch();
});
after(async () => {
  await browser.close();
});

/** What has the focus: its words, where it leads, and whether one sees that it has it. */
const focused = (page) =>
  page.evaluate(() => {
    const at = document.activeElement;
    const style = getComputedStyle(at);
    const box = at.getBoundingClientRect();
    return {
      tag: at.tagName,
      text: (at.getAttribute("aria-label") ?? at.labels?.[0]?.textContent ?? at.textContent).trim(),
      href: at.getAttribute("href"),
      seen: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && box.width > 0 && box.right > 0 && box.bottom > 0,
    };
  });

/** Tab until `wanted` has the focus; each stop on the way is seen. */
async function tabTo(page, wanted, limit = 80) {
  const passed = [];
  for (let i = 0; i < limit; i += 1) {
    await page.keyboard.press("Tab");
    const at = await focused(page);
    if (at.tag !== "BODY") assert.ok(at.seen, `the focus is not seen on ${at.tag} ${at.text}`);
    if (wanted(at)) return at;
    passed.push(at.text);
  }
  return assert.fail(`the keyboard does not get there; passed ${passed.join(" | ")}`);
}

test("the first stop skips to the content, the next ones are the menu", async () => {
  const { context, page } = await signIn(browser, "committee");
  await page.goto(base);
  await page.keyboard.press("Tab");
  const first = await focused(page);
  assert.equal(first.text, "Skip to content");
  assert.ok(first.seen, "the skip link shows when it has the focus");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement === document.body || document.querySelector("main").contains(document.activeElement) || document.querySelector("footer").contains(document.activeElement)), true);
  await page.goto(base);
  await tabTo(page, (at) => at.href === "/adherence", 6);
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/adherence$/);
  await context.close();
});

for (const javaScriptEnabled of [true, false]) {
  test(`on a telephone the menu opens from its button, which names the page, ${javaScriptEnabled ? "with" : "without"} scripts`, async () => {
    const { context, page } = await signIn(browser, "coordinator", { viewport: { width: 360, height: 740 }, javaScriptEnabled });
    await page.goto(`${base}/quality`);
    const button = page.getByRole("button", { name: "Menu" });
    const menu = page.locator("header.site #menu");
    assert.equal((await button.innerText()).trim(), "Menu: Data quality");
    assert.ok(!(await menu.isVisible()), "closed at first");
    const height = (await page.locator("header.site").boundingBox()).height;
    assert.ok(height < 110, `the head takes ${height} pixels`);
    await button.focus();
    await page.keyboard.press("Enter");
    assert.ok(await menu.isVisible(), "opened by the keyboard");
    const boxes = await menu.locator("a").evaluateAll((all) => all.map((one) => one.getBoundingClientRect()).map((box) => [box.right, box.height]));
    assert.equal(boxes.length, 15);
    for (const [right, high] of boxes) assert.ok(right <= 360 && high >= 36, `${right}, ${high}`);
    assert.equal(await menu.locator("a[aria-current]").innerText(), "Data quality");
    await page.keyboard.press("Escape");
    assert.ok(!(await menu.isVisible()), "closed by Escape");
    await page.keyboard.press("Space");
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "Overview");
    for (let i = 0; i < 14; i += 1) await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "Rules");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/rules$/);
    assert.equal((await page.getByRole("button", { name: "Menu" }).innerText()).trim(), "Menu: Rules");
    await context.close();
  });
}

test("on a telephone a long page is folded but for what its address leads to", async () => {
  const { context, page } = await signIn(browser, "committee", { viewport: { width: 360, height: 740 } });
  const open = (id) => page.locator(`#${id} > details`).evaluate((one) => one.open);
  await page.goto(`${base}/report`);
  assert.equal(await page.locator("details.fold[open]").count(), 0);
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  assert.ok(height < 4000, `${height} pixels`);
  await page.getByRole("link", { name: "Definitions" }).click();
  assert.deepEqual([await open("definitions"), await open("quality")], [true, false]);
  await page.goto(`${base}/rules#Q03`);
  assert.deepEqual([await open("Q03"), await open("Q02")], [true, false]);
  const top = await page.locator("#Q03").evaluate((one) => one.getBoundingClientRect().top);
  assert.ok(top > -2 && top < 740, `stands at ${top}`);
  await page.locator("#Q02 summary").focus();
  await page.keyboard.press("Enter");
  assert.equal(await open("Q02"), true);
  await context.close();
});

test("a filter of the adherence page is set by the keyboard", async () => {
  const { context, page } = await signIn(browser, "committee");
  await page.goto(`${base}/adherence`);
  await tabTo(page, (at) => at.tag === "SELECT" && at.text.startsWith("Kind"));
  // Going through the choices loads nothing and loses no focus.
  let loads = 0;
  page.on("framenavigated", () => (loads += 1));
  for (let i = 0; i < 3; i += 1) await page.keyboard.press("ArrowDown");
  await page.keyboard.type("Util");
  const at = await focused(page);
  assert.deepEqual([at.tag, at.text.startsWith("Kind"), loads], ["SELECT", true, 0]);
  await tabTo(page, (at) => at.tag === "BUTTON" && at.text === "Show");
  await page.keyboard.press("Enter");
  await page.waitForURL(/kind=utilisation/);
  // The reader goes on where they were.
  assert.equal((await focused(page)).text, "Show");
  await context.close();
});

test("a refused form has the focus at the field that is wrong, and keeps what was typed", async () => {
  for (const javaScriptEnabled of [true, false]) {
    const { context, page } = await signIn(browser, "coordinator", { javaScriptEnabled });
    await page.goto(`${base}/admin`);
    await page.getByLabel("What it is for").fill("nightly push");
    await page.getByRole("combobox", { name: "Role" }).selectOption({ label: "Data manager" });
    await page.getByLabel("Days until it ends").fill("30");
    await page.getByRole("button", { name: "Make the key" }).click();
    const wrong = page.locator("[aria-invalid=true]");
    assert.equal(await wrong.getAttribute("name"), "centre");
    assert.equal(await page.locator(`#${(await wrong.getAttribute("aria-describedby")).split(" ")[0]}`).innerText(), "This role needs a centre.");
    if (javaScriptEnabled) assert.equal(await page.evaluate(() => document.activeElement.name), "centre");
    assert.equal(await page.getByLabel("What it is for").inputValue(), "nightly push");
    assert.equal(await page.getByLabel("Days until it ends").inputValue(), "30");
    assert.equal(await page.getByRole("combobox", { name: "Role" }).inputValue(), "submitter");
    assert.ok((await page.locator("nav[aria-label=Main] a").count()) > 5, "the menu stays");
    await context.close();
  }
});

test("what takes long says so and is sent once", async () => {
  const { context, page } = await signIn(browser, "coordinator");
  const html = `<!doctype html><html lang="en"><title>x</title><main><form method="post" action="/busy" data-busy="Computing"><button>Compute</button></form></main><script src="/assets/enhance.js" defer></script></html>`;
  await page.route(`${base}/busy`, (route) => route.fulfill({ contentType: "text/html", body: html }));
  await page.goto(`${base}/busy`);
  // Whether each is held back; none leaves the page, which stays as long as the answer takes.
  await page.evaluate(() => {
    window.held = [];
    document.querySelector("form").addEventListener("submit", (event) => {
      window.held.push(event.defaultPrevented);
      event.preventDefault();
    });
  });
  const form = page.locator("form[data-busy]");
  await form.getByRole("button").press("Enter");
  assert.match(await form.getByRole("status").innerText(), /Computing/);
  assert.equal(await form.getAttribute("aria-busy"), "true");
  await form.getByRole("button").press("Enter");
  assert.equal(await form.getByRole("status").count(), 1);
  assert.deepEqual(await page.evaluate(() => window.held), [false, true]);
  await context.close();
});

test("the verification of the trail says that it is under way, and then what it found", async () => {
  const { context, page } = await signIn(browser, "coordinator");
  await page.goto(`${base}/audit`);
  await page.getByText("Verify the chain").first().click();
  const form = page.locator("form[action='/audit/verify']");
  // What the page says while it waits is kept from it as it goes.
  await form.evaluate((one) => one.addEventListener("submit", () => sessionStorage.setItem("said", `${one.getAttribute("aria-busy")}: ${one.querySelector("[role=status]").innerText}`)));
  await form.getByRole("button").click();
  await page.waitForURL(`${base}/audit/verify`);
  assert.match(await page.evaluate(() => sessionStorage.getItem("said")), /^true: Verifying the chain/);
  assert.match(await page.getByRole("status").innerText(), /the chain is whole/);
  await context.close();
});

/** What else takes long: page, role, and the form that says so. */
const LONG = [
  ["submitter", "/imports", "/imports"],
  ["coordinator", "/verification", "/verification"],
  ["coordinator", "/runs", "/runs"],
];

test("every form that takes long has words for it", async () => {
  for (const [role, path, action] of LONG) {
    const { context, page } = await signIn(browser, role);
    await page.goto(base + path);
    const said = await page.locator(`form[method=post][action='${action}']`).getAttribute("data-busy");
    assert.ok(said?.length > 5, `${role} ${path}: ${said}`);
    await context.close();
  }
});

test("a table is sorted and details are opened by the keyboard", async () => {
  const { context, page } = await signIn(browser, "committee");
  await page.goto(base);
  await tabTo(page, (at) => at.tag === "SUMMARY");
  const open = () => page.evaluate(() => document.activeElement.closest("details").open);
  assert.equal(await open(), false);
  await page.keyboard.press("Enter");
  assert.equal(await open(), true);
  const at = await tabTo(page, (at) => at.tag === "BUTTON" && at.text === "Cases");
  assert.equal(at.text, "Cases");
  await page.keyboard.press("Enter");
  const cells = () => page.evaluate(() => {
    const cell = document.activeElement.closest("th");
    return [cell.getAttribute("aria-sort"), [...cell.closest("table").tBodies[0].rows].map((row) => parseInt(row.cells[cell.cellIndex].textContent, 10)).filter((n) => !Number.isNaN(n))];
  });
  const [way, up] = await cells();
  assert.equal(way, "ascending");
  assert.deepEqual(up, [...up].sort((a, b) => a - b));
  await page.keyboard.press("Space");
  const [back, down] = await cells();
  assert.equal(back, "descending");
  assert.deepEqual(down, [...down].sort((a, b) => b - a));
  await context.close();
});

for (const [role, path] of [["committee", "/adherence"], ["coordinator", "/queries"], ["submitter", "/cases/new"]]) {
  test(`Tab goes once around ${path} and is never caught`, { timeout: 120_000 }, async () => {
    const { context, page } = await signIn(browser, role);
    await page.goto(base + path);
    if (path === "/cases/new") await page.waitForSelector("#entry[data-ready]");
    const stops = new Set();
    let last = -1;
    for (let i = 0; i < 600; i += 1) {
      await page.keyboard.press("Tab");
      const [at, end] = await page.evaluate(() => {
        window.stops ??= new Map();
        const { activeElement } = document;
        if (activeElement === document.body) return [-1, true];
        if (!window.stops.has(activeElement)) window.stops.set(activeElement, window.stops.size);
        return [window.stops.get(activeElement), document.querySelector("footer").contains(activeElement)];
      });
      assert.notEqual(at, last, "Tab leaves where it is");
      last = at;
      if (at >= 0) assert.ok((await focused(page)).seen, `stop ${at} is not seen`);
      stops.add(at);
      if (end) break;
      assert.ok(i < 599, "Tab comes to the end of the page");
    }
    assert.ok(stops.size > 10, `${stops.size} stops`);
    await context.close();
  });
}
