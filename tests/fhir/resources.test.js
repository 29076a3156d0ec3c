// Every FHIR resource the demo serves, through a validator that needs no network: DEMO_ACCESS=demo-data/access.json npm test
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { bundles, fhir, get, resourcesOf } from "./demo.js";
import { complaints } from "./validate.js";

/** The ids of every measure and all-or-none summary. */
let ids;
/** Measures by address and version. */
let measures;

before(async () => {
  const pages = await bundles(null, "/fhir/Measure");
  measures = new Map(resourcesOf(pages).map((measure) => [`${measure.url}|${measure.version}`, measure]));
  ids = [...measures.values()].map((measure) => measure.identifier[0].value);
});

function sound(resources) {
  for (const resource of resources) assert.deepEqual(complaints(resource), [], `${resource.resourceType}/${resource.id}`);
}

const codes = (group) => group.population.map((population) => population.code.coding[0].code);

/** Reports are sound, are of measures that exist, and have their populations and no more breakdowns than they name. */
function soundReports(reports) {
  sound(reports);
  for (const report of reports) {
    const measure = measures.get(report.measure);
    assert.ok(measure, `${report.measure} is not served`);
    const [group] = report.group;
    assert.deepEqual(codes(group), codes(measure.group[0]), report.id);
    assert.deepEqual(report.improvementNotation, measure.improvementNotation, report.id);
    const named = new Set(measure.group[0].stratifier.map((stratifier) => JSON.stringify(stratifier.code)));
    for (const stratifier of group.stratifier ?? []) {
      assert.ok(named.has(JSON.stringify(stratifier.code[0])), `${report.id}: ${JSON.stringify(stratifier.code)}`);
      for (const stratum of stratifier.stratum) assert.deepEqual(codes(stratum), codes(group), report.id);
    }
  }
}

test("what is offered", async () => sound([await fhir(null, "/fhir/metadata")]));

test("every measure, in lists and by itself", async () => {
  const pages = await bundles(null, "/fhir/Measure?_count=60");
  sound(pages);
  const kinds = resourcesOf(pages).map((measure) => measure.extension.find((one) => one.url.endsWith(":measure-kind")).valueCode);
  assert.equal(kinds.filter((kind) => kind !== "composite").length, 98);
  for (const measure of measures.values()) {
    // With a key: whoever reads so many without one is told to wait.
    const read = await fhir("committee", `/fhir/Measure/${measure.id}`);
    assert.deepEqual(read, measure);
    sound([read]);
  }
});

for (const [role, by] of [["committee", "network"], ["centre_lead", "network"], ["centre_lead", "centre"], ["coordinator", "network"]]) {
  for (const period of ["all", "last24_months"]) {
    test(`${role}: the reports of the ${by}, ${period}`, async () => {
      const pages = await bundles(role, `/fhir/MeasureReport?by=${by}&period=${period}&_count=60`);
      sound(pages);
      const reports = resourcesOf(pages);
      assert.deepEqual(reports.map((report) => report.measure).sort(), [...measures.keys()].sort());
      soundReports(reports);
    });
  }
}

test("committee: the reports of a masked centre, by address too", async () => {
  const [one] = resourcesOf(await bundles("committee", "/fhir/MeasureReport?by=centre&measure=1a"));
  const letter = one.reporter.display;
  assert.match(letter, /^Centre [A-Z]+$/);
  const reports = resourcesOf(await bundles("committee", `/fhir/MeasureReport?centre=${encodeURIComponent(letter)}`));
  assert.equal(reports.length, measures.size);
  soundReports(reports);
  assert.deepEqual(await fhir("committee", `/fhir/MeasureReport/${one.id}`), one);
  const text = JSON.stringify(reports);
  assert.ok(text.includes('"masked"'), "no count of this centre is masked");
  assert.ok(!/"C\d\d"/.test(text), "a centre's id");
});

test("submitter: three cases on every measure", async () => {
  const { body } = await get("submitter", "/api/v1/cases?limit=3");
  assert.equal(body.cases.length, 3);
  for (const { pseudonym } of body.cases) {
    const pages = await bundles("submitter", `/fhir/MeasureReport?subject:identifier=${encodeURIComponent(`urn:rps-registry:pseudonym|${pseudonym}`)}`);
    sound(pages);
    const reports = resourcesOf(pages);
    assert.equal(reports.length, ids.length);
    soundReports(reports);
  }
});

test("errors are sound too", async () => {
  for (const [role, path, status] of [
    [null, "/fhir/MeasureReport", 401],
    ["admin", "/fhir/MeasureReport", 403],
    ["committee", "/fhir/MeasureReport?measure=99z", 404],
    ["committee", "/fhir/MeasureReport?nonsense=1", 400],
    [null, "/fhir/Measure?_format=xml", 406],
  ]) {
    sound([await fhir(role, path, status)]);
  }
});

test("the validator hears what is wrong", async () => {
  const [report] = resourcesOf(await bundles("committee", "/fhir/MeasureReport?measure=1a&by=network"));
  const [measure] = measures.values();
  const broken = (resource, change) => {
    const copy = structuredClone(resource);
    change(copy);
    return complaints(copy);
  };
  for (const [what, resource, change] of [
    ["a status that is none", report, (r) => (r.status = "done")],
    ["a required element missing", report, (r) => delete r.period],
    ["an element that is none", report, (r) => (r.group[0].score = 1)],
    ["a text for a number", report, (r) => (r.group[0].population[0].count = "12")],
    ["a population of another code", report, (r) => (r.group[0].population[5].code.coding[0].code = "not-asessable")],
    ["an own code under HL7's system", report, (r) => (r.group[0].population[5].code.coding[0].system = r.group[0].population[0].code.coding[0].system)],
    ["an id with an underscore", report, (r) => (r.id = "run_1")],
    ["an array of nothing", report, (r) => (r.group[0].stratifier = [])],
    ["a date that is none", measure, (m) => (m.date = "23.11.2026")],
    ["a language that is none", measure, (m) => (m.group[0].population[0].criteria.language = "text/x-registry-rules")],
    ["a direction that is none", measure, (m) => (m.improvementNotation = { coding: [{ system: "http://terminology.hl7.org/CodeSystem/measure-improvement-notation", code: "up" }] })],
  ]) {
    assert.deepEqual(complaints(resource), []);
    assert.notDeepEqual(broken(resource, change), [], what);
  }
});
