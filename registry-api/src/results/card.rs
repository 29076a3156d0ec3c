//! One centre beside the network: its indicators and domains, where it stands, and how it went over time.

use std::collections::{BTreeMap, HashMap};

use registry_etl::measures::engine::COMPOSITE;
use registry_etl::measures::{position_of, trend_around};
use registry_etl::results::{
    AdherenceRow, By, HalfYearCounts, MeasureHead, Period, Position, RateState, Trend,
};
use registry_etl::runs::Reader;
use registry_etl::statistics::wilson;

use super::{View, from_run, indicators_in_force};
use crate::problem::Problem;

const LEVEL: f64 = 0.95;
const UTILISATION: &str = "utilisation";

/// A measure of a centre and of the network, metastatic diagnosis in the last 24 months.
#[derive(Clone)]
pub struct Standing {
    pub head: MeasureHead,
    pub own: Option<AdherenceRow>,
    pub network: Option<AdherenceRow>,
    /// Where the centre lies around the network's rate; `None` where one of them has no rate.
    pub position: Option<Position>,
}

/// Units of several measures together.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Pooled {
    pub numerator: u32,
    pub denominator: u32,
    pub rate: Option<f64>,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
    /// Units that cannot be assessed; `None` where one of the measures does not say.
    pub not_assessable: Option<u32>,
}

impl Pooled {
    /// Counts without an interval.
    pub fn of(numerator: u32, denominator: u32, not_assessable: Option<u32>) -> Self {
        Self {
            numerator,
            denominator,
            rate: (denominator > 0).then(|| f64::from(numerator) / f64::from(denominator)),
            lower: None,
            upper: None,
            not_assessable,
        }
    }

    /// The rate if none, and if all, of the units that cannot be assessed were in the numerator; `None` without a unit.
    pub fn bounds(&self) -> Option<(f64, f64)> {
        let lacking = self.not_assessable?;
        let all = f64::from(self.denominator + lacking);
        let share = |n: u32| f64::from(n) / all;
        (all > 0.0).then(|| (share(self.numerator), share(self.numerator + lacking)))
    }
}

/// The measures of one domain that have a direction, taken together.
#[derive(Debug)]
pub struct Domain {
    pub domain: String,
    /// Measures of it.
    pub measures: usize,
    /// Those of which both the centre and the network show a rate: only these are added up.
    pub compared: usize,
    pub own: Pooled,
    pub network: Pooled,
    /// The network's rate of each measure, weighted by the centre's own units: what it would have with the network's care and its own mix of
    /// measures.
    pub expected: Option<f64>,
    /// Measures in which it lies below and above the 95 % limits, the 99.8 % limits among them.
    pub below: usize,
    pub above: usize,
}

/// A half-year of one measure.
#[derive(Debug, Clone, Copy, Default)]
pub struct HalfYear {
    pub own: HalfYearCounts,
    /// The network's rate, where it is shown.
    pub network: Option<f64>,
}

/// The indicators by half-year of the metastatic diagnosis, all diagnoses.
pub struct OverTime {
    /// In order, the last of them.
    pub half_years: Vec<String>,
    /// By indicator, then by half-year.
    pub lines: Vec<(MeasureHead, Vec<HalfYear>)>,
    /// All indicators together around the network's rate; `None` where the network shows none.
    pub trend: Option<Trend>,
}

/// What is read of a run for a card.
pub struct Card {
    /// First day of the last 24 months.
    pub recent_from: String,
    /// Every measure, in the order of the guideline.
    pub measures: Vec<Standing>,
    /// Those the committee looks at first, each with the reason.
    pub indicators: Vec<(Standing, String)>,
    pub domains: Vec<Domain>,
    /// `None` for a run made before half-years were kept.
    pub over_time: Option<OverTime>,
}

/// Half-years shown.
const HALF_YEARS: usize = 6;

