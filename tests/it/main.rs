//! One integration binary; the modules mirror the URL tree of the service, plus the tests that read the repository itself.

mod cases;
mod isolation;
mod layering;
mod postgres;
mod releases;
mod results;
mod tidy;
