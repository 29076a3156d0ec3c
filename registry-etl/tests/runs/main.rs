//! Runs and releases on a real store: incremental, locked, reproducible, readable by audience.

mod incremental;
mod registry;
mod releases;
mod results;
