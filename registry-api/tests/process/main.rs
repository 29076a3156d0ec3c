//! What only the whole process can show: its start, its signals, its death; and the table of its routes.

mod catalogue;
mod disk;
mod kill;
mod routes;
mod signals;
mod start;
mod support;
