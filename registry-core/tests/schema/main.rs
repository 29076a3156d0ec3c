//! From bytes to verdict: the door, the schema store, the dictionary and the judge, on the schema as published.

mod body;
mod checks;
mod dictionary;
mod door;
mod examples;
mod judge;
mod mutations;
mod store;
