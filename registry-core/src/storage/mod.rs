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
//! | `cases/` | submissions, versions, findings, life cycle, withdrawal, transfer |
//! | `holders` | which centre held a case when: transfers, as a run or a reader sees them |
//! | `people/` | accounts: invitation, roles, reset, sign-in with password and code, what a person changes |
//! | `owners` | who stands behind an actor's name: keys through their rotation, access that has ended |
//! | `centres`, `keys`, `sessions`, `tasks`, `trail` | administration |
//! | `idempotency`, `once` | the same request again: its answer, kept with the change; claims of long work |
//! | `queries/` | data queries: raised by checks and by people, their states and messages |
//! | `jobs`, `mappings` | imports: progress and report, and how foreign projects are read |
//! | `verifications/` | samples of cases and what was entered again from the source |
//! | `runs/`, `releases`, `freezings` | ETL runs, evaluations, results, publication; frozen releases, and those being made |
//! | `data_requests` | what researchers ask of a release, what was opened, which cases were delivered to whom |
//! | `committee/` | signals followed up, the measures the committee looks at first |
//! | `backup`, `export` | hot copy, canonical export |
//! | `withdrawals` | the ledger of what patients took back, and how a restored copy is told of it again |

mod backup;
mod cases;
mod centres;
mod committee;
mod connection;
mod data_requests;
mod error;
mod export;
mod faults;
mod filed;
mod freezings;
mod holders;
mod idempotency;
mod identifiers;
mod jobs;
mod keyring;
mod keys;
mod mappings;
mod migrations;
mod once;
mod options;
mod owners;
mod page;
mod people;
mod queries;
mod releases;
mod runs;
mod sessions;
mod store;
mod tables;
mod target;
mod tasks;
mod trail;
mod transaction;
mod verifications;
mod withdrawals;
mod writer;

pub use cases::{
    CaseFilter, CaseRow, CaseStatus, Derived, ErrorsOfCheck, FindingAnswer, FindingState, Foreseen, Formerly,
    FrozenRows, JudgedAgain, LifeCycle, LifeStep, LivingFinding, OwnCase, Precondition, PutCase, PutOutcome,
    Rejudged, StoredCase, StoredFinding, StoredSeverity, Transfer, TransferOutcome, VersionRow,
    WITHDRAWAL_REASONS, Withdraw, WithdrawOutcome, Withdrawal, WithdrawalMode,
};
pub use centres::{Centre, CentreYear, NewCentre};
pub use committee::{
    ChosenFor, ClosedFor, IndicatorList, Letter, RevealedFor, SignalHistory, SignalRef, SignalStatus,
    SignalStep, StepTaken,
};
pub use data_requests::{
    DataAccess, DataRequest, DeliveredBundle, HeldWithdrawn, NewDataRequest, Recipient, RequestStatus,
};
pub use error::{AuthFailure, Outage, StoreError};
pub use freezings::{Freezing, FreezingState};
pub use holders::{HeldBy, Holders};
pub use idempotency::{Answer, Claim, Held, Idempotency, Render};
pub use jobs::{Job, JobCounts, JobState};
pub use keys::{CreatedKey, KeyInfo, NewKey};
pub use mappings::MappingInfo;
pub use once::Once;
pub use options::{OptionsError, StoreOptions};
pub use page::Page;
pub use people::{Enrolled, Enrolment, Invited, NewPerson, OwnAccount, OwnSession, Person, PersonState};
pub use queries::{
    DataQuery, NewQuery, QueriesOfAll, QueriesWaiting, QueryAction, QueryClosing, QueryEntry, QueryFilter,
    QueryMove, QuerySide, QueryState, QueryStep, QueryThread, QueryTimes, RaisedBy,
};
pub use releases::{NewRelease, Release};
pub use runs::{
    CaseDocument, CaseHeader, CaseRef, CasesLeftOut, EvaluationRef, FinishRun, NewEvaluation, Publication,
    ResultKey, Run, RunEvaluation, RunProgress, RunResult, RunStatus, StartRun,
};
pub use sessions::{AccountOf, NewSession, Session, SignInLink};
pub use store::Store;
pub use tasks::{Task, TaskKind};
pub use trail::{AuditFilter, AuditRow};
pub use verifications::{NewVerification, ReenteredCase, SampledCase, Verification};
pub use withdrawals::{Reapplied, TakenBack, WithdrawalRecord};
