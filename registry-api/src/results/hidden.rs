//! How much of what a page shows is hidden from its reader: counted from what came out of disclosure control, never from the exact numbers.

use registry_etl::results::completeness::Answers;
use registry_etl::results::{AdherenceRow, Completeness, Funnels, LevelCount, Overview, SurvivalResult};

/// Numbers that would stand on a page, and those of them that are hidden.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hidden {
    pub hidden: u32,
    pub all: u32,
}

impl Hidden {
    /// One entry for each number: whether it is hidden.
    pub fn of(numbers: impl IntoIterator<Item = bool>) -> Self {
        let mut counted = Self::default();
        for hidden in numbers {
            counted.all += 1;
            counted.hidden += u32::from(hidden);
        }
        counted
    }

    /// Both together.
    pub fn and(self, other: Self) -> Self {
        Self {
            hidden: self.hidden + other.hidden,
            all: self.all + other.all,
        }
    }

    /// The counts that stand beside a rate: assessable, and not assessable.
    pub fn of_rows<'a>(rows: impl IntoIterator<Item = &'a AdherenceRow>) -> Self {
        let counts = |row: &AdherenceRow| [row.denominator.is_none(), row.not_assessable.is_none()];
        Self::of(rows.into_iter().flat_map(counts))
    }

    /// Of groups of cases.
    pub fn of_levels(levels: &[LevelCount]) -> Self {
        Self::of(levels.iter().map(|level| level.n.is_none()))
    }

    /// Of the cases of a run: all, by month, histology and timing, by centre.
    pub fn of_overview(overview: &Overview) -> Self {
        let whole = [overview.cases.is_none(), overview.deaths.is_none()];
        let by_centre = overview.by_centre.iter().flat_map(|centre| {
            let beside = centre
                .eligible_seen
                .map(|_| centre.registered_in_those_years.is_none());
            [centre.cases.is_none(), centre.cases_last_24_months.is_none()]
                .into_iter()
                .chain(beside)
        });
        let levels = [&overview.accrual, &overview.by_histology, &overview.by_timing];
        let levels = levels.into_iter().map(|levels| Self::of_levels(levels));
        levels.fold(Self::of(whole.into_iter().chain(by_centre)), Self::and)
    }

    /// Of how complete and how soon: the whole section, or the elements of one.
    pub fn of_completeness(levels: &[Completeness], elements: bool) -> Self {
        let one = |level: &Completeness| {
            let hidden = |answers: &Answers| answers.suppressed.is_some();
            let answers: Vec<bool> = if elements {
                level.elements.iter().map(|one| hidden(&one.answers)).collect()
            } else {
                level.sections.iter().map(|one| hidden(&one.answers)).collect()
            };
            let times = level.timeliness.iter().map(|times| times.suppressed.is_some());
            let whole = [
                level.follow_up.suppressed.is_some(),
                level.registration.suppressed.is_some(),
            ];
            whole.into_iter().chain(answers).chain(times).collect::<Vec<_>>()
        };
        Self::of(levels.iter().flat_map(one))
    }

    /// Of centres on funnels: those that cannot be placed because few patients are behind them.
    pub fn of_funnels(funnels: &Funnels) -> Self {
        let points = funnels.funnels.iter().flat_map(|funnel| &funnel.points);
        Self::of(points.map(|point| point.suppressed.is_some()))
    }

    /// Of an endpoint: groups with their numbers at risk, shares, changes, who was left out, centres.
    pub fn of_survival(result: &SurvivalResult) -> Self {
        let curves = result.curves.iter().flat_map(|curve| {
            let at_risk = curve.landmarks.iter().map(|at| at.at_risk.is_none());
            [curve.patients.is_none(), curve.events.is_none()]
                .into_iter()
                .chain(at_risk)
        });
        let incidence = result.incidence.iter().flat_map(|one| {
            let at_risk = one.at_risk.iter().map(|at| at.at_risk.is_none());
            let events = one.causes.iter().map(|cause| cause.events.is_none());
            std::iter::once(one.patients.is_none())
                .chain(events)
                .chain(at_risk)
        });
        let shares = result.proportions.iter().map(|row| row.suppressed.is_some());
        let changes = result.changes.iter().map(|row| row.suppressed.is_some());
        let flow = &result.flow;
        let left_out = flow.left_out.iter().map(|step| step.n.is_none());
        let flow = [flow.cases.is_none(), flow.analysed.is_none()]
            .into_iter()
            .chain(left_out);
        let centres = result.centres.iter().flat_map(|compared| &compared.centres);
        let centres = centres.map(|point| point.suppressed.is_some());
        Self::of(
            curves
                .chain(incidence)
                .chain(shares)
                .chain(changes)
                .chain(flow)
                .chain(centres),
        )
    }
}

#[cfg(test)]
mod tests {
    use registry_etl::results::{CentreAccrual, RunIdentity, Suppression};

    use super::*;

    #[test]
    fn every_number_of_the_overview_is_counted_once() {
        let level = |n: Option<u32>| LevelCount {
            level: "x".to_owned(),
            n,
            suppressed: n.is_none().then_some(Suppression::FewPatients),
            as_of: None,
        };
        let centre = |cases: Option<u32>, seen: Option<u32>| CentreAccrual {
            centre: "C01".to_owned(),
            cases,
            cases_last_24_months: None,
            eligible_seen: seen,
            registered_in_those_years: None,
            deaths: None,
            months: Default::default(),
            suppressed: None,
            as_of: None,
        };
        let overview = Overview {
            run: RunIdentity {
                run: 1,
                cut_off: "2026-06-30".to_owned(),
                schema_version: "1".to_owned(),
                guideline: "g".to_owned(),
                guideline_version: "1".to_owned(),
                engine_version: "1".to_owned(),
            },
            cases: Some(20),
            cases_as_of: None,
            centres: 2,
            accrual: vec![level(Some(5)), level(None), level(None)],
            // With eligible patients seen a centre has three numbers, else two.
            by_centre: vec![centre(Some(9), Some(30)), centre(None, None)],
            by_histology: vec![level(Some(20))],
            by_eligibility: vec![level(None)],
            by_timing: vec![level(None), level(Some(12))],
            deaths: None,
            deaths_as_of: None,
            left_out_of_survival: Vec::new(),
            follow_up_completeness: None,
        };
        // 2 of the whole, 3 + 1 + 2 by level, 3 + 2 by centre; hidden: deaths, 2 months, 1 timing, 2 and 2 of the centres.
        let counted = Hidden::of_overview(&overview);
        assert_eq!(counted, Hidden { hidden: 8, all: 13 });
        let both = counted.and(Hidden::of([true, false]));
        assert_eq!(both, Hidden { hidden: 9, all: 15 });
    }
}
