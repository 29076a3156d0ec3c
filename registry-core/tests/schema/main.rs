//! From bytes to verdict: the door, the schema store, the dictionary and the judge, on the schema as published.

mod body;
mod dictionary;
mod door;
mod judge;
mod mutations;
mod store;
