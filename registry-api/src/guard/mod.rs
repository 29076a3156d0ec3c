//! What stands between a request and a handler: who asks, how often, how much, and the headers of every answer.

mod body;
mod caller;
mod form;
pub mod headers;
mod middleware;
mod policy;
mod rate;
pub mod request_id;

pub use body::{Json, RawBody};
pub use caller::{Allowed, SESSION_COOKIE, Via};
pub use form::{AllowedForm, Fields};
pub use middleware::{Envelope, observe};
pub use policy::{
    Administers, Anyone, Coordinates, LeadsCentre, Policy, ReadsAudit, ReadsReleases, ReadsResults,
    ReadsRuns, ReadsVerifications, SeesCases, Submits,
};
pub use rate::RateLimiter;
