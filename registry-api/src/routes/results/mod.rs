//! x
use super::Endpoint;
pub(super) fn endpoints() -> Vec<Endpoint> {
    Vec::new()
}
