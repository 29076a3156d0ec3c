// Every page for every role in headless Chromium: DEMO_ACCESS=demo-data/access.json npm test
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { base, entry, launch, pagesOf, roles, signIn } from "./demo.js";

let browser;
before(async () => {
  browser = await launch();
});
after(async () => {
  await browser.close();
});

/** Console errors, page errors and policy reports of a page, as they come. */
function complaints(page) {
  const heard = [];
  page.on("console", (message) => {
    if (message.type() === "error") heard.push(message.text());
  });
  page.on("pageerror", (error) => heard.push(String(error)));
  page.on("requestfailed", (request) => heard.push(`${request.url()} failed`));
  return heard;
}

/** Pages of a role, those of one case among them. */
async function everyPageOf(page, role) {
  const paths = pagesOf(role);
  if (paths.includes("/cases")) {
    await page.goto(`${base}/cases`);
    const href = await page.locator("tbody a").first().getAttribute("href");
    paths.push(href);
    if (paths.includes("/cases/new")) paths.push(`${href}/edit`);
  }
  return paths;
}

/** How far the page is wider than the window, its details open; 0 when it fits. */
async function sideways(page) {
  if (await page.locator("#entry").count()) await page.waitForSelector("#entry[data-ready]");
  return page.evaluate(() => {
    for (const details of document.querySelectorAll("main details:not(.row)")) details.open = true;
    return Math.max(0, document.scrollingElement.scrollWidth - innerWidth);
  });
}

for (const role of roles) {
  test(`${role}: every page renders without a complaint, and does not scroll sideways on a desk, a tablet or a telephone`, async () => {
    const { context, page } = await signIn(browser, role);
    const paths = await everyPageOf(page, role);
    const heard = complaints(page);
    const wrong = [];
    const measure = async (path, width) => {
      const by = await sideways(page);
      if (by > 0) wrong.push(`${path} at ${width}: ${by}`);
    };
    for (const path of paths) {
      await page.setViewportSize({ width: 1440, height: 900 });
      const response = await page.goto(base + path);
      assert.equal(response.status(), 200, path);
      assert.ok((await page.locator("h1").innerText()).length > 3, path);
      await measure(path, 1440);
      await page.setViewportSize({ width: 820, height: 900 });
      await measure(path, 820);
      // Read anew: scripts fold long pages for telephones.
      await page.setViewportSize({ width: 360, height: 900 });
      await page.reload();
      await measure(path, 360);
    }
    assert.deepEqual(wrong, []);
    assert.deepEqual(heard, []);
    await context.close();
  });
}

test("the survival page fits a telephone, and no label of a chart covers another", async () => {
  const { context, page } = await signIn(browser, "committee", { viewport: { width: 360, height: 800 } });
  for (const path of ["/survival", "/survival?endpoint=S1b", "/survival?endpoint=S1&stratum=metastasectomy&landmark=6"]) {
    await page.goto(base + path);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wide <= 1, `${path} scrolls sideways`);
    const covered = await page.evaluate(() =>
      [...document.querySelectorAll("svg.chart")].flatMap((chart) => {
        const texts = [...chart.querySelectorAll("text")].map((text) => [text.textContent, text.getBoundingClientRect()]);
        const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 2 && b.top < a.bottom - 2;
        return texts.flatMap(([one, a], at) => texts.slice(at + 1).filter(([, b]) => meet(a, b)).map(([other]) => `${one} / ${other}`));
      }));
    assert.deepEqual(covered, [], path);
  }
  await context.close();
});

test("tables beside each other on a measure page do not cover one another", async () => {
  const { context, page } = await signIn(browser, "committee", { viewport: { width: 1440, height: 900 } });
  for (const id of ["1a", "10c2", "20a", "24c", "43x"]) {
    await page.goto(`${base}/measures/${id}`);
    const covered = await page.evaluate(() => {
      const boxes = [...document.querySelectorAll(".columns > section")].map((section) => {
        const cells = [...section.querySelectorAll("h2, .scroll")].map((one) => one.getBoundingClientRect());
        const edge = (of, by) => Math[of](...cells.map((cell) => cell[by]));
        return { left: edge("min", "left"), right: edge("max", "right"), top: edge("min", "top"), bottom: edge("max", "bottom"), inner: section.querySelector(".scroll").scrollWidth };
      });
      const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
      return boxes.flatMap((a, n) => boxes.slice(n + 1).filter((b) => meet(a, b))).length;
    });
    assert.equal(covered, 0, id);
  }
  await context.close();
});

