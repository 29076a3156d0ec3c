// What the entry form proposes about death within 90 days of an operation, without a browser: dates that leave it open propose nothing.
import assert from "node:assert/strict";
import { test } from "node:test";
import { today } from "../../registry-api/assets/entry-dates.js";
import { proposal } from "../../registry-api/assets/entry-suggest.js";

const PATH = "local_treatment.death_within_90d";
const suggestion = {
  element: PATH,
  kind: "death_within",
  from: "local_treatment.date",
  death: "followup.death_date",
  seen: "followup.date",
  alive: { element: "followup.vital_status", is: ["alive"] },
  days: 90,
  because: "from the dates",
};

/** What is proposed for an operation on 2025-02-01, given the contacts there are. */
function proposed(contacts, date = "2025-02-01") {
  const rows = { local_treatment: [{ values: { date } }], followup: contacts.map((values) => ({ values })) };
  const model = {
    schema: { form: { suggestions: [suggestion], links: [] } },
    rows: (entity) => rows[entity] ?? [],
    first: (path) => rows[path.split(".")[0]][0]?.values[path.split(".")[1]],
  };
  return proposal(model, PATH, rows.local_treatment[0], "C01")?.value;
}

const alive = (date) => ({ date, vital_status: "alive" });
const dead = (date, death) => ({ date, vital_status: "dead", ...(death === undefined ? {} : { death_date: death }) });
const day = (from) => new Date((today() + from) * 86_400_000).toISOString().slice(0, 10);

test("a full date of death decides, on the last day too", () => {
  assert.equal(proposed([dead("2025-02-20", "2025-02-20")]), true);
  assert.equal(proposed([dead("2025-06-01", "2025-05-02")]), true, "day 90");
  assert.equal(proposed([dead("2025-06-01", "2025-05-03")]), false, "day 91");
});

test("a partial date decides where all its days lie on one side", () => {
  assert.equal(proposed([dead("2025-09-01", "2025-03")]), true);
  assert.equal(proposed([dead("2025-09-01", "2025-06")]), false);
  assert.equal(proposed([dead("2025-09-01", "2025-05")]), undefined, "day 90 is the second of May");
  assert.equal(proposed([dead("2025-09-01", "2025-02")]), true, "from the day of the operation on");
  assert.equal(proposed([dead("2025-09-01", "2025")]), undefined);
});

test("a death of unknown day, or without one, proposes nothing, whoever was seen when", () => {
  assert.equal(proposed([dead("2025-12-01", { absent: "unknown" })]), undefined);
  assert.equal(proposed([dead("2025-12-01")]), undefined);
  assert.equal(proposed([alive("2025-02-20"), dead("2025-12-01")]), undefined);
  assert.equal(proposed([dead(day(0))], day(-10)), undefined, "not pending: the patient is dead");
});

test("only a contact that says alive, after the last day, shows survival", () => {
  assert.equal(proposed([alive("2025-06-01")]), false);
  assert.equal(proposed([alive("2025-06")]), false);
  assert.equal(proposed([alive("2025-05")]), undefined, "it can lie before the last day");
  assert.equal(proposed([{ date: "2025-12-01" }]), undefined, "nobody says alive");
  assert.equal(proposed([alive("2025-06-01"), dead("2025-12-01", { absent: "unknown" })]), false, "alive on day 120, dead some time after");
});

test("contradictions propose nothing, and what time will tell is pending", () => {
  assert.equal(proposed([alive("2025-09-01"), dead("2025-12-01", "2025-03-01")]), undefined);
  assert.equal(proposed([dead("2025-09-01", "2025-01-20")]), undefined, "before the operation");
  assert.deepEqual(proposed([], day(-10)), { absent: "pending" });
  assert.equal(proposed([], "2025-02-01"), undefined);
  assert.equal(proposed([alive("2025-09-01")], "2025-02"), undefined, "the day of the operation is not known");
});
