//! Parts of a survival result with nothing told.

use super::FEW;
use super::endpoints::{empty, untold};
use super::survival::emptied;
use crate::results::{
    AdjustedModel, ChangeRow, Flow, LandmarkComparison, ModelState, ProportionRow, RateState, SurvivalResult,
};

pub(super) fn share(one: &mut ProportionRow) {
    (one.state, one.suppressed) = (RateState::Suppressed, Some(FEW));
    (one.numerator, one.denominator, one.not_assessable) = (None, None, None);
    (one.rate, one.lower, one.upper) = (None, None, None);
    (one.bound_low, one.bound_high) = (None, None);
}

pub(super) fn change(one: &mut ChangeRow) {
    one.suppressed = Some(FEW);
    (one.baseline, one.died, one.not_due) = (None, None, None);
    (one.measured, one.missing) = (None, None);
    (one.mean, one.lower, one.upper) = (None, None, None);
    (one.better, one.worse) = (None, None);
}

pub(super) fn landmark(one: &mut LandmarkComparison) {
    (one.patients, one.died_before, one.left_before, one.at_landmark) = (None, None, None, None);
    one.curves.iter_mut().for_each(|curve| emptied(curve, FEW));
    one.contrast = None;
    one.no_contrast = Some("not shown: few patients in a group".to_owned());
}

pub(super) fn model(one: &mut AdjustedModel) {
    one.state = ModelState::Suppressed;
    one.ratios.clear();
    (one.patients, one.events, one.left_out) = (None, None, None);
    (one.events_per_covariate, one.proportional_p, one.concordance) = (None, None, None);
}

pub(super) fn flow(one: &mut Flow) {
    (one.cases, one.analysed) = (None, None);
    one.left_out.iter_mut().for_each(|step| step.n = None);
}

/// All of them. Points of centres are hidden by rules of their own.
pub(super) fn all(result: &mut SurvivalResult) {
    flow(&mut result.flow);
    result.entered_late = None;
    result.curves.iter_mut().for_each(|one| emptied(one, FEW));
    result.incidence.iter_mut().for_each(|one| empty(one, FEW));
    result.tests.iter_mut().for_each(|one| *one = untold(one));
    result.proportions.iter_mut().for_each(share);
    result.changes.iter_mut().for_each(change);
    result.landmark_comparisons.iter_mut().for_each(landmark);
    result.models.iter_mut().for_each(model);
    result.as_of.clear();
}
