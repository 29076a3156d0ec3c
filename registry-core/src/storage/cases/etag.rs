//! Strong ETags of cases.
