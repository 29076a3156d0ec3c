//! Data quality in the report: the network's sections, what costs most, how soon events are reported, and the centres.

use registry_core::form::Words;
use registry_etl::results::completeness::{NETWORK, SectionCompleteness};

use crate::explanation::reason;
use crate::pages::{brief, words};
use crate::problem::Problem;
use crate::results::View;

pub(in crate::pages) struct Section {
    pub(in crate::pages) said: String,
    /// Section, with a value, closed.
    pub(in crate::pages) sections: Vec<[String; 3]>,
    /// Reason, element, units.
    pub(in crate::pages) lacking: Vec<[String; 3]>,
    /// Section, lower quartile, median, upper quartile, in days.
    pub(in crate::pages) times: Vec<[String; 4]>,
    /// Centre, cases, cases with an error, share of units that cannot be assessed, completeness of follow-up.
    pub(in crate::pages) centres: Vec<[String; 5]>,
}

/// Of the run, as the viewer may see it.
pub(super) fn section(view: &View<'_>, called: Words<'_>) -> Result<Section, Problem> {
    let quality = view.quality()?;
    let levels = view.completeness()?;
    let network = levels.iter().find(|level| level.level == NETWORK);
    let days = |days: Option<f64>| days.map_or_else(|| "–".to_owned(), |days| format!("{days:.0}"));
    let follow_up = |centre: &str| {
        let level = levels.iter().find(|level| level.level == centre);
        words::percent(level.and_then(|level| level.follow_up.index))
    };
    let share = |section: &SectionCompleteness| {
        let shown = section.answers.suppressed.is_none();
        let known = words::percent(section.answers.known_share);
        [
            called.entity(&section.section),
            if shown { known } else { "not shown".to_owned() },
            section
                .closed_share
                .map_or_else(|| "–".to_owned(), |closed| words::percent(Some(closed))),
        ]
    };
    Ok(Section {
        said: brief::quality(&quality, called),
        sections: network.map_or_else(Vec::new, |network| network.sections.iter().map(share).collect()),
        lacking: quality
            .network
            .lacking
            .iter()
            .map(|one| {
                let element = one.element.as_deref();
                [
                    reason(&one.reason).to_owned(),
                    element.map_or_else(|| "–".to_owned(), |path| called.place(path)),
                    one.n.to_string(),
                ]
            })
            .collect(),
        times: network.map_or_else(Vec::new, |network| {
            let shown = network.timeliness.iter().filter(|times| times.median.is_some());
            let line = |times: &registry_etl::results::completeness::Timeliness| {
                [
                    called.entity(&times.section),
                    days(times.lower_quartile),
                    days(times.median),
                    days(times.upper_quartile),
                ]
            };
            shown.map(line).collect()
        }),
        centres: quality
            .centres
            .iter()
            .map(|centre| {
                [
                    centre.centre.clone(),
                    words::count(centre.cases),
                    words::count(centre.cases_with_errors),
                    words::percent(centre.not_assessable_share),
                    follow_up(&centre.centre),
                ]
            })
            .collect(),
    })
}