/** What the API says of a measure, to be found on its page. */
async function saidOf(id) {
  const headers = { authorization: `Bearer ${entry("committee").key}` };
  const get = async (path) => (await fetch(base + path, { headers })).json();
  const table = await get(`/api/v1/adherence?measure=${id}&by=network&period=last24_months`);
  return { row: table.rows[0], ...(await get(`/api/v1/adherence/${id}/funnel`)) };
}

test("a measure page shows what the run says: rate, funnel, observed over expected, trend, reasons", async () => {
  const { context, page } = await signIn(browser, "committee");
  const said = await saidOf("1a");
  await page.goto(`${base}/measures/1a`);
  const figures = await page.locator("dl.figures").innerText();
  assert.ok(figures.includes(`${said.row.numerator} of ${said.row.denominator}`), figures);
  assert.match(figures, /95 % interval \d+ to \d+ %/);
  const funnel = page.locator("section", { has: page.getByRole("heading", { name: "Centres around the network" }) });
  const points = await funnel.locator("svg.chart circle").count();
  assert.equal(points, said.funnel.points.filter((point) => point.rate !== null).length + said.funnel.not_assessable_funnel.points.filter((point) => point.share !== null).length);
  const names = await funnel.locator("tbody tr th").allTextContents();
  assert.equal(names.length, said.funnel.points.length);
  const inOrder = [...names].sort((a, b) => a.length - b.length || a.localeCompare(b));
  assert.deepEqual(names, inOrder, "A, B, .. Z, AA");
  assert.ok(!(await page.locator("main").innerText()).includes("0.000"), "a small p is said to be small");
  const expected = page.locator("section", { has: page.getByRole("heading", { name: "Centres given their case mix" }) });
  assert.match(await expected.innerText(), /Area under the curve 0\.\d\d/);
  await expected.locator("summary").click();
  assert.equal(await expected.locator("tbody tr").count(), said.case_mix.centres.length);
  const trend = page.locator("section", { has: page.getByRole("heading", { name: "Over time" }) });
  await trend.locator("summary").click();
  assert.deepEqual(await trend.locator("tbody th").allTextContents(), said.trend.points.map((point) => point.level));
  await context.close();
});

test("a measure without a rate says why, and no interval", async () => {
  const headers = { authorization: `Bearer ${entry("committee").key}` };
  const all = await (await fetch(`${base}/api/v1/adherence?by=network&period=all`, { headers })).json();
  const kinds = new Map(all.measures.map((measure) => [measure.id, measure.kind]));
  const row = all.rows.find((one) => one.state === "insufficient" && kinds.get(one.measure) !== "composite");
  assert.ok(row, "the demo has a measure with too little to tell");
  const { context, page } = await signIn(browser, "committee");
  await page.goto(`${base}/measures/${row.measure}?period=all`);
  const figures = await page.locator("dl.figures").innerText();
  assert.match(figures, /insufficient data/);
  assert.match(figures, /more than 30 % cannot be assessed/);
  assert.ok(!figures.includes("95 % interval"), figures);
  await context.close();
});

test("reasons that are not shown are said to be missing", async () => {
  const headers = { authorization: `Bearer ${entry("committee").key}` };
  const all = await (await fetch(`${base}/api/v1/adherence?by=network&period=all`, { headers })).json();
  const kinds = new Map(all.measures.map((measure) => [measure.id, measure.kind]));
  const listed = (one) => one.not_assessable_by.reduce((sum, lacking) => sum + lacking.n, 0);
  const row = all.rows.find((one) => listed(one) > 0 && one.not_assessable > listed(one) && kinds.get(one.measure) !== "composite");
  assert.ok(row, "the demo has a rare reason");
  const { context, page } = await signIn(browser, "committee");
  await page.goto(`${base}/measures/${row.measure}?period=all`);
  const reasons = page.locator("section", { has: page.getByRole("heading", { name: "Why units cannot be assessed" }) });
  assert.ok((await reasons.innerText()).includes(`${row.not_assessable - listed(row)} of the ${row.not_assessable} units`), await reasons.innerText());
  await context.close();
});

