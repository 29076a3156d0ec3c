// How soon the pages of a running demo answer and are painted, and how much they weigh:
//   DEMO_ACCESS=demo-data/access.json node tests/benches/pages.mjs [TIMES, default 30] [ROLE ..]
// Answer: whole answers over one connection, one at a time, after two that do not count. Weight: what goes over the wire on a first visit (page,
// style, scripts and pictures, compressed as the service sends them, without heads), and the same unpacked. Painted: the first contentful paint in
// Chromium with an empty cache, median of five visits. Baseline: /health/live,
// asked in turns with each page, so that a busy machine slows both. Goals: 50 ms for 95 of 100 answers, 300 kB; a page beyond one is marked and
// the bench fails.
import { base, launch, pagesOf, roles, signIn } from "../browser/demo.js";

const [times = "30", ...only] = process.argv.slice(2);
const wanted = only.length ? only : ["coordinator", "committee", "submitter", "researcher", "admin"].filter((role) => roles.includes(role));
const GOALS = { p95: 50, kB: 300 };
const quantile = (all, share) => [...all].sort((a, b) => a - b)[Math.min(all.length - 1, Math.ceil(all.length * share) - 1)];

/** Milliseconds and bytes of one answer. */
async function asked(path, cookie) {
  const began = performance.now();
  const answer = await fetch(base + path, { headers: { cookie, accept: "text/html" }, redirect: "error" });
  const bytes = (await answer.arrayBuffer()).byteLength;
  if (!answer.ok) throw new Error(`${path} answers ${answer.status}`);
  return [performance.now() - began, bytes];
}

async function answers(path, cookie) {
  const [page, nothing] = [[], []];
  for (let n = -2; n < Number(times); n += 1) {
    const [took] = await asked(path, cookie);
    const [base] = await asked("/health/live", cookie);
    if (n < 0) continue;
    page.push(took);
    nothing.push(base);
  }
  return { median: quantile(page, 0.5), p95: quantile(page, 0.95), nothing: quantile(nothing, 0.95) };
}

/** First contentful paint in milliseconds; with `weighed` the bytes of everything fetched as well, as sent and unpacked. */
async function visited(browser, path, cookies, weighed = false) {
  const context = await browser.newContext();
  await context.addCookies(cookies);
  const page = await context.newPage();
  const finished = [];
  page.on("requestfinished", (request) => finished.push(request));
  await page.goto(base + path, { waitUntil: weighed ? "networkidle" : "load" });
  const painted = await page.evaluate(
    () =>
      new Promise((resolve) => {
        const found = () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime;
        if (found() !== undefined) return resolve(found());
        new PerformanceObserver((list, observer) => {
          if (found() === undefined) return;
          observer.disconnect();
          resolve(found());
        }).observe({ type: "paint", buffered: true });
      }),
  );
  let [sent, unpacked] = [0, 0];
  for (const request of weighed ? finished : []) {
    sent += (await request.sizes()).responseBodySize;
    unpacked += (await (await request.response()).body()).length;
  }
  await context.close();
  return { painted, sent, unpacked };
}

const browser = await launch();
const beyond = [];
const line = (...cells) => console.log(cells.map((cell, at) => (at ? String(cell).padStart(10) : String(cell).padEnd(58))).join(" "));
for (const role of wanted) {
  const { context } = await signIn(browser, role);
  const cookies = await context.cookies();
  const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
  line(`\n${role}`, "median ms", "p95 ms", "live p95", "painted ms", "kB", "unpacked");
  line("goal", "", GOALS.p95, "", "", GOALS.kB);
  for (const path of pagesOf(role)) {
    const { median, p95, nothing } = await answers(path, cookie);
    const visits = [];
    for (let n = 0; n < 5; n += 1) visits.push(await visited(browser, path, cookies, n === 0));
    const painted = quantile(visits.map((visit) => visit.painted), 0.5);
    const [kB, unpacked] = [visits[0].sent / 1000, visits[0].unpacked / 1000];
    const missed = [p95 > GOALS.p95 && `${p95.toFixed(1)} ms`, kB > GOALS.kB && `${kB.toFixed(0)} kB`].filter(Boolean);
    if (missed.length) beyond.push(`${role} ${path}: ${missed.join(", ")}`);
    line(path, median.toFixed(1), p95.toFixed(1), nothing.toFixed(1), painted.toFixed(0), kB.toFixed(0), unpacked.toFixed(0), missed.length ? "beyond" : "");
  }
  await context.close();
}
await browser.close();
console.log(beyond.length ? `\nBeyond the goals:\n${beyond.join("\n")}` : "\nEvery page is within the goals.");
process.exitCode = beyond.length ? 1 : 0;
