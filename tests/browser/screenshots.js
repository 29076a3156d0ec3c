// Pictures of every page at three widths, light and dark: DEMO_ACCESS=demo-data/access.json npm run screenshots [folder]
import { mkdirSync } from "node:fs";
import { base, launch, pagesOf, signIn } from "./demo.js";

const folder = process.argv[2] ?? "screenshots";
mkdirSync(folder, { recursive: true });
const browser = await launch();
for (const role of ["committee", "submitter", "coordinator"]) {
  for (const [width, colorScheme] of [[360, "light"], [820, "light"], [1440, "light"], [1440, "dark"]]) {
    const { context, page } = await signIn(browser, role, { viewport: { width, height: 900 }, colorScheme });
    const paths = pagesOf(role);
    if (role === "submitter") {
      await page.goto(`${base}/cases`);
      const href = await page.locator("tbody a").first().getAttribute("href");
      paths.push(href, `${href}/edit`);
    }
    if (role !== "committee") {
      await page.goto(`${base}/queries?state=all`);
      paths.push(await page.locator("tbody th a").first().getAttribute("href"));
    }
    for (const path of paths) {
      await page.goto(base + path);
      if (await page.locator("#entry").count()) await page.waitForSelector("#entry[data-ready]");
      const name = `${role}${path.replaceAll("/", "_")}-${width}-${colorScheme}.png`;
      await page.screenshot({ path: `${folder}/${name}`, fullPage: true });
    }
    await context.close();
  }
}
await browser.close();