test("an administrator starts somewhere and gets back there", async () => {
  const { context, page } = await signIn(browser, "admin");
  assert.equal(page.url(), `${base}/admin`);
  await page.click("a.brand");
  assert.equal(page.url(), `${base}/admin`);
  await page.click("nav a[href='/rules']");
  assert.ok(await page.locator("form.who button").isVisible());
  await context.close();
});

test("a page without a session invites to sign in", async () => {
  const page = await (await browser.newContext()).newPage();
  const response = await page.goto(`${base}/adherence`);
  assert.equal(response.status(), 401);
  assert.match(await page.locator("h1").innerText(), /Sign in/);
});

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? "with" : "without";

  test(`filters of adherence work ${how} JavaScript, and keep each other`, async () => {
    const { context, page } = await signIn(browser, "committee", { javaScriptEnabled });
    const rows = () => page.locator("tbody tr:not(.group):not(.registered)").count();
    /** Chooses a value, and answers how many measures there are then. */
    const choose = async (name, value) => {
      // With a pointer the choice is shown at once; by keyboard, and without scripts, by the button.
      if (javaScriptEnabled) await page.dispatchEvent(`select[name=${name}]`, "pointerdown");
      await page.selectOption(`select[name=${name}]`, value);
      if (!javaScriptEnabled) await page.click("form.filters button");
      await page.waitForURL(new RegExp(`[?&]${name}=${value}(&|$)`));
      return rows();
    };
    await page.goto(`${base}/adherence`);
    const all = await rows();
    const judged = await choose("kind", "adherence");
    assert.ok(judged > 0 && judged < all, `${judged} of ${all}`);
    const imaging = await choose("domain", "imaging");
    assert.ok(imaging > 0 && imaging < judged, `${imaging} of ${judged}`);
    assert.match(page.url(), /kind=adherence/);
    assert.equal(await choose("period", "all"), imaging, "the same measures of all diagnoses");
    assert.match(await page.locator("main").innerText(), /All diagnoses\./);
    assert.match(await page.locator("tbody tr:not(.group) th a").first().getAttribute("href"), /^\/measures\/[^?]+\?period=all$/);
    assert.equal(await choose("detail", "full"), imaging);
    assert.match(await page.locator("td.cell").filter({ hasText: " to " }).first().innerText(), /\d+ to \d+ %/);
    await choose("by", "histology");
    assert.ok((await page.locator("thead th").allTextContents()).includes("Dedifferentiated liposarcoma"));
    await choose("period", "last24_months");
    assert.match(await page.locator("main").innerText(), /does not hold these columns for the last 24 months/);
    await choose("sort", "rate");
    assert.match(page.url(), /kind=adherence.*domain=imaging|domain=imaging.*kind=adherence/);
    await context.close();
  });

  test(`filters of data quality work ${how} JavaScript, and keep each other`, async () => {
    const { context, page } = await signIn(browser, "committee", { javaScriptEnabled });
    await page.goto(`${base}/quality`);
    const form = (name) => page.locator("form.filters", { has: page.locator(`select[name=${name}]`) });
    const choose = async (name, value) => {
      // With a pointer the choice is shown at once; by keyboard, and without scripts, by the button.
      if (javaScriptEnabled) await page.dispatchEvent(`select[name=${name}]`, "pointerdown");
      await page.selectOption(`select[name=${name}]`, value);
      if (!javaScriptEnabled) await form(name).locator("button").click();
      await page.waitForURL((url) => url.searchParams.get(name) === value);
    };
    const centre = await page.locator("select[name=centre] option").nth(2).getAttribute("value");
    await choose("centre", centre);
    assert.deepEqual((await page.locator(".matrix thead th").allTextContents()).slice(1), ["Network", centre]);
    const measure = await page.locator("select[name=measure] option").nth(3).getAttribute("value");
    await choose("measure", measure);
    assert.equal(await page.locator("select[name=measure]").inputValue(), measure);
    assert.equal(await page.locator("select[name=centre]").inputValue(), centre, "the centre stays");
    await page.locator(".matrix tbody th a", { hasText: "Imaging" }).first().click();
    assert.deepEqual(Object.fromEntries(new URL(page.url()).searchParams), { centre, section: "imaging", measure });
    await choose("section", "");
    assert.equal(await page.locator("select[name=measure]").inputValue(), measure, "and so does the measure");
    await context.close();
  });

  test(`filters of cases, queries and code lists work ${how} JavaScript`, async () => {
    const { context, page } = await signIn(browser, "coordinator", { javaScriptEnabled });
    for (const path of ["/cases", "/queries"]) {
      await page.goto(base + path);
      const choice = page.locator("form.filters select").first();
      const name = await choice.getAttribute("name");
      const value = await choice.locator("option").nth(1).getAttribute("value");
      if (javaScriptEnabled) await choice.dispatchEvent("pointerdown");
      await choice.selectOption(value);
      if (!javaScriptEnabled) await page.locator("form.filters button").first().click();
      await page.waitForURL((url) => url.pathname === path && url.searchParams.get(name) === value);
      assert.equal(await page.locator(`select[name=${name}]`).inputValue(), value, path);
    }
    await page.goto(`${base}/codelists`);
    await page.locator("form.filters input[type=search]").fill("liposarcoma");
    await page.locator("form.filters button").first().click();
    await page.waitForURL(/q=liposarcoma/);
    assert.match(await page.locator("main").innerText(), /liposarcoma/i);
    await context.close();
  });
}

