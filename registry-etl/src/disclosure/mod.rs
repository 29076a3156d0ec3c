//! Decides what a viewer may see of a count, a rate, a curve or a table.

/// Who is looking, and so from how many patients on a value is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// Anybody: thresholds on the denominator, the numerator and its complement.
    Public,
    /// Steering committee, researchers (consortium), coordinating office reading aggregates of all centres.
    Committee,
    /// A centre: its own rows exactly, the network's rows as the committee sees them, no other centre's.
    Centre(String),
    /// Nothing is hidden: the computation itself, and the coordinating office's data management.
    Exact,
}
