//! Quality of life since the baseline, and who could not be asked or did not answer.

use super::endpoint::{DAYS_PER_MONTH, LEVEL, count};
use super::facts::{Ascertainment, RecordedDate};
use super::settle::{DateReading, LeftOut, day};
use super::units::{Unit, known};
use crate::results::ChangeRow;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// When the score is looked for again, in months since the baseline.
pub(super) const MONTHS: [f64; 3] = [3.0, 6.0, 12.0];
/// Days on either side of such a time.
const WITHIN: i32 = 45;
/// Days before the metastatic diagnosis from which a score may be the baseline.
const BEFORE: i32 = 42;
/// Hundredths of points that matter to a patient.
const MATTERS: i32 = 1_000;

/// A patient with a baseline.
pub(super) struct Followed {
    /// Day of the metastatic diagnosis.
    pub(super) origin: i32,
    baseline: (i32, i32),
    scores: Vec<(i32, i32)>,
    died: Option<i32>,
    cut_off: i32,
}

impl Followed {
    /// The baseline, in hundredths of points.
    pub(super) fn score(&self) -> i32 {
        self.baseline.1
    }

    fn target(&self, months: f64) -> i32 {
        self.baseline.0 + (months * DAYS_PER_MONTH).round() as i32
    }

    /// The score nearest to so many months after the baseline, in hundredths of points.
    pub(super) fn again(&self, months: f64) -> Option<i32> {
        let target = self.target(months);
        // Not the baseline itself, nor anything before it.
        let near = |(day, _): &&(i32, i32)| *day > self.baseline.0 && (day - target).abs() <= WITHIN;
        let found = self.scores.iter().filter(near);
        let nearest = found.min_by_key(|(day, _)| ((day - target).abs(), *day))?;
        Some(nearest.1)
    }
}

/// The baseline of a row, or the first reason why there is none.
pub(super) fn followed(unit: &Unit<'_>, run_cut_off: i32) -> Result<Followed, LeftOut> {
    let facts = &unit.case.survival;
    if !facts.in_core {
        return Err(LeftOut::NotCore);
    }
    let blocked = |date: &RecordedDate| *date == RecordedDate::Blocked;
    let course = &unit.case.course;
    let mut used = course
        .scores
        .iter()
        .map(|(date, _)| *date)
        .chain(course.treatments());
    if blocked(&facts.origin) || used.any(|date| blocked(&date)) {
        return Err(LeftOut::EditError);
    }
    let origin = day(facts.origin, DateReading::Fifteenth)?.ok_or(LeftOut::NoOrigin)?;
    let cut_off = facts.cut_off.min(run_cut_off);
    if origin > cut_off {
        return Err(LeftOut::OriginAfterCutOff);
    }
    match facts.ascertainment {
        Ascertainment::Prospective => {}
        Ascertainment::Retrospective => return Err(LeftOut::Retrospective),
        Ascertainment::NotRecorded => return Err(LeftOut::AscertainmentNotRecorded),
    }
    let mut until = cut_off;
    for treatment in course.treatments() {
        // Over before, however roughly its day is known.
        if matches!(treatment, RecordedDate::Between(_, last) if last < origin) {
            continue;
        }
        // Without its day any score may be of a patient under treatment.
        let at = day(treatment, DateReading::Fifteenth)?.ok_or(LeftOut::EventDateUnknown)?;
        if at >= origin {
            until = until.min(at);
        }
    }
    let scores: Vec<(i32, i32)> = course
        .scores
        .iter()
        .filter_map(|(date, score)| Some((known(*date)?, *score)))
        .filter(|(at, _)| *at <= cut_off)
        .collect();
    let baseline = scores
        .iter()
        .copied()
        .filter(|(at, _)| (origin - BEFORE..=until).contains(at))
        .min_by_key(|(at, _)| ((at - origin).abs(), *at))
        .ok_or(LeftOut::NoBaseline)?;
    Ok(Followed {
        origin,
        baseline,
        scores,
        died: facts.contacts.iter().filter_map(|one| known(one.death)).min(),
        cut_off,
    })
}

/// Changes at each time.
pub(super) fn changes(all: &[Followed]) -> Vec<ChangeRow> {
    MONTHS.iter().map(|&months| change(all, months)).collect()
}

fn change(all: &[Followed], months: f64) -> ChangeRow {
    let (mut died, mut not_due, mut missing) = (0, 0, 0);
    let mut found: Vec<i32> = Vec::new();
    for one in all {
        let end = one.target(months) + WITHIN;
        if let Some(then) = one.again(months) {
            found.push(then - one.score());
        } else if one.died.is_some_and(|died| died <= end.min(one.cut_off)) {
            died += 1;
        } else if end > one.cut_off {
            not_due += 1;
        } else {
            missing += 1;
        }
    }
    let interval = mean(&found);
    let points = |wanted: fn(i32) -> bool| count(found.iter().filter(|one| wanted(**one)).count());
    ChangeRow {
        months,
        suppressed: None,
        baseline: Some(count(all.len())),
        died: Some(died),
        not_due: Some(not_due),
        measured: Some(count(found.len())),
        missing: Some(missing),
        mean: interval.map(|(mean, _)| mean),
        lower: interval.and_then(|(mean, half)| Some(mean - half?)),
        upper: interval.and_then(|(mean, half)| Some(mean + half?)),
        better: Some(points(|one| one >= MATTERS)),
        worse: Some(points(|one| one <= -MATTERS)),
    }
}

/// Mean and half the width of its t interval, in points; no interval of a single difference.
fn mean(hundredths: &[i32]) -> Option<(f64, Option<f64>)> {
    let n = hundredths.len() as f64;
    if hundredths.is_empty() {
        return None;
    }
    let points = || hundredths.iter().map(|one| f64::from(*one) / 100.0);
    let mean = points().sum::<f64>() / n;
    let squares: f64 = points().map(|one| (one - mean).powi(2)).sum();
    let half = StudentsT::new(0.0, 1.0, n - 1.0).ok().map(|t| {
        let quantile = t.inverse_cdf(1.0 - (1.0 - LEVEL) / 2.0);
        quantile * (squares / (n - 1.0) / n).sqrt()
    });
    Some((mean, half))
}
