// What a person keeps of a page is what the API answers: every table is downloaded by its link and read beside the JSON.
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

/** Rows of a CSV file (RFC 4180) as objects by its header. */
function table(text) {
  const rows = [[""]];
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at];
    const row = rows.at(-1);
    if (quoted && letter === '"' && text[at + 1] === '"') row[row.length - 1] += text[(at += 1)];
    else if (letter === '"') quoted = !quoted;
    else if (!quoted && letter === ",") row.push("");
    else if (!quoted && letter === "\n") rows.push([""]);
    else if (quoted || letter !== "\r") row[row.length - 1] += letter;
  }
  const [header, ...lines] = rows.filter((row) => row.length > 1 || row[0] !== "");
  return lines.map((line) => Object.fromEntries(header.map((name, at) => [name, line[at]])));
}

/** Clicks a link and reads the file it gives. */
async function kept(page, link) {
  const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
  const chunks = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk);
  return table(Buffer.concat(chunks).toString());
}

/** A table writes 1 where JSON writes 1.0, and nothing for null. */
function same(row, value, names, what) {
  for (const name of names) {
    const wanted = value[name] ?? null;
    if (typeof wanted === "number") assert.equal(Number(row[name]), wanted, `${what}: ${name}`);
    else assert.equal(row[name], wanted === null ? "" : String(wanted), `${what}: ${name}`);
  }
}

test("a centre keeps its score card: the chart as a picture, every point of it in the table", async () => {
  const { context, page } = await signIn(browser, "centre_lead", { acceptDownloads: true });
  await page.goto(`${base}/centre`);
  const section = page.locator("section", { has: page.getByRole("heading", { name: "By half-year" }) });
  const answer = await page.request.get(base + (await section.locator("a.picture").getAttribute("href")));
  assert.equal(answer.status(), 200);
  assert.match(answer.headers()["content-type"], /^image\/svg\+xml/);
  const rows = (await kept(page, section.locator("a.download:not(.picture)"))).filter((row) => row.of === "together");
  assert.ok(rows.filter((row) => row.rate !== "").length > 1, "a chart has at least two points");
  const halves = (await section.locator("thead th").allTextContents()).slice(1);
  const cells = await section.locator("tr.total td").allTextContents();
  halves.forEach((half, at) => {
    const row = rows.find((one) => one.period === half);
    if (row && Number(row.denominator) > 0) assert.ok(cells[at].startsWith(`${row.numerator} of ${row.denominator}`), `${half}: ${cells[at]}`);
  });
  await context.close();
});

