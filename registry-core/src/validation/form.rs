//! What the rules read a case with: the newest form of the case schema, its checks and its guidelines.

use std::sync::Arc;

use super::identity::RowKeys;
use super::imprecise::WindowDates;
use super::lock::LockPolicy;
use super::{Assessment, JudgeError};
use crate::dictionary::Dictionary;
use crate::form::Forms;
use crate::guideline::Guideline;
use crate::record::{Layout, Record};
use crate::rules::{CheckSet, SectionSet};
use crate::versions::{CaseSchema, SchemaStore};

/// A version of the case schema that checks and measures are compiled for. Documents of earlier versions are upgraded to it.
pub(super) struct Form {
    pub(super) dictionary: Arc<Dictionary>,
    pub(super) layout: Arc<Layout>,
    pub(super) checks: CheckSet,
    pub(super) guidelines: Vec<Guideline>,
    pub(super) window_dates: WindowDates,
    pub(super) lock: LockPolicy,
    pub(super) row_keys: RowKeys,
}

impl Form {
    pub(super) fn compile(
        case_schema: &CaseSchema,
        store: &SchemaStore,
        entry: &Forms,
    ) -> Result<Self, JudgeError> {
        let rules = |source| JudgeError::Rules {
            version: case_schema.version.clone(),
            source,
        };
        let layout = Layout::of(&case_schema.dictionary).map_err(|source| JudgeError::Layout {
            version: case_schema.version.clone(),
            source,
        })?;
        let layout = Arc::new(layout);
        let guidelines = Guideline::all(store, &layout).map_err(rules)?;
        Ok(Form {
            dictionary: Arc::clone(&case_schema.dictionary),
            checks: CheckSet::of(store, &layout).map_err(rules)?,
            // A version that is not in force must not query anything.
            window_dates: WindowDates::of(
                &case_schema.dictionary,
                guidelines.iter().filter(|guideline| guideline.is_active()),
            ),
            lock: LockPolicy::of(store, &layout)?,
            row_keys: entry
                .references(&case_schema.dictionary)
                .map(|references| RowKeys::of(&case_schema.dictionary, &references))
                .unwrap_or_default(),
            guidelines,
            layout,
        })
    }

    /// What the guidelines in force say, and what every outcome found not attested.
    pub(super) fn assess(&self, record: &Record) -> (Vec<Assessment>, Vec<Vec<SectionSet>>) {
        let active = self.guidelines.iter().filter(|guideline| guideline.is_active());
        let assess = active.map(|guideline| {
            let (outcomes, open) = guideline.evaluate_noting(record, |_, _| true).into_iter().unzip();
            let guideline = guideline.id.clone();
            (Assessment { guideline, outcomes }, open)
        });
        assess.unzip()
    }
}
