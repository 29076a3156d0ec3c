//! One integration binary; the modules mirror the URL tree of the service, plus the tests that read the repository itself.

mod layering;
mod tidy;
