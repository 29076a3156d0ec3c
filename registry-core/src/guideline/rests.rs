//! The parameters a measure rests on, named in its file or not: those its expressions and its population read, those the windows and
//! named dates are made of, the one the timing of a presentation follows from, those of the measures it asks through MEASURE and
//! DENOM; and for an all-or-none summary those of its parts.

use std::collections::BTreeSet;

use super::{Composite, Guideline};
use crate::rules::compile::{Compiler, Reference};

/// What one expression reads.
#[derive(Default)]
pub(super) struct Reads {
    parameters: BTreeSet<String>,
    references: BTreeSet<Reference>,
}

impl Reads {
    /// Adds what a compiler has met.
    pub(super) fn take(&mut self, compiler: &mut Compiler<'_>) {
        self.parameters.extend(compiler.read.iter().cloned());
        self.parameters.append(&mut compiler.implicit);
        self.references.extend(compiler.references.iter().copied());
    }
}

/// What the parts of one measure read.
#[derive(Default)]
pub(super) struct MeasureReads {
    pub(super) denominator: Reads,
    /// Exclusion, exception and numerator.
    pub(super) rest: Reads,
    /// Position of its population.
    pub(super) population: Option<usize>,
}

impl MeasureReads {
    /// Positions of the measures it refers to.
    pub(super) fn references(&self) -> impl Iterator<Item = usize> {
        let all = self.denominator.references.iter().chain(&self.rest.references);
        all.map(|reference| usize::from(reference.measure()))
    }
}

/// The parameters the measure at `start` rests on, in the order of their names.
pub(super) fn parameters_of(start: usize, measures: &[MeasureReads], populations: &[Reads]) -> Vec<String> {
    let mut found: BTreeSet<&String> = BTreeSet::new();
    let (mut seen, mut open) = (BTreeSet::new(), vec![(start, true)]);
    while let Some((at, whole)) = open.pop() {
        let Some(measure) = measures.get(at).filter(|_| seen.insert((at, whole))) else {
            continue;
        };
        // DENOM asks for the denominator alone, without population and exclusion.
        let population = measure.population.and_then(|at| populations.get(at));
        let others = [Some(&measure.rest), population].into_iter().flatten();
        for reads in std::iter::once(&measure.denominator).chain(others.filter(|_| whole)) {
            found.extend(&reads.parameters);
            open.extend(reads.references.iter().map(|reference| match reference {
                Reference::Outcome(measure) => (usize::from(*measure), true),
                Reference::Denominator(measure) => (usize::from(*measure), false),
            }));
        }
    }
    found.into_iter().cloned().collect()
}

impl Guideline {
    /// The parameters a measure or an all-or-none summary (by id) rests on, in the order of their names; none for one that is not known.
    pub fn rests_on(&self, id: &str) -> Vec<&str> {
        let of = |measure: &super::Measure| measure.rests_on.clone();
        let names: BTreeSet<String> = match (self.measure(id), self.composite(id)) {
            (Some((_, measure)), _) => of(measure).into_iter().collect(),
            (None, Some((_, composite))) => self.parts(composite).flat_map(of).collect(),
            (None, None) => BTreeSet::new(),
        };
        let known = self.parameters.keys().filter(|name| names.contains(*name));
        known.map(String::as_str).collect()
    }

    /// Of those, the ones that neither the source fixes nor the committee has ratified: a rate that rests on one says so.
    pub fn unratified(&self, id: &str) -> Vec<&str> {
        let mut names = self.rests_on(id);
        names.retain(|name| {
            let parameter = self.parameters.get(*name);
            parameter.is_some_and(|parameter| !parameter.is_ratified())
        });
        names
    }

    /// Ids of the measures, then of the all-or-none summaries, that rest on a parameter.
    pub fn resting_on(&self, parameter: &str) -> Vec<&str> {
        let measures = self.measures.iter().map(|measure| measure.id.as_str());
        let composites = self.composites.iter().map(|composite| composite.id.as_str());
        let mut all: Vec<&str> = measures.chain(composites).collect();
        all.retain(|id| self.rests_on(id).contains(&parameter));
        all
    }

    /// The measures an all-or-none summary is made of.
    pub fn parts<'a>(&'a self, composite: &'a Composite) -> impl Iterator<Item = &'a super::Measure> {
        let parts = composite.parts.iter();
        parts.filter_map(|part| self.measures.get(usize::from(*part)))
    }

    /// The all-or-none summary of an id, and its position behind the measures.
    pub fn composite(&self, id: &str) -> Option<(u16, &Composite)> {
        let at = self.composites.iter().position(|composite| composite.id == id)?;
        Some(((self.measures.len() + at) as u16, self.composites.get(at)?))
    }
}
