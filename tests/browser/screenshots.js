// Pictures of every page a role can reach, at three widths, the widest in the dark too: DEMO_ACCESS=demo-data/access.json npm run screenshots [folder] [role ..]
import { mkdirSync } from "node:fs";
import { crawl } from "./crawl.js";
import { base, launch, roles, signIn } from "./demo.js";

const [folder = "screenshots", ...only] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const named = (pattern) => pattern.replaceAll(/[/?&{}]+/g, "_").replace(/^_$/, "_start").replace(/_$/, "_one");
const browser = await launch();
for (const role of only.length ? only : roles) {
  let paths;
  for (const [width, colorScheme] of [[360, "light"], [820, "light"], [1440, "light"], [1440, "dark"]]) {
    const { context, page } = await signIn(browser, role, { viewport: { width, height: 900 }, colorScheme });
    paths ??= await crawl(page, () => {});
    for (const [pattern, path] of paths) {
      await page.goto(base + path);
      if (await page.locator("#entry").count()) await page.waitForSelector("#entry[data-ready]");
      await page.screenshot({ path: `${folder}/${role}${named(pattern)}-${width}-${colorScheme}.png`, fullPage: true });
    }
    await context.close();
  }
}
await browser.close();
