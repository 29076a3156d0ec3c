// FHIR R4 without a network: definitions and value sets come with the package. Whatever it says is a complaint, warnings too.
import { readFileSync } from "node:fs";
import fhirPackage from "fhir";

const validator = new fhirPackage.Fhir();
const problems = readFileSync(new URL("../../registry-api/tests/snapshots/problems.txt", import.meta.url), "utf8");

// These bindings are extensible or examples: what they lack, the registry says in codes of its own. Exactly these, and nothing
// near them. The value set of media types is not in the package.
const population = "urn:rps-registry:fhir:measure-population";
const own = new Set([
  `http://hl7.org/fhir/ValueSet/measure-population ${population} not-assessable`,
  `http://hl7.org/fhir/ValueSet/measure-population ${population} assessable`,
  "http://hl7.org/fhir/ValueSet/expression-language  text/x-registry-rule",
  "http://hl7.org/fhir/ValueSet/expression-language  text/plain",
  "http://hl7.org/fhir/ValueSet/mimetypes  application/fhir+json",
  ...problems.trim().split("\n").map((line) => `http://hl7.org/fhir/ValueSet/operation-outcome urn:rps-registry:problem ${line.split(" ")[1]}`),
]);

/** Everything that is wrong with a resource, one line each. */
export function complaints(resource) {
  const answer = validator.validate(resource, {
    errorOnUnexpected: true,
    beforeCheckCode: (valueSet, code, system) => own.has(`${valueSet} ${system ?? ""} ${code}`),
  });
  const heard = answer.messages.map((message) => `${message.severity} ${message.location}: ${message.message}`);
  return heard.concat(forms(resource, resource.resourceType ?? "?"));
}

const day = /^\d{4}(-\d\d(-\d\d(T\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d))?)?)?$/;
const datatypes = {
  date: day,
  lastReviewDate: day,
  start: day,
  end: day,
  id: /^[A-Za-z0-9\-.]{1,64}$/,
  url: /^\S+$/,
  system: /^\S+$/,
  fullUrl: /^(https?|urn):\S+$/,
  measure: /^\S+$/,
  code: /^[^\s]+( [^\s]+)*$/,
};

/** What the package does not look at: empty values, texts with blanks around them, ids, addresses, codes, dates. */
function forms(value, at) {
  if (Array.isArray(value)) {
    return value.length === 0 ? [`form ${at}: empty array`] : value.flatMap((item, n) => forms(item, `${at}[${n}]`));
  }
  if (value === null) return [`form ${at}: null`];
  if (typeof value === "string") return value === "" || value !== value.trim() ? [`form ${at}: empty or with blanks around it`] : [];
  if (typeof value !== "object") return [];
  const fields = Object.entries(value);
  if (fields.length === 0) return [`form ${at}: empty object`];
  return fields.flatMap(([name, item]) => {
    const form = typeof item === "string" ? datatypes[name] : undefined;
    const wrong = form && !form.test(item) ? [`form ${at}.${name}: not a legal ${name}`] : [];
    return wrong.concat(forms(item, `${at}.${name}`));
  });
}
