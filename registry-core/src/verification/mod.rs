//! Source-data verification: a case entered again from its source, compared with the stored one element by element.
//!
//! Both documents are read in their newest form. What another person cannot know is left out: the envelope, the pseudonym, derived elements,
//! the labels rows are given (`lesion_id`), and what `schema/quality/verification.toml` names.
//!
//! | file | decides |
//! |---|---|
//! | `rules` | what is compared, and the numbers of `schema/quality/verification.toml` |
//! | `sample` | which cases a draw takes |
//! | `print` | what a row says, and what it is connected to, as a fingerprint |
//! | `align` | which row of one document is which row of the other |
//! | `compare` | what becomes of every element |
//! | `critical` | how many measures read an element |

mod align;
mod compare;
mod critical;
mod print;
mod rules;
pub(crate) mod sample;

pub use compare::{Cell, Comparison, Difference, Kind};
pub use rules::{Verifier, VerifierError};