for (const role of ["committee", "coordinator", "centre_lead"]) {
  const api = async (path) => {
    const answer = await fetch(base + path, { headers: { authorization: `Bearer ${entry(role).key}` } });
    assert.equal(answer.status, 200, path);
    return answer.json();
  };

  test(`${role}: adherence as kept is adherence by the API`, async () => {
    const { context, page } = await signIn(browser, role, { acceptDownloads: true });
    const names = ["state", "numerator", "denominator", "not_assessable", "rate", "lower", "upper", "bound_low", "bound_high", "patients"];
    for (const [query, by, period] of [["", "centre", "last24_months"], ["?period=all", "centre", "all"], ["?by=histology", "histology", "all"]]) {
      await page.goto(`${base}/adherence${query}`);
      const rows = (await kept(page, page.locator("form.filters a.download"))).filter((row) => row.measure !== "registration");
      const said = [...(await api(`/api/v1/adherence?by=network&period=${period}`)).rows, ...(await api(`/api/v1/adherence?by=${by}&period=${period}`)).rows];
      assert.equal(rows.length, said.length, query);
      const found = new Map(said.map((row) => [[row.measure, row.by, row.level].join(), row]));
      for (const row of rows) same(row, found.get([row.measure, row.by, row.level].join()), names, `${query} ${row.measure} ${row.level}`);
    }
    await context.close();
  });

  test(`${role}: a funnel as kept is the funnel by the API, with positions, limits and q`, async () => {
    const { context, page } = await signIn(browser, role, { acceptDownloads: true });
    await page.goto(`${base}/measures/1a`);
    const rows = await kept(page, page.getByRole("link", { name: "Centres as CSV" }));
    const { points } = (await api("/api/v1/adherence/1a/funnel")).funnel;
    assert.equal(rows.length, points.length);
    rows.forEach((row, at) => {
      same(row, points[at], ["centre", "state", "numerator", "denominator", "not_assessable", "rate", "position", "p", "q"], row.centre);
      same(row, points[at].limits ?? {}, ["lower95", "upper95", "lower998", "upper998"], row.centre);
    });
    const reasons = await kept(page, page.locator("section", { has: page.getByRole("heading", { name: "Why units cannot be assessed" }) }).locator("a.download"));
    const [network] = (await api("/api/v1/adherence?measure=1a&by=network&period=last24_months")).rows;
    assert.equal(reasons.length, network.not_assessable_by.length);
    reasons.forEach((row, at) => same(row, network.not_assessable_by[at], ["reason", "element", "n"], row.reason));
    await context.close();
  });

  test(`${role}: survival as kept is survival by the API`, async () => {
    const { context, page } = await signIn(browser, role, { acceptDownloads: true });
    const said = await api("/api/v1/survival/S1");
    await page.goto(`${base}/survival`);
    const steps = await kept(page, page.getByRole("link", { name: "Estimates as CSV" }));
    const wanted = said.curves.flatMap((curve) => curve.steps.map((step) => ({ analysis: curve.analysis, by: curve.by, level: curve.level, ...step })));
    assert.equal(steps.length, wanted.length);
    steps.forEach((row, at) => same(row, wanted[at], ["analysis", "by", "level", "at_risk", "events", "censored", "survival", "lower", "upper"], `step ${at}`));
    const medians = await kept(page, page.getByRole("link", { name: "Medians and follow-up as CSV" }));
    assert.equal(medians.length, said.curves.length);
    medians.forEach((row, at) => {
      const { median } = said.curves[at];
      same(row, said.curves[at], ["analysis", "by", "level", "state", "patients", "events"], `curve ${at}`);
      same({ months: row.median_months }, median ?? {}, ["months"], `curve ${at}`);
    });
    const tests = await kept(page, page.getByRole("link", { name: "Tests as CSV" }));
    assert.ok(said.tests.length > 5, "a test for each breakdown");
    assert.equal(tests.length, said.tests.length);
    tests.forEach((row, at) => same(row, said.tests[at], ["by", "kind", "chi_square", "df", "p", "refused"], row.by));
    await context.close();
  });

  test(`${role}: data quality as kept is data quality by the API`, async () => {
    const { context, page } = await signIn(browser, role, { acceptDownloads: true });
    const { levels } = await api("/api/v1/quality/completeness");
    await page.goto(`${base}/quality`);
    const rows = await kept(page, page.locator("form.filters a.download").first());
    for (const level of levels) {
      const of = (kind) => rows.filter((row) => row.level === level.level && row.of === kind);
      const sections = of("section");
      assert.equal(sections.length, level.sections.length, level.level);
      sections.forEach((row, at) => same(row, level.sections[at], ["known_share", "answered_share", "closed_share"], `${level.level} ${row.name}`));
      assert.equal(of("element").length, level.elements.length, level.level);
      same({ index: of("follow_up")[0].follow_up_index }, level.follow_up, ["index"], level.level);
    }
    const { centres } = await api("/api/v1/quality");
    const silent = await kept(page, page.locator("#silence a.download:not(.picture)").first());
    assert.equal(silent.length, centres.length);
    for (const row of silent) {
      const one = centres.find((centre) => centre.centre === row.centre);
      same(row, one, ["cases", "not_assessable_share"], row.centre);
    }
    await context.close();
  });
}
