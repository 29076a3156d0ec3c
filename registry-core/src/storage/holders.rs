//! Which centre held a case when.
//!
//! The rows of a case are with the centre that holds it now. Where it was before is told by its transfers, and a transfer becomes known
//! with its event in the trail: at an earlier watermark the case is where it was then, so that a run stays what it was.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use diesel::prelude::*;
use serde::Serialize;

use super::cases::{CaseRecord, open_reason};
use super::connection::{Conn, on_conn};
use super::identifiers::utc;
use super::keyring::CaseKey;
use super::tables::transfers;
use super::{Store, StoreError};
use crate::access::Scope;

/// How a centre is spoken of to those who may not know which it is.
pub(crate) const ANOTHER: &str = "another centre";

/// The centres that held a case, one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holders {
    first: String,
    /// From which day on, and to which centre; in the order of the transfers, days not falling.
    later: Vec<(NaiveDate, String)>,
}

impl Holders {
    /// A case that has been with one centre only.
    pub fn alone(centre: impl Into<String>) -> Self {
        Self {
            first: centre.into(),
            later: Vec::new(),
        }
    }

    /// The same, transferred as of a day.
    #[must_use]
    pub fn then(mut self, on: NaiveDate, to: impl Into<String>) -> Self {
        self.later.push((on, to.into()));
        self
    }

    /// The centre that holds the case last.
    pub fn now(&self) -> &str {
        self.later.last().map_or(&self.first, |(_, to)| to)
    }

    /// The centre that held the case on a day: from the day of a transfer on the one it came to. Before any day is known, the first.
    pub fn on(&self, day: Option<NaiveDate>) -> &str {
        let came = |(on, _): &&(NaiveDate, String)| day.is_some_and(|day| *on <= day);
        self.later
            .iter()
            .rev()
            .find(came)
            .map_or(&self.first, |(_, to)| to)
    }

    /// Whether the case was ever transferred.
    pub fn moved(&self) -> bool {
        !self.later.is_empty()
    }

    /// The transfers: from which day on, to which centre.
    pub fn days(&self) -> impl Iterator<Item = (NaiveDate, &str)> {
        self.later.iter().map(|(on, to)| (*on, to.as_str()))
    }

    /// Each centre once, in the order the case first came to it.
    pub fn centres(&self) -> Vec<&str> {
        let mut all: Vec<&str> = Vec::new();
        for centre in std::iter::once(&self.first).chain(self.later.iter().map(|(_, to)| to)) {
            if !all.contains(&centre.as_str()) {
                all.push(centre);
            }
        }
        all
    }

    /// What an evaluation depends on: the centre, and for a case that was transferred the centres with their days.
    pub fn fingerprint(&self) -> String {
        let later = self.later.iter().map(|(on, to)| format!("\n{on} {to}"));
        std::iter::once(self.first.clone()).chain(later).collect()
    }
}

/// One stretch of a case's history, as a reader may know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct HeldBy {
    /// The centre; to another centre than this one only that it was another.
    pub centre: String,
    /// First day; `None` for the centre that registered the case.
    pub since: Option<NaiveDate>,
    /// Day of the transfer that ended it; `None` for the centre that holds the case.
    pub until: Option<NaiveDate>,
    /// When the transfer to this centre was recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recorded_at: Option<DateTime<Utc>>,
    /// By whom; for the coordinating office.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recorded_by: Option<String>,
    /// Why; for the coordinating office.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

#[derive(Clone, Queryable, Insertable)]
#[diesel(table_name = transfers, treat_none_as_default_value = false)]
pub(crate) struct TransferRecord {
    pub(crate) centre_id: String,
    pub(crate) case_id: String,
    pub(crate) number: i64,
    pub(crate) from_centre: String,
    pub(crate) to_centre: String,
    pub(crate) effective_on: NaiveDate,
    pub(crate) transferred_at: NaiveDateTime,
    pub(crate) change_seq: i64,
    pub(crate) reason: String,
    pub(crate) actor: String,
}

