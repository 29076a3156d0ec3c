//! Who may do what: a policy is a type that stands in the handler's signature.

use registry_core::access::Role;

/// A set of roles with a name.
pub trait Policy: 'static {
    /// The roles that pass.
    const ROLES: &'static [Role];
    /// A path below `/api/v1` answers with a problem, a page with the sign-in page.
    const WHAT: &'static str;
}

macro_rules! policies {
    ($($(#[$doc:meta])* $name:ident = $what:literal [$($role:ident),+],)+) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy)]
            pub struct $name;
            impl Policy for $name {
                const ROLES: &'static [Role] = &[$(Role::$role),+];
                const WHAT: &'static str = $what;
            }
        )+
    };
}

policies! {
    /// Anyone who is signed in.
    Anyone = "sign in" [Submitter, CentreLead, Researcher, Committee, Coordinator, Admin],
    /// Sends cases of one centre.
    Submits = "submit cases" [Submitter, CentreLead],
    /// Reads cases: the own centre's, or all.
    SeesCases = "read cases" [Submitter, CentreLead, Coordinator],
    /// Verifies, locks and unlocks cases.
    LeadsCentre = "verify and lock cases" [CentreLead, Coordinator],
    /// Reads results of runs, as far as disclosure control lets the role see them.
    ReadsResults = "read results by measure" [Submitter, CentreLead, Committee, Coordinator],
    /// Reads survival with the published series, and the rules: researchers too, as far as disclosure control lets the public see them.
    ReadsPublished = "read survival" [Submitter, CentreLead, Researcher, Committee, Coordinator],
    /// Reads which cases are drawn for verification (who sees cases), or how far they agree.
    ReadsVerifications = "read verifications" [Submitter, CentreLead, Committee, Coordinator],
    /// Reads the list of runs.
    ReadsRuns = "read runs" [Committee, Coordinator],
    /// Follows up signals, chooses the measures looked at first.
    Steers = "follow up signals or choose indicators" [Committee, Coordinator],
    /// Starts and publishes runs, freezes releases.
    Coordinates = "coordinate" [Coordinator],
    /// Manages centres and keys.
    Administers = "administer" [Coordinator, Admin],
    /// Reads the audit trail.
    ReadsAudit = "read the audit trail" [Coordinator, Admin],
    /// Reads data requests: a researcher's own, or all.
    ReadsRequests = "read data requests" [Researcher, Coordinator],
    /// Files data requests.
    FilesRequests = "file data requests" [Researcher],
    /// Reads what releases there are.
    ReadsReleases = "read releases" [Researcher, Coordinator],
}
