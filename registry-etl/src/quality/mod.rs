//! Data quality: what a centre has to do, how completely and how soon it reports.
//!
//! | file | holds |
//! |---|---|
//! | `facts` | what is read from one case, and stored with its evaluation |
//! | `counts` | answers to expected elements |
//! | `completeness`, `sums` | the cases of a run added up, for the network and by centre |
//! | `versions` | what positions in the facts mean, by version of the case schema |
//! | `worklist` | the work of one centre, from the evaluations of its cases |
//! | `agreement` | cases entered again from the source, added up by element |
//! | `adjudication` | cases whose histology waits for the committee |
//! | `queries` | data queries added up: how many, how soon answered and closed |
//! | `quantiles` | quantiles of days |

mod adjudication;
mod agreement;
mod completeness;
mod counts;
mod facts;
mod quantiles;
mod queries;
mod sums;
mod versions;
mod worklist;

pub use adjudication::{Undecided, undecided};
pub use agreement::{Agreement, AgreementLevel, AgreementTally, ElementAgreement, NETWORK};
pub use completeness::Tally;
pub use counts::{Answer, Answered, Counts};
pub use facts::{QualityFacts, QualityShare, Subject, Submission};
pub use queries::{
    CentreQueries, Days, MonthOfQueries, QueryFigures, RuleFigures, cases_by_rule, findings_by_month,
    query_metrics, query_metrics_of_all,
};
pub use versions::Versions;
pub use worklist::{Collector, Unlock, WorkItem, WorkKind, Worklist};

#[cfg(test)]
mod tests;