/// The transfers of one case, in order.
pub(crate) fn transfers_of(
    conn: &mut Conn,
    centre: &str,
    case_id: &str,
) -> Result<Vec<TransferRecord>, StoreError> {
    let query = transfers::table
        .filter(transfers::centre_id.eq(centre))
        .filter(transfers::case_id.eq(case_id))
        .order(transfers::number);
    Ok(on_conn!(conn, c => query.load::<TransferRecord>(c))?)
}

/// From, to, as of which day, known since which change.
type Move = (String, String, NaiveDate, i64);

/// Every transfer the reader may see, as known at a watermark. Transfers are rare: one query serves a whole batch of cases.
pub(crate) struct Transfers {
    watermark: i64,
    by_case: HashMap<(String, String), Vec<Move>>,
}

impl Transfers {
    pub(crate) fn at(conn: &mut Conn, watermark: i64) -> Result<Self, StoreError> {
        let query = transfers::table
            .order((transfers::centre_id, transfers::case_id, transfers::number))
            .select((
                (transfers::centre_id, transfers::case_id),
                (
                    transfers::from_centre,
                    transfers::to_centre,
                    transfers::effective_on,
                    transfers::change_seq,
                ),
            ));
        let mut by_case: HashMap<(String, String), Vec<Move>> = HashMap::new();
        for (case, moved) in on_conn!(conn, c => query.load::<((String, String), Move)>(c))? {
            by_case.entry(case).or_default().push(moved);
        }
        Ok(Self { watermark, by_case })
    }

    /// The holders of the case whose rows are with `centre` now.
    pub(crate) fn holders(&self, centre: &str, case_id: &str) -> Holders {
        let all = self.by_case.get(&(centre.to_owned(), case_id.to_owned()));
        let Some((first, ..)) = all.and_then(|all| all.first()) else {
            return Holders::alone(centre);
        };
        let known = all
            .into_iter()
            .flatten()
            .filter(|(.., seq)| *seq <= self.watermark);
        known.fold(Holders::alone(first), |holders, (_, to, on, _)| {
            holders.then(*on, to)
        })
    }
}

/// Who a version or an answer is by, to a reader of the case: what happened while another centre held it was done there, and nobody at the
/// centre that holds it now needs a name for it.
pub(crate) struct Authors<'a> {
    /// Moments of the transfers with the centre each came from, and the centre that holds the case.
    moves: Vec<(NaiveDateTime, String)>,
    now: &'a str,
    knows_all: bool,
}

impl<'a> Authors<'a> {
    pub(crate) fn of(conn: &mut Conn, scope: &Scope, case: &'a CaseRecord) -> Result<Self, StoreError> {
        let moves = transfers_of(conn, &case.centre_id, &case.case_id)?;
        Ok(Self {
            moves: moves
                .into_iter()
                .map(|t| (t.transferred_at, t.from_centre))
                .collect(),
            now: &case.centre_id,
            knows_all: scope.role().sees_all_cases(),
        })
    }

    /// The author of something done at a moment.
    pub(crate) fn shown(&self, actor: String, at: NaiveDateTime) -> String {
        let holder = self.moves.iter().find(|(moved, _)| at < *moved);
        match holder {
            Some((_, centre)) if !self.knows_all && centre != self.now => ANOTHER.to_owned(),
            _ => actor,
        }
    }
}

