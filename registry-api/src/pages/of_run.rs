//! The run an address names, so that the links of a page of an earlier run stay in that run.

/// `None`: the run that is published, which no address names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct OfRun(pub(super) Option<i64>);

impl OfRun {
    /// For an address without parameters: `?run=3`, or nothing.
    pub(super) fn only(&self) -> String {
        self.0.map_or_else(String::new, |run| format!("?run={run}"))
    }

    /// For an address with parameters: `&run=3`, or nothing.
    pub(super) fn more(&self) -> String {
        self.0.map_or_else(String::new, |run| format!("&run={run}"))
    }
}