impl View<'_> {
    /// The card of a centre (by its id): the viewer's own, or any for the coordinating office.
    ///
    /// # Errors
    /// A run without this result.
    pub fn card(&self, centre: &str) -> Result<Card, Problem> {
        let table = self.with_own_adherence(self.table()?)?;
        let (mut own, mut network) = (HashMap::new(), HashMap::new());
        for row in table.rows.iter().filter(|row| row.period == Period::Last24Months) {
            match row.by {
                By::Network => network.insert(row.measure.as_str(), row),
                By::Centre if row.level == centre => own.insert(row.measure.as_str(), row),
                _ => None,
            };
        }
        let mut measures = Vec::with_capacity(table.measures.len());
        for head in &table.measures {
            let id = head.id.as_str();
            let (own, network) = (own.get(id).copied(), network.get(id).copied());
            let position = match own.zip(network) {
                Some((own, network)) => position_of(own, network).map_err(Problem::internal)?,
                None => None,
            };
            measures.push(Standing {
                head: head.clone(),
                own: own.cloned(),
                network: network.cloned(),
                position,
            });
        }
        let listed = indicators_in_force(self.state, self.scope)?;
        let standing = |id: &str| measures.iter().find(|one| one.head.id == id).cloned();
        let indicators: Vec<(Standing, String)> = listed
            .iter()
            .filter_map(|one| Some((standing(&one.measure)?, one.reason.clone())))
            .collect();
        let heads: Vec<&MeasureHead> = indicators.iter().map(|(one, _)| &one.head).collect();
        Ok(Card {
            over_time: self.over_time(centre, &heads, &table.rows)?,
            domains: domains(&measures)?,
            recent_from: table.last_24_months_from.clone(),
            indicators,
            measures,
        })
    }

    /// Nothing of the network may be told: no run has been published.
    pub fn tells_own_only(&self) -> bool {
        self.is_alone()
    }

    fn over_time(
        &self,
        centre: &str,
        heads: &[&MeasureHead],
        rows: &[AdherenceRow],
    ) -> Result<Option<OverTime>, Problem> {
        let run = self.own_run().unwrap_or(&self.run);
        let reader = Reader::new(&self.state.store, self.scope, run);
        let Some(own) = reader.half_years(centre).map_err(from_run)? else {
            return Ok(None);
        };
        let skipped = own.half_years.len().saturating_sub(HALF_YEARS);
        let half_years = &own.half_years[skipped..];
        let network: HashMap<(&str, &str), f64> = rows
            .iter()
            .filter(|row| row.by == By::HalfYear && row.state == RateState::Rate)
            .filter_map(|row| Some(((row.measure.as_str(), row.level.as_str()), row.rate?)))
            .collect();
        let mut pooled: BTreeMap<String, (u32, u32, u32)> = BTreeMap::new();
        let mut lines = Vec::with_capacity(heads.len());
        for head in heads {
            let counts = |half: &str| own.of(&head.id, half);
            for half in &own.half_years {
                let (more, sum) = (counts(half), pooled.entry(half.clone()).or_default());
                sum.0 += more.numerator;
                sum.1 += more.denominator;
                sum.2 += more.not_assessable;
            }
            let of = half_years.iter().map(|half| HalfYear {
                own: counts(half),
                network: network.get(&(head.id.as_str(), half.as_str())).copied(),
            });
            lines.push(((*head).clone(), of.collect()));
        }
        let trend = target(heads, rows)
            .map(|target| trend_around(target, &pooled))
            .transpose()
            .map_err(Problem::internal)?;
        Ok(Some(OverTime {
            lines,
            half_years: half_years.to_vec(),
            trend,
        }))
    }
}

/// The network's rate of these measures together, all diagnoses; `None` where one of them is not shown.
fn target(heads: &[&MeasureHead], rows: &[AdherenceRow]) -> Option<f64> {
    let (mut numerator, mut denominator) = (0, 0);
    for head in heads {
        let mut of = rows.iter();
        let row =
            of.find(|row| row.measure == head.id && row.by == By::Network && row.period == Period::All)?;
        numerator += row.numerator?;
        denominator += row.denominator?;
    }
    (denominator > 0).then(|| f64::from(numerator) / f64::from(denominator))
}