fn history(moves: &[TransferRecord], case: &CaseRecord, key: Option<&CaseKey>, scope: &Scope) -> Vec<HeldBy> {
    let knows_all = scope.role().sees_all_cases();
    let named = |centre: &str| {
        if scope.covers(centre) {
            centre.to_owned()
        } else {
            ANOTHER.to_owned()
        }
    };
    let first = moves
        .first()
        .map_or(case.centre_id.as_str(), |first| first.from_centre.as_str());
    let mut all = vec![HeldBy {
        centre: named(first),
        since: None,
        until: None,
        recorded_at: None,
        recorded_by: None,
        reason: None,
    }];
    for moved in moves {
        if let Some(before) = all.last_mut() {
            before.until = Some(moved.effective_on);
        }
        all.push(HeldBy {
            centre: named(&moved.to_centre),
            since: Some(moved.effective_on),
            until: None,
            recorded_at: Some(utc(moved.transferred_at)),
            recorded_by: knows_all.then(|| moved.actor.clone()),
            reason: open_reason(key, &case.centre_id, &case.case_id, &moved.reason).filter(|_| knows_all),
        });
    }
    all
}

impl Store {
    /// The centres that held a case, first to last: by id for the coordinating office, to a centre only which stretch was its own.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn holders(&self, scope: &Scope, pseudonym: &str) -> Result<Vec<HeldBy>, StoreError> {
        self.read(scope, |conn, keys| {
            let case = super::cases::locate(conn, keys, scope, pseudonym)?;
            let key = case.wrapped_key.is_some().then(|| case.key(keys)).transpose()?;
            let moves = transfers_of(conn, &case.centre_id, &case.case_id)?;
            Ok(history(&moves, &case, key.as_ref(), scope))
        })
    }

    /// The change of the latest transfer, 0 before there was one. Who reads many cases in several steps asks before and after: a case that
    /// changed hands in between may have been met twice or not at all.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn last_transfer(&self, scope: &Scope) -> Result<i64, StoreError> {
        let query = transfers::table.select(diesel::dsl::max(transfers::change_seq));
        self.read(scope, |conn, _| {
            Ok(on_conn!(conn, c => query.first::<Option<i64>>(c))?.unwrap_or(0))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn the_holder_of_a_day_is_the_one_it_came_to_last() {
        let holders = Holders::alone("A")
            .then(day("2026-03-01"), "B")
            .then(day("2026-06-01"), "C");
        let on = |text: &str| holders.on(Some(day(text)));
        assert_eq!((on("2020-01-01"), on("2026-02-28")), ("A", "A"));
        assert_eq!((on("2026-03-01"), on("2026-05-31")), ("B", "B"));
        assert_eq!((on("2026-06-01"), on("2030-01-01")), ("C", "C"));
        assert_eq!((holders.on(None), holders.now()), ("A", "C"));
    }

    #[test]
    fn a_transfer_taken_back_as_of_its_own_day_leaves_no_day_to_the_other_centre() {
        let holders = Holders::alone("A")
            .then(day("2026-03-01"), "B")
            .then(day("2026-03-01"), "A");
        assert!(
            ["2026-02-28", "2026-03-01", "2026-03-02"].map(|text| holders.on(Some(day(text)))) == ["A"; 3]
        );
        assert_eq!(holders.centres(), ["A", "B"]);
    }

    #[test]
    fn a_case_that_stayed_has_the_fingerprint_of_its_centre() {
        assert_eq!(Holders::alone("A").fingerprint(), "A");
        let moved = Holders::alone("A").then(day("2026-03-01"), "B");
        assert_eq!(moved.fingerprint(), "A\n2026-03-01 B");
    }

    #[test]
    fn a_transfer_is_unknown_before_its_change() {
        let moves = vec![
            ("A".to_owned(), "B".to_owned(), day("2026-03-01"), 10),
            ("B".to_owned(), "C".to_owned(), day("2026-06-01"), 20),
        ];
        let at = |watermark| Transfers {
            watermark,
            by_case: HashMap::from([(("C".to_owned(), "x".to_owned()), moves.clone())]),
        };
        assert_eq!(at(9).holders("C", "x"), Holders::alone("A"));
        assert_eq!(at(19).holders("C", "x").now(), "B");
        assert_eq!(at(20).holders("C", "x").now(), "C");
        assert_eq!(at(20).holders("C", "y"), Holders::alone("C"));
    }
}
