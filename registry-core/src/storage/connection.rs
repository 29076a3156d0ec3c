//! Both dialects.
