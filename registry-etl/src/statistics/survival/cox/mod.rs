//! Proportional hazards regression (Cox), with ties, strata, delayed entry, weights and clusters.
//!
//! Partial likelihood `sum over events of w (x b - log sum over the risk set of w e^{x b})`; at a time with `d` events
//! Efron's approximation lets the events leave the set one d-th at a time, Breslow's not at all. Time-dependent covariates
//! are rows `(start, stop]` of one subject. Standard errors from the inverse information, or robust (Lin, Wei 1989).
//! Sources: Cox 1972; Efron 1977; Breslow 1974; Andersen, Gill 1982; Therneau, Grambsch 2000.

mod baseline;
mod concordance;
pub(super) mod design;
mod expected;
mod fit;
pub(super) mod newton;
pub(super) mod risk;
mod robust;
mod zph;

pub use baseline::{BaselineStep, Predicted};
pub use concordance::Concordance;
pub use fit::{Cox, CoxModel, Ties, cox};
pub use zph::{Proportionality, TimeScale, ZphTest};

pub(super) use fit::{add as fit_terms, at_no_effect};
