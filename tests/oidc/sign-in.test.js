// A whole sign-in in headless Chromium with a provider of others' making (npm oidc-provider): REGISTRY=../../target/debug/registry npm test
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import Provider from "oidc-provider";
import { chromium } from "playwright-core";

const registry = resolve(process.env.REGISTRY ?? "../../target/debug/registry");
const folder = mkdtempSync(join(tmpdir(), "registry-oidc-"));
const secret = randomBytes(24).toString("hex");
let browser, server, service, environment, base;

const listening = (http) => new Promise((done) => http.listen(0, "127.0.0.1", () => done(http.address().port)));
const run = (...args) => execFileSync(registry, args, { cwd: folder, env: environment, encoding: "utf8" });

/** Waits until the log says that the port is open; what it says goes on to our own standard error. */
const serving = (child) =>
  new Promise((done, failed) => {
    let said = "";
    child.stderr.on("data", (text) => {
      process.stderr.write(text);
      said += text;
      if (/\bserving\b/.test(said)) done();
    });
    child.once("exit", (code) => failed(new Error(`the registry ended with ${code} before it served`)));
  });

before(async () => {
  // A free port for the registry: both sides must know the other's address beforehand.
  const probe = createServer();
  const port = await listening(probe);
  await new Promise((done) => probe.close(done));
  base = `http://127.0.0.1:${port}`;

  server = createServer((request, response) => handle(request, response));
  let handle;
  const issuer = `http://127.0.0.1:${await listening(server)}`;
  const key = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" });
  const provider = new Provider(issuer, {
    clients: [{ client_id: "registry", client_secret: secret, redirect_uris: [`${base}/sign-in/callback`], grant_types: ["authorization_code"], response_types: ["code"] }],
    jwks: { keys: [{ ...key, kid: "first", use: "sig", alg: "RS256" }] },
    cookies: { keys: [secret] },
    pkce: { required: () => true },
    findAccount: (_, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  });
  handle = provider.callback();

  writeFileSync(join(folder, "secret"), secret);
  environment = {
    PATH: process.env.PATH,
    REGISTRY_SERVER__PORT: String(port),
    REGISTRY_SERVER__PUBLIC_URL: base,
    REGISTRY_OIDC__ISSUER: issuer,
    REGISTRY_OIDC__CLIENT_ID: "registry",
    REGISTRY_OIDC__CLIENT_SECRET_FILE: join(folder, "secret"),
    REGISTRY_OIDC__NAME: "the hospital",
  };
  run("migrate", "--init");
  run("centre", "add", "C01", "First centre");
  service = spawn(registry, ["serve"], { cwd: folder, env: environment, stdio: ["ignore", "ignore", "pipe"] });
  await serving(service);
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--headless", "--no-sandbox", "--disable-gpu"] });
});
after(async () => {
  await browser?.close();
  service?.kill();
  server?.close();
  server?.closeAllConnections();
  rmSync(folder, { recursive: true, force: true });
});

/** Fills in the provider's own forms: who, any password, and yes. */
async function atTheProvider(page, who) {
  await page.locator("input[name=login]").fill(who);
  await page.locator("input[name=password]").fill("of no matter here");
  await page.locator("button[type=submit]").click();
  await page.locator("button[type=submit]").click();
}

test("an invitation binds an identity, which then signs in; another is refused", { timeout: 120_000 }, async () => {
  const link = run("user", "add", "li@hospital.example", "Li Wei", "--role", "submitter", "--centre", "C01").trim();
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(link);
  await page.getByRole("button", { name: "Sign in with the hospital" }).click();
  await atTheProvider(page, "subject-of-li");
  await page.waitForURL(`${base}/`);
  assert.match(await page.locator("header.site").innerText(), /Data manager, C01/);
  await page.getByRole("button", { name: "Sign out" }).click();
  assert.equal((await page.goto(`${base}/cases`)).status(), 401);

  // The provider remembers; the registry asks it anew.
  await page.getByRole("link", { name: "Sign in with the hospital" }).click();
  await page.waitForURL(`${base}/`);
  assert.equal((await page.goto(`${base}/cases`)).status(), 200);
  await page.goto(`${base}/account`);
  assert.match(await page.locator("main").innerText(), /sign in with an account elsewhere/);
  const session = (await context.cookies(base)).find((cookie) => cookie.name === "registry_session");
  assert.ok(session.httpOnly && session.sameSite === "Lax");
  assert.ok(!(await context.cookies(base)).some((cookie) => cookie.name === "registry_sign_in"), "nothing is left of the way");

  const stranger = await browser.newContext();
  const other = await stranger.newPage();
  await other.goto(`${base}/sign-in`);
  await other.getByRole("link", { name: "Sign in with the hospital" }).click();
  await atTheProvider(other, "subject-of-a-stranger");
  await other.getByText("did not lead to an account here").waitFor();
  assert.ok(!(await stranger.cookies(base)).some((cookie) => cookie.name === "registry_session"));

  run("user", "disable", "li@hospital.example");
  assert.equal((await page.goto(`${base}/cases`)).status(), 401);
  await page.getByRole("link", { name: "Sign in with the hospital" }).click();
  await page.getByText("did not lead to an account here").waitFor();
  for (const one of [context, stranger]) await one.close();
});
