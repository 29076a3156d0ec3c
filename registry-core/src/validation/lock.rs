//! What a lock through a date freezes: rows dated up to it stay as they are, later follow-up is accepted.
//!
//! Two forms of one case are compared row by row in their newest form; the order of rows says nothing. A frozen row may gain answers in
//! two ways: what was `pending` is answered, and a row that something later belongs to (a line of treatment that ends after the lock) is
//! completed along with the date after the lock. `quality/lock.toml` says what a lock leaves open.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::Value;

use super::{Finding, Severity};
use crate::dictionary::Dictionary;
use crate::record::{Absence, Cell, CentreTable, EntityLayout, Layout, Record, day_number};
use crate::versions::{SchemaError, SchemaStore};

/// File of the policy below `schema/`.
const PATH: &str = "quality/lock.toml";
/// Code of a refusal.
const CODE: &str = "row_frozen";

/// What a lock leaves open, compiled against one version of the case schema.
#[derive(Debug)]
pub(super) struct LockPolicy {
    open: BTreeSet<u16>,
    /// Entity and the date that moves on.
    moves_on: BTreeMap<u16, u16>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyFile {
    open: Vec<String>,
    moves_on: BTreeMap<String, String>,
}

impl LockPolicy {
    /// Reads the policy.
    ///
    /// # Errors
    /// A file that does not read, or a name the dictionary does not know.
    pub(super) fn of(store: &SchemaStore, layout: &Layout) -> Result<Self, SchemaError> {
        let file: PolicyFile = store.files().toml(PATH)?;
        let unknown = |name: String| SchemaError::Lock(format!("`{name}` is not in the dictionary"));
        let open = file
            .open
            .into_iter()
            .map(|name| layout.entity(&name).ok_or_else(|| unknown(name)))
            .collect::<Result<_, _>>()?;
        let moves_on = file
            .moves_on
            .into_iter()
            .map(|(entity, date)| {
                let path = format!("{entity}.{date}");
                layout.path(&path).ok_or_else(|| unknown(path))
            })
            .collect::<Result<_, _>>()?;
        Ok(LockPolicy { open, moves_on })
    }

    /// What a new form of a case changes about the rows a lock has frozen; empty when it keeps them all. `before` and `after` are bodies
    /// in their newest form; pointers lead into `after` in that form.
    pub(super) fn breaches(
        &self,
        before: &Value,
        after: &Value,
        through: NaiveDate,
        dictionary: &Dictionary,
        layout: &Arc<Layout>,
    ) -> Vec<Finding> {
        let centres = CentreTable::default();
        let side = |body| Side {
            record: Record::read(body, layout, &centres),
            policy: self,
            through: day_number(through),
        };
        let (before, after) = (side(before), side(after));
        let mut found = Vec::new();
        for (position, entity) in (0_u16..).zip(layout.entities()) {
            let of_the_case = dictionary
                .entity(&entity.name)
                .is_some_and(|e| e.kind == crate::dictionary::EntityKind::Case);
            if of_the_case && !self.open.contains(&position) {
                compare(&before, &after, position, entity, through, &mut found);
            }
        }
        found
    }
}

/// One form of the case.
struct Side<'a> {
    record: Record,
    policy: &'a LockPolicy,
    through: i32,
}

impl Side<'_> {
    /// Rows the lock has frozen: all but those that lie after it for certain.
    fn frozen(&self, entity: u16, layout: &EntityLayout) -> Vec<usize> {
        (0..self.record.count(entity))
            .filter(|row| !self.lies_after(self.date(entity, layout, *row)))
            .collect()
    }

    fn lies_after(&self, date: Cell<'_>) -> bool {
        date.as_date().is_some_and(|date| date.first() > self.through)
    }

    /// The date of a row: its own, or that of the presentation it belongs to.
    fn date(&self, entity: u16, layout: &EntityLayout, row: usize) -> Cell<'_> {
        if let Some(element) = layout.anchor_date.or(self.policy.moves_on.get(&entity).copied()) {
            return self.record.cell(entity, row, element);
        }
        let places = self.record.layout().places;
        let Some(link) = layout.link else {
            return Cell::Missing;
        };
        let seq = self.record.cell(entity, row, link);
        (0..self.record.count(places.presentation))
            .find(|at| seq.is_value() && self.record.cell(places.presentation, *at, places.seq) == seq)
            .map_or(Cell::Missing, |at| {
                self.record.cell(places.presentation, at, places.detected)
            })
    }
}