test("hostile text stays text", async () => {
  const pseudonym = "HOSTILE-1";
  const hostile = "<script>alert(1)</script>'\"><img src=x onerror=alert(2)>";
  const body = {
    schema_version: "1.0.0",
    patient: { pseudonym_id: pseudonym, registration_date: "2026-01-10", ascertainment: "prospective" },
    consent: { status: "consented", date: "2026-01-10" },
    hereditary: {},
    primary: { icdo_morphology: "8890/3", icdo_topography: "C48.0", diagnosis_date: "2024-05-02" },
    presentation: [{ seq: 1, date_detected: "2026-01-03" }],
    systemic: [{ line_id: "S1", setting: "metastatic", line_number: 1, start_date: "2026-02-01", regimen: hostile }],
    followup: [{ date: "2026-09-01", vital_status: "alive" }],
  };
  const answer = await fetch(`${base}/api/v1/cases/${pseudonym}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${entry("submitter").key}`, "content-type": "application/json", "change-reason": hostile },
    body: JSON.stringify(body),
  });
  assert.ok(answer.status === 201 || answer.status === 428, await answer.text());
  const { context, page } = await signIn(browser, "submitter");
  let dialogs = 0;
  page.on("dialog", (dialog) => {
    dialogs += 1;
    dialog.dismiss();
  });
  const heard = complaints(page);
  await page.goto(`${base}/cases/${pseudonym}`);
  assert.equal(await page.locator("main img").count(), 0);
  assert.equal(dialogs, 0);
  assert.deepEqual(heard, []);
  await context.close();
});

/** Pages of a PDF, and the text it was made with. */
const sheets = (pdf) => pdf.toString("latin1").match(/\/Type\s*\/Page\b/g).length;

/** Width and height of the sheets of a PDF in whole points, each kind once. */
const sizes = (pdf) => [...new Set([...pdf.toString("latin1").matchAll(/\/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)/g)].map(([, w, h]) => `${Math.round(w)} x ${Math.round(h)}`))];

