//! The store on both databases. PostgreSQL is found through `REGISTRY_TEST_POSTGRES`; each test makes its own database.

mod cases;
mod support;
