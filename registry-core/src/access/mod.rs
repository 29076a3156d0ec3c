//! Who asks, in which role, and what that role may touch.
//!
//! A [`Scope`] is made from credentials (an API key, a browser session) or, for the command line and the ETL,
//! by [`Scope::system`]. Every method of the store takes one: without a scope there is nothing to call.

mod key;
mod password;
mod role;
mod scope;
mod totp;

pub(crate) use key::at_rest;
pub use key::{ApiKey, KeyParseError, Token};
pub use password::Weakness;
pub(crate) use password::{Passwords, check as check_password};
pub use role::Role;
pub use scope::Scope;
pub use totp::{TotpSecret, code_at};
