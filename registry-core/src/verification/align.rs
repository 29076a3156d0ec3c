//! Which row of one document is which row of the other.
//!
//! Rows of an entity are paired one with one, the most alike pair first. Alike is, in this order:
//!
//! 1. the two say exactly the same and are connected alike (three steps far);
//! 2. their dates: the same, one within the other, at most seven days apart, at most `near_days` apart;
//! 3. more answers agree: 2 for an answer from a list, 2 for a connection that leads to a row paired already, 1 for any other;
//! 4. fewer answers differ;
//! 5. more rows that look alike point at both;
//! 6. a fixed number made of the two fingerprints, so that a tie is settled the same way wherever the rows stand and whichever document comes
//!    first. What is tied even then says the same.
//!
//! Two rows pair only when they can be the same: rows of the same day (or of dates one within the other) always; rows at most `near_days`
//! apart, and rows of which one has no date, when at least `alike` of the answers either of them holds agree, the date aside; dated rows
//! farther apart never. Where an element names a row (`named_by`), the rows of one name pair, and no others. A row left over is in one
//! document only.

use std::cmp::Reverse;

use super::print::{Pointing, Print, Side, Target};
use super::rules::{Link, Part, Plan, Verifier};
use crate::record::{Cell, PartialDate};

/// Dates this close are nearly the same.
const WEEK: i32 = 7;

/// Rows of every entity, paired.
pub(super) struct Pairs {
    /// By entity and row of the first document: the row of the second.
    to: Vec<Vec<Option<usize>>>,
    /// The other way round.
    from: Vec<Vec<Option<usize>>>,
}

/// Two answers of an element that points.
pub(super) enum Connection {
    Same,
    Different,
    /// At least one of the two points at nothing.
    Plain,
}

impl Pairs {
    pub(super) fn of(verifier: &Verifier, first: &Side<'_>, second: &Side<'_>) -> Self {
        let room = |side: &Side<'_>| -> Vec<Vec<Option<usize>>> {
            let entities = 0..verifier.layout.entities().len() as u16;
            entities
                .map(|entity| vec![None; side.record.count(entity)])
                .collect()
        };
        let mut pairs = Self {
            to: room(first),
            from: room(second),
        };
        for plan in &verifier.entities {
            pairs.pair(verifier, plan, first, second);
        }
        pairs
    }

    /// The row of the second document that a row of the first is.
    pub(super) fn second(&self, entity: u16, row: usize) -> Option<usize> {
        self.to.get(usize::from(entity))?.get(row).copied()?
    }

    /// The row of the first document that a row of the second is.
    pub(super) fn first(&self, entity: u16, row: usize) -> Option<usize> {
        self.from.get(usize::from(entity))?.get(row).copied()?
    }

    fn pair(&mut self, verifier: &Verifier, plan: &Plan, first: &Side<'_>, second: &Side<'_>) {
        let entity = plan.entity;
        if verifier
            .layout
            .entity_at(entity)
            .is_some_and(|known| known.single)
        {
            self.join(entity, 0, 0);
            return;
        }
        let mut candidates = Vec::new();
        for a in 0..first.record.count(entity) {
            for b in 0..second.record.count(entity) {
                let row = Row {
                    verifier,
                    pairs: self,
                    plan,
                    first,
                    second,
                    a,
                    b,
                };
                candidates.extend(row.likeness().map(|likeness| (likeness, a, b)));
            }
        }
        candidates.sort_unstable_by(|x, y| (Reverse(&x.0), x.1, x.2).cmp(&(Reverse(&y.0), y.1, y.2)));
        for (_, a, b) in candidates {
            if self.second(entity, a).is_none() && self.first(entity, b).is_none() {
                self.join(entity, a, b);
            }
        }
    }

    fn join(&mut self, entity: u16, a: usize, b: usize) {
        let place = |rows: &mut Vec<Vec<Option<usize>>>, row: usize, other: usize| {
            if let Some(place) = rows
                .get_mut(usize::from(entity))
                .and_then(|rows| rows.get_mut(row))
            {
                *place = Some(other);
            }
        };
        place(&mut self.to, a, b);
        place(&mut self.from, b, a);
    }

    /// Whether two answers of an element that points lead to the same: rows that are a pair, the same word, the same label of no row.
    pub(super) fn connection(&self, link: &Link, first: Pointing, second: Pointing) -> Connection {
        let (Pointing::At(first), Pointing::At(second)) = (first, second) else {
            return Connection::Plain;
        };
        // A row of the first document that is in no pair leads to nothing the second could name.
        let mut led: Vec<Option<Target>> = first
            .into_iter()
            .map(|target| match target {
                Target::Row(row) => self.second(link.to, row).map(Target::Row),
                other => Some(other),
            })
            .collect();
        led.sort_unstable();
        let same = led.len() == second.len()
            && led.iter().zip(&second).all(|(led, there)| {
                let alone = matches!(there, Target::Row(row) if self.first(link.to, *row).is_none());
                led.as_ref() == Some(there) && !alone
            });
        if same {
            Connection::Same
        } else {
            Connection::Different
        }
    }
}

