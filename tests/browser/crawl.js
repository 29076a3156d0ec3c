// Every page a role can reach by links from where it starts: one of each route and each set of filters, so that a new page is found without being named.
import { base } from "./demo.js";

/** Not pages of ours: data, files, and the API's own documentation with the vendored viewer. */
const ELSEWHERE = /^\/(api|fhir|docs|assets|health|metrics)(\/|$)|\.csv$/;
/** A segment that names a thing and not a kind of thing: it has a digit, or follows one that lists things. */
const LISTS = new Set(["cases", "measures", "queries", "verification", "runs", "releases"]);
const KINDS = new Set(["new", "metrics"]);

/** `/cases/{}/edit?state`: what two addresses of one kind of page have in common. */
export function patternOf(address) {
  const { pathname, searchParams } = new URL(address, base);
  const parts = pathname.split("/");
  const named = parts.map((part, at) => (/\d/.test(part) || (LISTS.has(parts[at - 1]) && !KINDS.has(part)) ? "{}" : part));
  const filters = [...new Set(searchParams.keys())].sort();
  return named.join("/") + (filters.length ? `?${filters.join("&")}` : "");
}

/** Goes where a person of the page's session can go, and calls `visit(pattern, path, response)` on each kind of page once. */
export async function crawl(page, visit) {
  const start = new URL(page.url()).pathname;
  const found = new Map([[patternOf(start), start]]);
  // A map keeps the order of insertion, and what is added on the way is visited too.
  for (const [pattern, path] of found) {
    const response = await page.goto(base + path);
    if (await page.locator("#entry").count()) await page.waitForSelector("#entry[data-ready]");
    await visit(pattern, path, response);
    const links = await page.locator("a[href]:not([download])").evaluateAll((all) => all.map((one) => one.href));
    for (const link of links) {
      const { origin, pathname, search } = new URL(link);
      const kind = patternOf(link);
      if (origin === base && !ELSEWHERE.test(pathname) && !found.has(kind)) found.set(kind, pathname + search);
    }
  }
  return found;
}