for (const javaScriptEnabled of [true, false]) {
  test(`the tables by centre print on A4 and nothing of them is cut, ${javaScriptEnabled ? "in parts by the script" : "closed up without it"}`, async () => {
    // A4 on its side less 10 mm on both sides, in pixels of the screen.
    const { context, page } = await signIn(browser, "committee", { viewport: { width: 1047, height: 700 }, javaScriptEnabled });
    for (const path of ["/adherence", "/adherence?detail=full", "/adherence?by=half_year", "/quality"]) {
      await page.goto(base + path);
      const columns = await page.locator(".matrix thead tr").first().locator("th").allTextContents();
      await page.emulateMedia({ media: "print" });
      // Scripts of the page do not run without JavaScript, those of the test do.
      await page.evaluate(() => window.dispatchEvent(new Event("beforeprint")));
      const seen = await page.evaluate(() => {
        const edge = document.querySelector("main").getBoundingClientRect().right;
        const shown = [...document.querySelectorAll(".matrix table")].filter((one) => one.getBoundingClientRect().width > 0);
        const cells = shown.flatMap((table) => [...table.querySelectorAll("td, th")]);
        const named = (one) => `${one.tagName} ${one.textContent.trim().slice(0, 30)}`;
        return {
          wide: shown.filter((one) => one.getBoundingClientRect().right > edge + 1).length,
          cut: cells.filter((one) => one.scrollWidth > one.clientWidth + 1 || one.getBoundingClientRect().right > edge + 1).map(named),
          columns: shown.flatMap((table) => [...table.tHead.rows[0].cells].map((one) => one.textContent)),
          most: Math.max(...shown.map((table) => table.tHead.rows[0].cells.length)),
        };
      });
      assert.deepEqual([seen.wide, seen.cut.slice(0, 5)], [0, []], path);
      assert.deepEqual(new Set(seen.columns), new Set(columns), `${path}: every column is printed`);
      if (javaScriptEnabled) assert.ok(seen.most <= 15, `${path}: ${seen.most} columns on a sheet`);
      await page.evaluate(() => window.dispatchEvent(new Event("afterprint")));
      await page.emulateMedia({ media: null });
      const pdf = await page.pdf({ format: "A4", preferCSSPageSize: true });
      assert.deepEqual(sizes(pdf), ["842 x 595"], path);
      assert.ok(sheets(pdf) >= 1, path);
      if (path === "/adherence") assert.ok(sheets(pdf) > 3, `${sheets(pdf)} sheets for all measures`);
    }
    await context.close();
  });
}

test("the quarterly brief is two sheets of A4, for the office as for the committee", async () => {
  for (const role of ["committee", "coordinator"]) {
    const { context, page } = await signIn(browser, role);
    await page.goto(`${base}/brief`);
    assert.equal(await page.locator(".sheet").count(), 2);
    assert.doesNotMatch(await page.locator("main").innerText(), /\bC\d\d\b/);
    await page.emulateMedia({ media: "print" });
    assert.ok(await page.locator("svg.chart .bar").first().isVisible(), "bars are printed");
    const pdf = (await page.pdf({ format: "A4" })).toString("latin1");
    assert.equal(pdf.match(/\/Type\s*\/Page\b/g).length, 2, role);
    await context.close();
  }
});

test("the annual report prints whole: no table or chart is cut, every chapter begins a page", async () => {
  // A4 less 14 mm on both sides, in pixels of the screen.
  const { context, page } = await signIn(browser, "committee", { viewport: { width: 688, height: 1000 } });
  await page.goto(`${base}/report`);
  assert.doesNotMatch(await page.locator("main").innerText(), /\bC\d\d\b/);
  await page.emulateMedia({ media: "print" });
  const cut = await page.evaluate(() => {
    const edge = document.querySelector(".report").getBoundingClientRect().right;
    const wide = [...document.querySelectorAll(".report table, .report svg, .report figure, .report dl")];
    const named = (one) => `${one.tagName} in ${one.closest("section")?.id}: ${Math.round(one.getBoundingClientRect().right - edge)}`;
    return wide.filter((one) => one.getBoundingClientRect().right > edge + 1).map(named);
  });
  assert.deepEqual(cut, []);
  assert.ok(await page.locator("svg.chart .curve").first().isVisible(), "curves are printed");
  const chapters = await page.locator(".report .chapter").count();
  const pdf = await page.pdf({ format: "A4", preferCSSPageSize: true });
  assert.ok(sheets(pdf) > chapters, `${sheets(pdf)} sheets, ${chapters} chapters`);
  await context.close();
});

