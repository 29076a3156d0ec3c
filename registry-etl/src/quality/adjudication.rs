//! Cases whose histology stands in neither column of the source's Table 1 and on which nothing has been decided.

use std::collections::BTreeMap;

use registry_core::storage::CaseRef;

use crate::measures::CaseEvaluation;

/// A morphology that waits for a decision, and the cases it keeps out of the measures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecided {
    pub morphology: String,
    /// By centre and record id.
    pub cases: Vec<CaseRef>,
}

/// The morphologies of a run that wait, those with most cases first.
pub fn undecided<'a>(cases: impl IntoIterator<Item = (&'a CaseRef, &'a CaseEvaluation)>) -> Vec<Undecided> {
    let mut waiting: BTreeMap<&str, Vec<CaseRef>> = BTreeMap::new();
    for (case, evaluation) in cases {
        if let Some(morphology) = &evaluation.quality.undecided_morphology {
            waiting.entry(morphology).or_default().push(case.clone());
        }
    }
    let mut all: Vec<Undecided> = waiting
        .into_iter()
        .map(|(morphology, cases)| Undecided {
            morphology: morphology.to_owned(),
            cases,
        })
        .collect();
    all.sort_by(|a, b| {
        b.cases
            .len()
            .cmp(&a.cases.len())
            .then_with(|| a.morphology.cmp(&b.morphology))
    });
    all
}