fn compare(
    before: &Side<'_>,
    after: &Side<'_>,
    entity: u16,
    layout: &EntityLayout,
    through: NaiveDate,
    found: &mut Vec<Finding>,
) {
    let old = before.frozen(entity, layout);
    // A row that moves on lies after the lock in its new form.
    let new: Vec<usize> = if before.policy.moves_on.contains_key(&entity) {
        (0..after.record.count(entity)).collect()
    } else {
        after.frozen(entity, layout)
    };
    let width = layout.elements.len() as u16;
    let kept = |old: usize, new: usize| {
        Row {
            before,
            after,
            entity,
            old,
            new,
        }
        .kept(width)
    };
    let taken = pair(&old, &new, kept);
    let mut lost: Vec<usize> = old
        .iter()
        .copied()
        .filter(|row| !taken.values().any(|old| old == row))
        .collect();
    let added: Vec<usize> = new
        .iter()
        .copied()
        .filter(|row| !taken.contains_key(row))
        .filter(|row| !after.lies_after(after.date(entity, layout, *row)))
        .collect();
    let refused = |pointer: String, message: String, elements: Vec<String>| Finding {
        code: CODE.to_owned(),
        severity: Severity::Reject,
        pointer,
        rule: None,
        rule_version: None,
        message,
        elements,
        identity: String::new(),
    };
    for row in added {
        // The row it most likely was: the one it has most answers in common with.
        let differing = |old: usize| {
            Row {
                before,
                after,
                entity,
                old,
                new: row,
            }
            .differing(width)
        };
        let closest = (0..lost.len())
            .min_by_key(|at| differing(lost[*at]).len())
            .filter(|at| layout.single || differing(lost[*at]).len() * 2 < usize::from(width));
        let at = if layout.single {
            format!("/{}", layout.name)
        } else {
            format!("/{}/{row}", layout.name)
        };
        let Some(closest) = closest else {
            let message = format!(
                "The case is locked through {through}: no row dated up to then, or without a date, can be added."
            );
            found.push(refused(at, message, vec![layout.name.to_string()]));
            continue;
        };
        for element in differing(lost.remove(closest)) {
            let Some(element) = layout.elements.get(usize::from(element)) else {
                continue;
            };
            let message = format!(
                "The case is locked through {through}: this row is dated up to then, or has no date, and stays as it is."
            );
            found.push(refused(
                format!("{at}/{}", element.name),
                message,
                vec![element.path.to_string()],
            ));
        }
    }
    if !lost.is_empty() {
        let message = format!(
            "The case is locked through {through}: {} of this section dated up to then, or without a date, {} missing or changed.",
            if lost.len() == 1 {
                "a row".to_owned()
            } else {
                format!("{} rows", lost.len())
            },
            if lost.len() == 1 { "is" } else { "are" },
        );
        found.push(refused(
            format!("/{}", layout.name),
            message,
            vec![layout.name.to_string()],
        ));
    }
}

/// A row as it was and as it is sent.
struct Row<'a> {
    before: &'a Side<'a>,
    after: &'a Side<'a>,
    entity: u16,
    old: usize,
    new: usize,
}

impl Row<'_> {
    fn cells(&self, element: u16) -> (Cell<'_>, Cell<'_>) {
        (
            self.before.record.cell(self.entity, self.old, element),
            self.after.record.cell(self.entity, self.new, element),
        )
    }

    fn differing(&self, width: u16) -> Vec<u16> {
        (0..width)
            .filter(|element| {
                let (old, new) = self.cells(*element);
                old != new
            })
            .collect()
    }

    /// Whether the new row says what the old one said, or more in one of the ways a lock leaves open.
    fn kept(&self, width: u16) -> bool {
        let moves_on = self.before.policy.moves_on.get(&self.entity);
        let (mut added, mut later) = (false, false);
        for element in 0..width {
            let (old, new) = self.cells(element);
            if old == new {
                continue;
            }
            let after_the_lock = self.after.lies_after(new);
            if moves_on == Some(&element) && after_the_lock {
                continue;
            }
            match old {
                Cell::Absent(Absence::Pending) if new.is_value() => {}
                Cell::Missing => added = true,
                _ => return false,
            }
            later |= after_the_lock;
        }
        !added || later
    }
}

/// Pairs rows as they were with rows as they are sent, as many as possible: new row to old row. Rows that are the same go first; then
/// augmenting paths (Kuhn's algorithm for bipartite matching).
fn pair(old: &[usize], new: &[usize], fits: impl Fn(usize, usize) -> bool) -> BTreeMap<usize, usize> {
    fn seat(
        row: usize,
        new: &[usize],
        fits: &impl Fn(usize, usize) -> bool,
        taken: &mut BTreeMap<usize, usize>,
        tried: &mut BTreeSet<usize>,
    ) -> bool {
        for &candidate in new {
            if !fits(row, candidate) || !tried.insert(candidate) {
                continue;
            }
            let free = match taken.get(&candidate).copied() {
                None => true,
                Some(other) => seat(other, new, fits, taken, tried),
            };
            if free {
                taken.insert(candidate, row);
                return true;
            }
        }
        false
    }
    let mut taken = BTreeMap::new();
    for &row in old {
        seat(row, new, &fits, &mut taken, &mut BTreeSet::new());
    }
    taken
}