test("what is folded on the screen is printed whole, with and without scripts", async () => {
  for (const javaScriptEnabled of [true, false]) {
    const { context, page } = await signIn(browser, "committee", { viewport: { width: 360, height: 740 }, javaScriptEnabled });
    const printed = async (path) => {
      await page.goto(base + path);
      const folded = await page.locator("details.fold:not([open])").count();
      const pdf = await page.pdf({ format: "A4", preferCSSPageSize: true });
      assert.equal(await page.locator("details.fold:not([open])").count(), folded, "folded again afterwards");
      await page.evaluate(() => document.querySelectorAll("details.fold").forEach((one) => (one.open = true)));
      const whole = await page.pdf({ format: "A4", preferCSSPageSize: true });
      assert.equal(sheets(pdf), sheets(whole), `${path}, ${folded} folded`);
      return folded;
    };
    assert.ok((await printed("/rules")) > 20);
    assert.equal(await printed("/report"), javaScriptEnabled ? 9 : 0);
    await context.close();
  }
});

test("charts are downloaded as SVG and PNG, named after what they show", async () => {
  const { context, page } = await signIn(browser, "committee", { acceptDownloads: true });
  const heard = complaints(page);
  await page.goto(`${base}/measures/1a`);
  const file = async (locator) => {
    const [download] = await Promise.all([page.waitForEvent("download"), locator.click()]);
    const chunks = [];
    for await (const chunk of await download.createReadStream()) chunks.push(chunk);
    return [download.suggestedFilename(), Buffer.concat(chunks)];
  };
  const [svgName, svg] = await file(page.locator("a.picture").first());
  assert.match(svgName, /^funnel-1a-run-\d+\.svg$/);
  assert.ok(svg.toString().startsWith("<svg") && !svg.toString().includes("class="));
  const [pngName, png] = await file(page.locator("button.png").first());
  assert.equal(pngName, "funnel-1a.png");
  assert.deepEqual([...png.subarray(1, 4)], [...Buffer.from("PNG")]);
  assert.equal(png.readUInt32BE(16), 1520, "twice as fine as on the page");
  assert.deepEqual(heard, []);
  await context.close();
});

test("the committee follows up a signal and the office looks its letter up, without JavaScript", async () => {
  const office = await signIn(browser, "coordinator", { javaScriptEnabled: false });
  await office.page.goto(`${base}/signals`);
  const rows = office.page.locator("table.signals tbody tr");
  assert.ok((await rows.count()) > 0, "the demo has a signal to follow up");
  const first = rows.first();
  const letter = (await first.locator("th").innerText()).replace("Centre ", "");
  await first.locator("summary").click();
  await first.getByLabel("Look up the letter").selectOption("data_check");
  await first.getByRole("button", { name: "Look up" }).click();
  assert.match(await office.page.getByRole("status").innerText(), new RegExp(`^Centre ${letter}, measure .*: C\\d\\d, `));
  await office.context.close();
  const committee = await signIn(browser, "committee", { javaScriptEnabled: false });
  await committee.page.goto(`${base}/signals`);
  const row = committee.page.locator("table.signals tbody tr").first();
  await row.locator("summary").click();
  assert.match(await row.innerText(), /letter looked up, to look at the centre's records/);
  assert.equal(await row.getByLabel("Look up the letter").count(), 0);
  assert.doesNotMatch(await committee.page.locator("main").innerText(), /\bC\d\d\b/);
  await committee.context.close();
});

test("the overview, the signals and the brief fit a telephone", async () => {
  const { context, page } = await signIn(browser, "committee", { viewport: { width: 360, height: 800 } });
  for (const path of ["/", "/signals", "/brief"]) {
    await page.goto(base + path);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wide <= 1, `${path} scrolls sideways`);
  }
  await context.close();
});

test("signing out ends the session", async () => {
  const { context, page } = await signIn(browser, "coordinator");
  const cookies = await context.cookies();
  await page.click("form.who button");
  await page.waitForURL(/sign-in/);
  await context.addCookies(cookies);
  const response = await page.goto(`${base}/runs`);
  assert.equal(response.status(), 401);
  await context.close();
});

