// The running demo: where it is, how to sign in, and a browser that goes nowhere else.
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const access = JSON.parse(readFileSync(process.env.DEMO_ACCESS, "utf8"));

export const base = access.url;
export const roles = access.access.map((entry) => entry.role);
export const entry = (role) => access.access.find((one) => one.role === role);

export const launch = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });

export async function signIn(browser, role, options = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  await page.goto(entry(role).sign_in);
  await page.click("main button");
  await page.waitForLoadState("load");
  return { context, page };
}

export const pagesOf = (role) => {
  if (role === "admin") return ["/admin", "/admin/centres/C01", "/audit", "/users", "/account", "/rules", "/schema", "/checks", "/codelists"];
  const measures = ["1a", "10c2", "20a", "24c", "43x", "1a?period=all"].map((id) => `/measures/${id}`);
  const survival = ["", "?endpoint=S4-lung", "?endpoint=S6-ablation", "?endpoint=S9"].map((query) => `/survival${query}`);
  if (role === "researcher") return [...survival, "/survival/published", "/releases", "/releases/demo-1", "/requests", "/rules", "/schema", "/checks", "/codelists", "/account"];
  const pages = ["/", "/adherence", "/adherence?by=half_year", "/adherence?q=imaging&sort=rate", ...measures, ...survival, "/survival/published", "/quality", "/rules", "/schema", "/checks", "/codelists", "/codelists?q=sarcoma", "/account"];
  if (["submitter", "centre_lead", "coordinator"].includes(role)) pages.push("/cases", "/cases?has_findings=true", "/worklist", "/queries", "/queries/metrics", "/imports", role === "coordinator" ? "/centre?centre=C01" : "/centre");
  if (["submitter", "centre_lead", "coordinator", "committee"].includes(role)) pages.push("/verification");
  if (["submitter", "centre_lead"].includes(role)) pages.push("/cases/new");
  if (["committee", "coordinator"].includes(role)) pages.push("/runs", "/signals", "/brief", "/report", "/indicators");
  if (["researcher", "coordinator"].includes(role)) pages.push("/releases", "/releases/demo-1", "/requests");
  if (role === "coordinator") pages.push("/adjudication", "/tasks", "/admin", "/admin/centres/C01?year=2025", "/audit", "/audit?action=key.create", "/users");
  return pages;
};
