//! The measures the committee looks at first, as it chose them: every list stays, the last one holds.

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::prelude::*;
use serde::Serialize;

use super::{codes, steers};
use crate::access::Scope;
use crate::guideline::indicators::MOST;
use crate::storage::connection::on_conn;
use crate::storage::identifiers::{is_name, utc};
use crate::storage::store::require;
use crate::storage::tables::indicator_lists;
use crate::storage::transaction::Event;
use crate::storage::{Store, StoreError};

codes! {
    /// Why another list was chosen.
    ChosenFor {
        /// The yearly look at the list.
        YearlyReview = "yearly_review",
        /// The guideline has another version.
        GuidelineChanged = "guideline_changed",
        /// Too much of a measure cannot be assessed, or too few patients are concerned.
        TooLittleData = "too_little_data",
        /// Centres reach it: nothing is left to look for.
        Reached = "reached",
        /// The committee wants to look at something else.
        NewInterest = "new_interest",
    }
}

/// A list as it was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IndicatorList {
    /// From 1, in the order of choosing.
    pub number: i64,
    /// Ids of measures, in the order in which they are shown.
    pub measures: Vec<String>,
    /// Why.
    pub reason: ChosenFor,
    /// When.
    pub chosen_at: DateTime<Utc>,
    /// By whom.
    pub chosen_by: String,
}

type Row = (i64, String, String, NaiveDateTime, String);

fn list((number, measures, reason, at, chosen_by): Row) -> Result<IndicatorList, StoreError> {
    let wrong = || StoreError::Internal("a stored list of indicators does not read".to_owned());
    Ok(IndicatorList {
        number,
        measures: serde_json::from_str(&measures).map_err(|_| wrong())?,
        reason: ChosenFor::named(&reason).ok_or_else(wrong)?,
        chosen_at: utc(at),
        chosen_by,
    })
}

impl Store {
    /// Chooses the measures looked at first, in this order. `committee`, `coordinator`. That the guideline has them is the caller's to check.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`]; [`StoreError::Invalid`] for none, more than twelve, one twice, or the list that holds already.
    pub fn choose_indicators(
        &self,
        scope: &Scope,
        measures: Vec<String>,
        reason: ChosenFor,
    ) -> Result<IndicatorList, StoreError> {
        require(scope, steers(scope), "choose indicators")?;
        let twice = |at: usize| measures[..at].contains(&measures[at]);
        if measures.is_empty() || measures.len() > MOST || !measures.iter().all(|one| is_name(one)) {
            return Err(StoreError::Invalid("choose 1 to 12 measures by their ids"));
        }
        if (0..measures.len()).any(twice) {
            return Err(StoreError::Invalid("a measure can be chosen once"));
        }
        self.write(scope, move |tx| {
            let query = indicator_lists::table
                .order(indicator_lists::number.desc())
                .limit(1);
            let rows = on_conn!(tx.conn()?, c => query.load::<Row>(c))?;
            let last = rows.into_iter().next().map(list).transpose()?;
            if last.as_ref().is_some_and(|last| last.measures == measures) {
                return Err(StoreError::Invalid("this is the list already"));
            }
            let chosen = IndicatorList {
                number: last.map_or(1, |last| last.number + 1),
                measures: measures.clone(),
                reason,
                chosen_at: utc(tx.now),
                chosen_by: tx.scope.actor().to_owned(),
            };
            let row = (
                indicator_lists::number.eq(chosen.number),
                indicator_lists::measures.eq(serde_json::json!(measures).to_string()),
                indicator_lists::reason.eq(reason.as_str()),
                indicator_lists::chosen_at.eq(tx.now),
                indicator_lists::chosen_by.eq(&chosen.chosen_by),
            );
            on_conn!(tx.conn()?, c => diesel::insert_into(indicator_lists::table).values(row).execute(c))?;
            let event = Event::new("indicators.choose").detail("number", chosen.number);
            tx.audit(
                event
                    .detail("measures", measures.clone())
                    .detail("reason", reason.as_str()),
            );
            Ok(chosen)
        })
    }

    /// Every list that was chosen, newest first: the first one holds. Anyone with a scope.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn indicator_lists(&self, scope: &Scope) -> Result<Vec<IndicatorList>, StoreError> {
        let query = indicator_lists::table.order(indicator_lists::number.desc());
        let rows = self.read(scope, |conn, _| Ok(on_conn!(conn, c => query.load::<Row>(c))?))?;
        rows.into_iter().map(list).collect()
    }
}