test("a lead locks a case on its page, sees what that means, and unlocks it with a reason", async () => {
  const { context, page } = await signIn(browser, "centre_lead", { javaScriptEnabled: false });
  await page.goto(`${base}/cases`);
  await page.locator("tbody tr", { hasText: "Submitted" }).first().locator("a").click();
  const stage = page.getByRole("region", { name: "Life cycle" });
  await stage.getByLabel("Lock through").fill("2024-12-31");
  await stage.getByLabel("Reason").first().fill("closing the year");
  await stage.getByRole("button", { name: "Lock" }).click();
  assert.match(await stage.innerText(), /Locked through 2024-12-31/);
  await stage.getByLabel("Reason").last().fill("the lock was a trial");
  await stage.getByRole("button", { name: "Unlock" }).click();
  assert.match(await stage.innerText(), /Submitted, and not yet checked against its source/);
  await context.close();
});

test("a centre says why a warning stands, and the finding says so", async () => {
  const { context, page } = await signIn(browser, "submitter", { javaScriptEnabled: false });
  await page.goto(`${base}/cases`);
  const warned = page.locator("tbody tr").filter({ has: page.locator("td:nth-child(8)", { hasText: /[1-9]/ }) });
  await warned.first().locator("a").click();
  const findings = page.getByRole("region", { name: "Findings" });
  await findings.getByText("It stands").first().click();
  await findings.getByLabel("Why").first().fill("<b>checked</b> on paper");
  await findings.getByRole("button", { name: "Answer" }).first().click();
  assert.match(await findings.innerText(), /<b>checked<\/b> on paper/);
  await context.close();
});

test("the office asks, the centre answers, the office closes, and hostile words stay words", async () => {
  const office = await signIn(browser, "coordinator", { javaScriptEnabled: false });
  const centre = await signIn(browser, "submitter", { javaScriptEnabled: false });
  const heard = complaints(centre.page);
  await centre.page.goto(`${base}/cases`);
  const path = await centre.page.locator("tbody tr", { hasNotText: "Draft" }).first().locator("a").getAttribute("href");
  const question = "<script>alert(1)</script>Which scanner'\"><img src=x onerror=alert(2)>?";

  await office.page.goto(base + path);
  const raised = office.page.getByRole("region", { name: "Queries" });
  await raised.getByText("Raise a query").click();
  await raised.getByLabel("Question to the centre").fill(question);
  await raised.getByLabel("About").selectOption("imaging.date");
  await raised.getByRole("button", { name: "Raise" }).click();
  assert.equal(await office.page.locator("h1").innerText(), question);
  assert.match(await office.page.locator("main").innerText(), /Imaging: date/);
  const address = office.page.url();

  await centre.page.goto(`${base}/queries?raised_by=office`);
  await centre.page.getByRole("link", { name: question }).last().click();
  assert.equal(centre.page.url(), address);
  assert.equal(await centre.page.locator("main img").count(), 0);
  assert.equal(await centre.page.getByRole("button", { name: /close/ }).count(), 0);
  await centre.page.getByLabel("Message").fill("<b>The old one</b>\nsince 2019");
  await centre.page.getByRole("button", { name: "Send" }).click();
  const history = (page) => page.getByRole("region", { name: "What was said and done" }).innerText();
  assert.match(await history(centre.page), /Data manager[^]*<b>The old one<\/b> since 2019/);

  await office.page.goto(`${base}/queries?waits_for=office&raised_by=office`);
  await office.page.getByRole("link", { name: question }).last().click();
  await office.page.getByRole("button", { name: "Accept and close" }).click();
  assert.match(await office.page.locator("main").innerText(), /Settled: the answer was accepted/);
  assert.match(await history(office.page), /Accepted and closed · Coordinating office/);
  await centre.page.goto(base + path);
  assert.match(await centre.page.getByRole("region", { name: "Queries" }).innerText(), /Settled: \d+/);
  assert.deepEqual(heard, []);
  await office.context.close();
  await centre.context.close();
});
