// The running demo: where it is, the keys of its roles, and its FHIR addresses.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import http from "node:http";

const access = JSON.parse(readFileSync(process.env.DEMO_ACCESS, "utf8"));

const keyOf = (role) => access.access.find((entry) => entry.role === role).key;

export async function get(role, path) {
  const url = path.startsWith("http") ? path : access.url + path;
  const headers = role ? { authorization: `Bearer ${keyOf(role)}` } : {};
  const { response, text } = await request(url, headers);
  return { status: response.statusCode, type: response.headers["content-type"] ?? "", body: JSON.parse(text) };
}

// A connection for every request: validating takes longer than the server keeps an idle one.
function request(url, headers) {
  return new Promise((resolve, reject) => {
    const asked = http.get(url, { headers, agent: false }, async (response) => {
      const parts = [];
      for await (const part of response) parts.push(part);
      resolve({ response, text: Buffer.concat(parts).toString("utf8") });
    });
    asked.on("error", reject);
  });
}

export async function fhir(role, path, status = 200) {
  const answer = await get(role, path);
  assert.equal(answer.status, status, `${path}: ${JSON.stringify(answer.body).slice(0, 400)}`);
  assert.match(answer.type, /^application\/fhir\+json/, path);
  return answer.body;
}

/** Every page of a search. */
export async function bundles(role, path) {
  const pages = [];
  for (let next = path; next; ) {
    const page = await fhir(role, next);
    pages.push(page);
    next = page.link.find((link) => link.relation === "next")?.url;
  }
  return pages;
}

export const resourcesOf = (pages) => pages.flatMap((page) => (page.entry ?? []).map((entry) => entry.resource));
