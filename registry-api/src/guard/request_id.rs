//! The id of the request being served, for answers, logs and the audit trail.

use registry_core::clock::{Clock, Entropy};

tokio::task_local! {
    static CURRENT: String;
}

/// The id of the request being served; empty outside of one.
pub fn current() -> String {
    CURRENT.try_with(Clone::clone).unwrap_or_default()
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

/// Runs `future` as the handling of request `id`.
pub async fn scope<F: Future>(id: String, future: F) -> F::Output {
    CURRENT.scope(id, future).await
}

/// Runs `work` on this thread as part of request `id`.
pub fn sync_scope<T>(id: String, work: impl FnOnce() -> T) -> T {
    CURRENT.sync_scope(id, work)
}