/// How alike two rows are; the larger, the sooner they pair.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Likeness {
    identical: bool,
    date: u8,
    agreeing: u32,
    differing: Reverse<u32>,
    context: usize,
    tie: u64,
}

/// A row of each document, held against each other.
struct Row<'a> {
    verifier: &'a Verifier,
    pairs: &'a Pairs,
    plan: &'a Plan,
    first: &'a Side<'a>,
    second: &'a Side<'a>,
    a: usize,
    b: usize,
}

/// How the dates of two rows lie to each other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dates {
    Same,
    Within,
    Week,
    Near,
    Far,
    /// At least one is not known.
    Unknown,
}

impl Row<'_> {
    fn cells(&self, element: u16) -> (Cell<'_>, Cell<'_>) {
        (
            self.first.record.cell(self.plan.entity, self.a, element),
            self.second.record.cell(self.plan.entity, self.b, element),
        )
    }

    /// How alike the rows are; `None` when they cannot be the same.
    fn likeness(&self) -> Option<Likeness> {
        let entity = self.plan.entity;
        let (one, two) = (
            self.first.whole(entity, self.a),
            self.second.whole(entity, self.b),
        );
        let identical = one == two;
        let dates = self.dates();
        // Most pairs of dated rows end here: rows that say the same are of the same day.
        if dates == Dates::Far && self.plan.named_by.is_none() {
            return None;
        }
        let (mut agreeing, mut same, mut differing) = (0, 0, 0);
        for part in &self.plan.elements {
            if self.plan.anchor == Some(part.element) {
                continue;
            }
            match self.agrees(part) {
                None => {}
                Some(true) => {
                    same += 1;
                    agreeing += if part.coded || part.link.is_some() { 2 } else { 1 };
                }
                Some(false) => differing += 1,
            }
        }
        let answers = same + differing;
        let alike = answers > 0 && f64::from(same) >= self.verifier.alike * f64::from(answers);
        let fits = match self.plan.named_by {
            Some(name) => {
                let (one, two) = self.cells(name);
                one.is_value() && one == two
            }
            None => match dates {
                Dates::Same | Dates::Within => true,
                Dates::Week | Dates::Near | Dates::Unknown => alike,
                Dates::Far => false,
            },
        };
        (fits || identical).then(|| Likeness {
            identical,
            date: match dates {
                Dates::Same => 4,
                Dates::Within => 3,
                Dates::Week => 2,
                Dates::Near => 1,
                Dates::Far | Dates::Unknown => 0,
            },
            agreeing,
            differing: Reverse(differing),
            context: in_common(
                self.first.context(entity, self.a),
                self.second.context(entity, self.b),
            ),
            tie: tie(one, two),
        })
    }

    fn dates(&self) -> Dates {
        let Some(anchor) = self.plan.anchor else {
            return Dates::Unknown;
        };
        let (one, two) = self.cells(anchor);
        let (Some(one), Some(two)) = (one.as_date(), two.as_date()) else {
            return Dates::Unknown;
        };
        match apart(one, two) {
            _ if one == two => Dates::Same,
            0 => Dates::Within,
            days if days <= WEEK.min(self.verifier.near_days) => Dates::Week,
            days if days <= self.verifier.near_days => Dates::Near,
            _ => Dates::Far,
        }
    }

    /// Whether an element says the same in both; `None` when it is answered in neither.
    fn agrees(&self, part: &Part) -> Option<bool> {
        let (one, two) = self.cells(part.element);
        if one == Cell::Missing && two == Cell::Missing {
            return None;
        }
        let Some(link) = &part.link else {
            return Some(one == two);
        };
        let entity = self.plan.entity;
        let pointing = (
            self.first.pointing(entity, self.a, part.element, link),
            self.second.pointing(entity, self.b, part.element, link),
        );
        Some(match self.pairs.connection(link, pointing.0, pointing.1) {
            Connection::Same => true,
            Connection::Different => false,
            Connection::Plain => one == two,
        })
    }
}

/// Days between two dates: 0 when they share one.
fn apart(one: PartialDate, two: PartialDate) -> i32 {
    (one.first() - two.last()).max(two.first() - one.last()).max(0)
}

/// How many members two sorted lists have in common.
fn in_common(one: &[Print], two: &[Print]) -> usize {
    let (mut a, mut b, mut common) = (0, 0, 0);
    while let (Some(x), Some(y)) = (one.get(a), two.get(b)) {
        match x.cmp(y) {
            std::cmp::Ordering::Less => a += 1,
            std::cmp::Ordering::Greater => b += 1,
            std::cmp::Ordering::Equal => {
                common += 1;
                a += 1;
                b += 1;
            }
        }
    }
    common
}

/// A number of two fingerprints, whichever comes first.
fn tie(one: Print, two: Print) -> u64 {
    use sha2::{Digest, Sha256};
    let mut digest = Sha256::new();
    digest.update(one.min(two));
    digest.update(one.max(two));
    let digest: Print = digest.finalize().into();
    digest
        .iter()
        .take(8)
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}
