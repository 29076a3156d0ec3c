//! The case being written: what every theme reads, and the rows it adds.

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::SyntheticCentre;
use super::course::Course;
use super::dice::{Dice, after};
use super::disease::Disease;
use super::plan::Plan;

pub(super) struct Draft<'a> {
    pub(super) body: Value,
    pub(super) course: &'a Course,
    pub(super) disease: &'a Disease,
    pub(super) plan: &'a Plan,
    pub(super) centre: &'a SyntheticCentre,
    pub(super) dice: Dice,
}

impl Draft<'_> {
    /// Whether the recommended `act`, which the network does for `base` of its patients, is done here.
    pub(super) fn does(&mut self, act: &str, base: f64) -> bool {
        self.dice.chance(self.centre.share(act, base))
    }

    /// Whether an `act` that is a matter of custom happens here.
    pub(super) fn custom(&mut self, act: &str, base: f64) -> bool {
        self.dice.chance(self.centre.custom(act, base))
    }

    /// Appends a row to the array of `entity`.
    pub(super) fn push(&mut self, entity: &str, row: Value) {
        super::push(&mut self.body, entity, row);
    }

    /// The name of the next row of `entity`: `prefix` and a number from 1.
    pub(super) fn name(&self, prefix: &str, entity: &str) -> String {
        let rows = self.body.get(entity).and_then(Value::as_array);
        format!("{prefix}{}", rows.map_or(0, Vec::len) + 1)
    }

    /// A day of the work-up: within `days` of T0, before treatment, never after the last contact.
    pub(super) fn day(&mut self, days: i64) -> NaiveDate {
        let room = (self.work_up_end() - self.course.t0).num_days();
        after(self.course.t0, self.dice.between(0, room.clamp(0, days)))
    }

    /// The day before treatment, or two months after T0 when nothing is treated by then.
    pub(super) fn work_up_end(&self) -> NaiveDate {
        let cap = after(self.course.t0, 60);
        let end = self.plan.first.map_or(cap, |first| after(first, -1).min(cap));
        end.min(self.course.last_contact).max(self.course.t0)
    }
}

/// A leaf that holds an absence code.
pub(super) fn absent(code: &str) -> Value {
    json!({ "absent": code })
}
