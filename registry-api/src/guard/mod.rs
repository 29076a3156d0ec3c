//! What stands between a request and a handler: who asks, how often, how much, and the headers of every answer.

mod body;
mod caller;
mod form;
pub mod headers;
mod middleware;
mod policy;
pub mod query;
mod rate;
pub mod request_id;
mod upload;

pub use body::{Json, RawBody};
pub use caller::{Allowed, Reader, SESSION_COOKIE, Via, role_name};
pub use form::{AllowedForm, Fields, OpenForm, Parameters};
pub use middleware::{Envelope, observe};
pub use policy::{
    Administers, Anyone, Coordinates, FilesRequests, LeadsCentre, Policy, ReadsAudit, ReadsPublished,
    ReadsReleases, ReadsRequests, ReadsResults, ReadsRuns, ReadsVerifications, SeesCases, Steers, Submits,
};
pub use query::NoQuery;
pub use rate::RateLimiter;
pub use upload::AllowedUpload;
