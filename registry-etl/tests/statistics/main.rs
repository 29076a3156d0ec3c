//! Replays the estimators against results of R (`survival`, `cmprsk`) and of published interval formulas.

mod proportions;
mod reference;
mod survival;
