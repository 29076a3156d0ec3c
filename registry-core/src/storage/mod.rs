//! Where cases, their history, runs and the audit trail live: SQLite (embedded default) or PostgreSQL, one code path.
//!
//! [`Store`] is the only door. Every method takes a [`crate::access::Scope`]; whatever changes something is audited in
//! the same transaction. Documents are opaque to SQL: compressed canonical JSON, sealed with the case's own key.
//!
//! | file | holds |
//! |---|---|
//! | `options`, `error` | what to open, what can go wrong |
//! | `connection`, `tables`, `migrations` | both dialects behind one enum, one `table!` set, the embedded migrations |
//! | `writer`, `transaction` | the one writer: concurrent changes share a durable commit, each in a savepoint of its own |
//! | `cases/` | submissions, versions, findings, life cycle, withdrawal |
//! | `centres`, `keys`, `sessions`, `tasks`, `idempotency`, `trail` | administration |
//! | `jobs`, `mappings` | imports: progress and report, and how foreign projects are read |
//! | `runs/`, `releases` | ETL runs, evaluations, results, publication; frozen releases |
//! | `backup`, `export` | hot copy, canonical export, withdrawals re-applied after a restore |

mod backup;
mod cases;
mod centres;
mod connection;
mod error;
mod export;
mod faults;
mod filed;
mod idempotency;
mod identifiers;
mod jobs;
mod keyring;
mod keys;
mod mappings;
mod migrations;
mod options;
mod page;
mod releases;
mod runs;
mod sessions;
mod store;
mod tables;
mod target;
mod tasks;
mod trail;
mod transaction;
mod writer;

pub use backup::WithdrawalRecord;
pub use cases::{
    CaseFilter, CaseRow, CaseStatus, Derived, FindingAnswer, FindingState, FrozenRows, LifeCycle,
    LivingFinding, OwnCase, Precondition, PutCase, PutOutcome, StoredCase, StoredFinding, StoredSeverity,
    VersionRow, Withdraw, WithdrawOutcome, Withdrawal, WithdrawalMode,
};
pub use centres::{Centre, CentreYear, NewCentre};
pub use error::{AuthFailure, Outage, StoreError};
pub use idempotency::{Answer, Claim, Idempotency, Render};
pub use jobs::{Job, JobCounts, JobState};
pub use keys::{CreatedKey, KeyInfo, NewKey};
pub use mappings::MappingInfo;
pub use options::{OptionsError, StoreOptions};
pub use page::Page;
pub use releases::{NewRelease, Release};
pub use runs::{
    CaseDocument, CaseHeader, CaseRef, EvaluationRef, FinishRun, NewEvaluation, ResultKey, Run,
    RunEvaluation, RunProgress, RunResult, RunStatus, StartRun,
};
pub use sessions::{NewSession, Session, SignInLink};
pub use store::Store;
pub use tasks::{Task, TaskKind};
pub use trail::{AuditFilter, AuditRow};