/// The measures with a direction by domain, in the order of the guideline; summaries of several measures are not counted twice.
fn domains(measures: &[Standing]) -> Result<Vec<Domain>, Problem> {
    let mut names: Vec<&str> = Vec::new();
    let judged = |one: &&Standing| one.head.kind != UTILISATION && one.head.kind != COMPOSITE;
    for one in measures.iter().filter(judged) {
        let name = one.head.domain.as_deref().unwrap_or("other");
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let domain = |name: &str| {
        let of = measures
            .iter()
            .filter(judged)
            .filter(|one| one.head.domain.as_deref().unwrap_or("other") == name);
        domain(name, &of.collect::<Vec<_>>())
    };
    names.into_iter().map(domain).collect()
}

fn domain(name: &str, measures: &[&Standing]) -> Result<Domain, Problem> {
    let shown = |row: &AdherenceRow| {
        let rate = row.rate.filter(|_| row.state == RateState::Rate)?;
        Some((row.numerator?, row.denominator?, row.not_assessable, rate))
    };
    let nothing = || Pooled::of(0, 0, Some(0));
    let (mut own, mut network, mut expected, mut compared) = (nothing(), nothing(), 0.0, 0);
    let add = |to: &mut Pooled, (x, n, lacking): (u32, u32, Option<u32>)| {
        let lacking = to.not_assessable.zip(lacking).map(|(sum, more)| sum + more);
        *to = Pooled::of(to.numerator + x, to.denominator + n, lacking);
    };
    for one in measures {
        let both = one
            .own
            .as_ref()
            .and_then(shown)
            .zip(one.network.as_ref().and_then(shown));
        let Some(((x, n, lacking, _), (of_x, of_n, of_lacking, rate))) = both else {
            continue;
        };
        add(&mut own, (x, n, lacking));
        add(&mut network, (of_x, of_n, of_lacking));
        expected += f64::from(n) * rate;
        compared += 1;
    }
    let lies = |wanted: [Position; 2]| {
        let of = measures.iter().filter_map(|one| one.position);
        of.filter(|position| wanted.contains(position)).count()
    };
    Ok(Domain {
        domain: name.to_owned(),
        measures: measures.len(),
        compared,
        own: with_interval(own)?,
        network: with_interval(network)?,
        expected: (own.denominator > 0).then(|| expected / f64::from(own.denominator)),
        below: lies([Position::Below95, Position::Below998]),
        above: lies([Position::Above95, Position::Above998]),
    })
}

fn with_interval(of: Pooled) -> Result<Pooled, Problem> {
    let counts = (u64::from(of.numerator), u64::from(of.denominator));
    let interval = wilson(counts.0, counts.1, LEVEL).map_err(Problem::internal)?;
    Ok(Pooled {
        lower: interval.map(|interval| interval.lower),
        upper: interval.map(|interval| interval.upper),
        ..of
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(by: By, counts: (u32, u32), state: RateState) -> AdherenceRow {
        let (numerator, denominator) = counts;
        let shown = state != RateState::Suppressed;
        AdherenceRow {
            measure: "1a".to_owned(),
            by,
            level: "C01".to_owned(),
            period: Period::Last24Months,
            state,
            suppressed: None,
            numerator: shown.then_some(numerator),
            denominator: shown.then_some(denominator),
            excluded: None,
            excepted: None,
            not_in_denominator: None,
            not_assessable: shown.then_some(numerator),
            not_assessable_by: Vec::new(),
            patients: None,
            patients_all_met: None,
            rate: (state == RateState::Rate).then(|| f64::from(numerator) / f64::from(denominator)),
            lower: None,
            upper: None,
            clustered_lower: None,
            clustered_upper: None,
            bound_low: None,
            bound_high: None,
            not_assessable_share: None,
            insufficient: false,
            as_of: None,
            basis: None,
        }
    }

    fn standing(kind: &str, own: AdherenceRow, network: AdherenceRow) -> Standing {
        Standing {
            head: MeasureHead {
                id: "1a".to_owned(),
                statement: "1".to_owned(),
                title: String::new(),
                grade: "VA".to_owned(),
                kind: kind.to_owned(),
                domain: Some("imaging".to_owned()),
                stratifiers: Vec::new(),
                unratified: Vec::new(),
                unit: "patient".to_owned(),
            },
            position: position_of(&own, &network).expect("a tail"),
            own: Some(own),
            network: Some(network),
        }
    }

    #[test]
    fn a_domain_adds_up_what_both_show_and_weighs_the_network_by_the_centres_own_mix() {
        let rated = |by, counts| row(by, counts, RateState::Rate);
        let measures = [
            // 0 of 10 around one half: P = 1/1024, below 0.1 %.
            standing(
                "adherence",
                rated(By::Centre, (0, 10)),
                rated(By::Network, (50, 100)),
            ),
            standing(
                "avoidance",
                rated(By::Centre, (27, 30)),
                rated(By::Network, (90, 100)),
            ),
            // Hidden of the network, too little known of the centre, no direction: none of them counts.
            standing(
                "adherence",
                rated(By::Centre, (5, 5)),
                row(By::Network, (7, 8), RateState::Suppressed),
            ),
            standing(
                "adherence",
                row(By::Centre, (5, 5), RateState::Insufficient),
                rated(By::Network, (90, 100)),
            ),
            standing(
                "utilisation",
                rated(By::Centre, (1, 9)),
                rated(By::Network, (5, 9)),
            ),
            standing("composite", rated(By::Centre, (1, 9)), rated(By::Network, (5, 9))),
        ];
        let domains = domains(&measures).expect("counts");
        assert_eq!(domains.len(), 1);
        let imaging = &domains[0];
        assert_eq!((imaging.measures, imaging.compared), (4, 2));
        let counts = |pooled: Pooled| (pooled.numerator, pooled.denominator);
        assert_eq!(
            (counts(imaging.own), counts(imaging.network)),
            ((27, 40), (140, 200))
        );
        // 10 units at 0.5 and 30 at 0.9: 32 of 40.
        let expected = imaging.expected.expect("units");
        assert!((expected - 0.8).abs() < 1e-12, "{expected}");
        assert_eq!((imaging.below, imaging.above), (1, 0));
        // Each row lacks as many as it has in the numerator: 0 and 27, so that of 67 units 27 to 54 are in it.
        assert_eq!(imaging.own.not_assessable, Some(27));
        let (low, high) = imaging.own.bounds().expect("units");
        assert!((low - 27.0 / 67.0).abs() < 1e-12 && (high - 54.0 / 67.0).abs() < 1e-12);
    }

    #[test]
    fn a_domain_without_a_rate_has_none() {
        let hidden = || row(By::Network, (7, 8), RateState::Suppressed);
        let measures = [standing(
            "adherence",
            row(By::Centre, (1, 2), RateState::Rate),
            hidden(),
        )];
        let domains = domains(&measures).expect("counts");
        assert_eq!(domains[0].own, Pooled::of(0, 0, Some(0)));
        assert_eq!(domains[0].own.bounds(), None);
        assert_eq!((domains[0].expected, domains[0].compared), (None, 0));
    }
}
