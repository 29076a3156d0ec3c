//! ETL runs: numbered, one at a time, reproducible from their watermark, incremental by evaluation key.
//!
//! 1. [`execute`] takes the store's lock and fixes the watermark.
//! 2. Of the case versions at the watermark only those are evaluated whose evaluation key is not stored; the others are
//!    referenced.
//! 3. All evaluations of the run are read back and aggregated; the results are stored as JSON documents, exactly and as the
//!    committee and the public may see them.
//! 4. The coordinating office publishes the run: what of it may be shown beside the runs published before is stored with it.
//!
//! 5. On demand the same cases are judged by other rules: [`sensitivity`], [`compare`].
//!
//! [`again`] computes a finished run anew from its watermark, to be held against what is stored.
//!
//! [`Reader`] hands results to pages and the API, by audience, and a centre's own units to the centre.

mod again;
mod compare;
mod counted;
mod execute;
mod own;
mod publish;
mod read;
mod sensitivity;

pub use again::again;
pub use compare::compare;
pub(crate) use execute::low_volume;
pub use execute::{Options, Phase, Progress, centre_table, execute};
pub use own::OwnUnit;
pub use publish::publish;
pub use read::Reader;
pub use sensitivity::{alternatives, sensitivity};

use crate::cohorts::DefinitionError;
use crate::measures::{EngineError, PayloadError, adherence::AggregateError};
use crate::statistics::StatisticsError;
use registry_core::record::CentreTableError;
use registry_core::storage::StoreError;

/// Ends the key of what is computed on demand and kept with a run; it changes when the same question would be answered otherwise, so that
/// what was kept before is not answered again.
pub const MADE_AS: &str = "#2";

/// A run failed, or a result cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Payload(#[from] PayloadError),
    #[error(transparent)]
    Aggregate(#[from] AggregateError),
    #[error(transparent)]
    Endpoints(#[from] DefinitionError),
    #[error("survival cannot be estimated")]
    Statistics(#[from] StatisticsError),
    #[error("the centre table is not usable")]
    Centres(#[from] CentreTableError),
    #[error("a stored result is not of this program's format")]
    Format(#[from] serde_json::Error),
    #[error("a case was transferred while the cases were read; start again")]
    Transferred,
    #[error("a thread that evaluates cases has stopped")]
    Thread,
}

impl RunError {
    /// The class of failure kept with a failed run: no values.
    fn class(&self) -> &'static str {
        match self {
            Self::Store(_) => "store",
            Self::Engine(_) => "engine",
            Self::Payload(_) => "evaluation_payload",
            Self::Aggregate(_) => "aggregation",
            Self::Endpoints(_) => "endpoints",
            Self::Statistics(_) => "statistics",
            Self::Centres(_) => "centre_table",
            Self::Format(_) => "format",
            Self::Transferred => "transfer",
            Self::Thread => "thread",
        }
    }
}
