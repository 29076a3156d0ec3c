//! The request being served: its id, for answers, logs and the audit trail, and whether a person's browser asks.

use std::sync::{Arc, OnceLock};

use registry_core::access::Scope;
use registry_core::clock::{Clock, Entropy};

use super::Via;

/// What an error answer must know of its request.
#[derive(Debug, Clone, Default)]
pub struct Current {
    /// The request's id.
    pub id: String,
    /// A page is wanted, not a problem document.
    pub page: bool,
    /// Below `/fhir/`: an `OperationOutcome` is wanted.
    pub fhir: bool,
    /// What people call the provider with which they may sign in: the page for who is not signed in offers it.
    pub provider: Option<String>,
    /// The address that is asked, without its query.
    pub path: String,
    /// It is read, not changed.
    pub reads: bool,
    /// Who asks, once that is known: the page for a problem keeps their menu.
    pub caller: Arc<OnceLock<(Scope, Via)>>,
}

tokio::task_local! {
    static CURRENT: Current;
}

/// The id of the request being served; empty outside of one.
pub fn current() -> String {
    request().id
}

/// The request being served; empty outside of one.
pub fn request() -> Current {
    CURRENT.try_with(Clone::clone).unwrap_or_default()
}

/// Notes who asks.
pub(super) fn known(scope: &Scope, via: &Via) {
    // The first that is noted stays; outside of a request there is nobody to note it for.
    let _ = CURRENT.try_with(|current| {
        current.caller.get_or_init(|| (scope.clone(), via.clone()));
    });
}

/// A new id: UUIDv7 from the passed clock and randomness.
pub fn new(clock: &dyn Clock, entropy: &dyn Entropy) -> String {
    let mut random = [0u8; 10];
    entropy.fill(&mut random);
    let millis = u64::try_from(clock.now().timestamp_millis()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &random)
        .into_uuid()
        .to_string()
}

/// Runs `future` as the handling of a request.
pub async fn scope<F: Future>(request: Current, future: F) -> F::Output {
    CURRENT.scope(request, future).await
}

/// Runs `work` on this thread as part of a request.
pub fn sync_scope<T>(request: Current, work: impl FnOnce() -> T) -> T {
    CURRENT.sync_scope(request, work)
}
