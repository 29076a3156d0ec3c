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
    // The office may go everywhere.
    const closed = { coordinator: [], admin: [["forbidden", "/cases"]] }[role] ?? [["forbidden", "/admin"]];
    for (const [name, path] of [["not-found", "/nowhere"], ...closed]) {
      await page.goto(base + path);
      await page.screenshot({ path: `${folder}/${role}_${name}-${width}-${colorScheme}.png`, fullPage: true });
    }
    if (role === "coordinator") await invited(page, `${folder}/invitation-${width}-${colorScheme}.png`);
    await context.close();
  }
}
// For who is not signed in.
for (const [width, colorScheme] of [[360, "light"], [820, "light"], [1440, "light"], [1440, "dark"]]) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
  const page = await context.newPage();
  await page.goto(`${base}/sign-in`);
  await page.screenshot({ path: `${folder}/sign-in-${width}-${colorScheme}.png`, fullPage: true });
  await context.close();
}
await browser.close();

/** The page of a link that the office has just made. */
async function invited(page, path) {
  await page.goto(`${base}/users`);
  await page.getByLabel("Sign-in name").fill(`seen-${Date.now().toString(36)}@hospital.example`);
  await page.getByLabel("Name", { exact: true }).fill("Seen Rossi");
  await page.locator("form[action='/users'] select[name=role]").selectOption("committee");
  await page.getByRole("button", { name: "Invite", exact: true }).click();
  await page.goto(await page.locator("section.notice code").innerText());
  await page.screenshot({ path, fullPage: true });
}
