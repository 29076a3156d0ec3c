//! Agreement of cases with what another person entered again from the source, element by element.
//!
//! What counts are the answers that at least one of the two documents gives; an answer in a row that only one of them has is one that
//! differs. The interval is Wilson's for a share of independent answers: answers of one patient are not quite that, so it is a little too
//! narrow where an element has many rows. Kappa is given for elements with a closed list of answers; a reason of absence and no answer are
//! categories of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use registry_core::verification::{Comparison, Kind};
use serde::Serialize;

use crate::statistics::{StatisticsError, kappa, wilson};

/// Confidence level of the intervals.
const LEVEL: f64 = 0.95;

/// All centres together.
pub const NETWORK: &str = "all";

/// A share of agreeing answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Agreement {
    /// Cases with an answer compared.
    pub cases: Option<u32>,
    /// Answers compared.
    pub compared: Option<u32>,
    /// Of them, agreeing.
    pub agreeing: Option<u32>,
    /// `agreeing / compared`.
    pub share: Option<f64>,
    /// Lower end of the 95 % interval.
    pub lower: Option<f64>,
    /// Upper end of the 95 % interval.
    pub upper: Option<f64>,
}

/// Agreement on one element.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ElementAgreement {
    /// `entity.element`.
    pub element: String,
    /// Many measures rest on it.
    pub critical: bool,
    /// Measures that read it.
    pub measures: usize,
    /// The share.
    #[serde(flatten)]
    pub agreement: Agreement,
    /// Cohen's kappa, where it is defined.
    pub kappa: Option<f64>,
    /// Answered in neither document: not compared.
    pub both_missing: Option<u32>,
    /// The answers that differ, by kind.
    pub differing: BTreeMap<&'static str, u32>,
    /// Too few patients stand behind it to be shown to this reader.
    pub suppressed: bool,
}

/// The network, or a centre.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct AgreementLevel {
    /// [`NETWORK`], or the centre.
    pub level: String,
    /// All elements together.
    pub total: Agreement,
    /// Critical elements first, those most measures read before others; elements never answered are not listed.
    pub elements: Vec<ElementAgreement>,
}

/// Comparisons being added up.
#[derive(Default)]
pub struct AgreementTally {
    levels: BTreeMap<String, Level>,
}

#[derive(Default)]
struct Level {
    cases: u32,
    elements: BTreeMap<Arc<str>, Element>,
}

#[derive(Default)]
struct Element {
    cases: u32,
    kinds: BTreeMap<Kind, u32>,
    pairs: BTreeMap<(String, String), u64>,
}

impl AgreementTally {
    /// Adds one case of a centre.
    pub fn add(&mut self, centre: &str, comparison: &Comparison) {
        for level in [NETWORK, centre] {
            let level = self.levels.entry(level.to_owned()).or_default();
            level.cases += 1;
            let mut seen = BTreeSet::new();
            for cell in &comparison.cells {
                let element = level.elements.entry(Arc::clone(&cell.element)).or_default();
                *element.kinds.entry(cell.kind).or_default() += 1;
                if cell.kind.is_compared() && seen.insert(&cell.element) {
                    element.cases += 1;
                }
                if let Some(pair) = &cell.categories {
                    *element.pairs.entry(pair.clone()).or_default() += 1;
                }
            }
        }
    }

    /// The network first, then the centres by id. `readers`: how many measures read an element; from `critical` on it is critical.
    ///
    /// # Errors
    /// None in practice: no share has more agreeing than compared answers.
    pub fn finish(
        &self,
        readers: &BTreeMap<String, usize>,
        critical: usize,
    ) -> Result<Vec<AgreementLevel>, StatisticsError> {
        let mut levels = Vec::new();
        for (name, level) in &self.levels {
            let mut elements = Vec::new();
            for (path, element) in &level.elements {
                let measures = readers.get(&**path).copied().unwrap_or(0);
                elements.extend(element.finish(path, measures, measures >= critical)?);
            }
            elements.sort_by(|a, b| {
                let order = |e: &ElementAgreement| (!e.critical, std::cmp::Reverse(e.measures));
                (order(a), &a.element).cmp(&(order(b), &b.element))
            });
            let compared = elements.iter().filter_map(|e| e.agreement.compared).sum();
            let agreeing = elements.iter().filter_map(|e| e.agreement.agreeing).sum();
            levels.push(AgreementLevel {
                level: name.clone(),
                total: Agreement::of(level.cases, compared, agreeing)?,
                elements,
            });
        }
        levels.sort_by(|a, b| (a.level != NETWORK, &a.level).cmp(&(b.level != NETWORK, &b.level)));
        Ok(levels)
    }
}

impl Element {
    fn count(&self, which: impl Fn(Kind) -> bool) -> u32 {
        self.kinds
            .iter()
            .filter(|(kind, _)| which(**kind))
            .map(|(_, n)| n)
            .sum()
    }

    /// `None` when neither document ever answers it.
    fn finish(
        &self,
        path: &str,
        measures: usize,
        critical: bool,
    ) -> Result<Option<ElementAgreement>, StatisticsError> {
        let compared = self.count(Kind::is_compared);
        if compared == 0 {
            return Ok(None);
        }
        let pairs = self.pairs.iter();
        let differing = self
            .kinds
            .iter()
            .filter(|(kind, _)| kind.is_compared() && !kind.agrees());
        Ok(Some(ElementAgreement {
            element: path.to_owned(),
            critical,
            measures,
            agreement: Agreement::of(self.cases, compared, self.count(Kind::agrees))?,
            kappa: kappa(pairs.map(|((first, second), n)| (first.as_str(), second.as_str(), *n))),
            both_missing: Some(self.count(|kind| !kind.is_compared())),
            differing: differing.map(|(kind, n)| (kind.as_str(), *n)).collect(),
            suppressed: false,
        }))
    }
}

impl Agreement {
    fn of(cases: u32, compared: u32, agreeing: u32) -> Result<Self, StatisticsError> {
        let interval = wilson(u64::from(agreeing), u64::from(compared), LEVEL)?;
        Ok(Self {
            cases: Some(cases),
            compared: Some(compared),
            agreeing: Some(agreeing),
            share: interval.map(|_| f64::from(agreeing) / f64::from(compared)),
            lower: interval.map(|interval| interval.lower),
            upper: interval.map(|interval| interval.upper),
        })
    }
}

#[cfg(test)]
mod tests {
    use registry_core::verification::Cell;

    use super::*;

    /// Element, what became of it, and the two codes.
    type Told<'a> = (&'a str, Kind, Option<(&'a str, &'a str)>);

    fn case(cells: &[Told<'_>]) -> Comparison {
        let cells = cells.iter().map(|(element, kind, categories)| Cell {
            element: Arc::from(*element),
            kind: *kind,
            categories: categories.map(|(a, b)| (a.to_owned(), b.to_owned())),
        });
        Comparison {
            cells: cells.collect(),
            differences: Vec::new(),
        }
    }

    #[test]
    fn answers_add_up_by_element_and_centre() {
        use Kind::{BothMissing, Equal, RowMissing, Values};
        let mut tally = AgreementTally::default();
        tally.add(
            "C01",
            &case(&[
                ("lesion.site", Equal, Some(("=lung", "=lung"))),
                ("lesion.site", Values, Some(("=lung", "=liver"))),
                ("lesion.count", BothMissing, None),
                ("patient.birth_year", Equal, None),
            ]),
        );
        tally.add(
            "C02",
            &case(&[
                ("lesion.site", Equal, Some(("=liver", "=liver"))),
                ("lesion.site", RowMissing, Some(("=liver", ""))),
            ]),
        );
        let readers = BTreeMap::from([
            ("lesion.site".to_owned(), 12),
            ("patient.birth_year".to_owned(), 3),
        ]);
        let levels = tally.finish(&readers, 10).unwrap();
        let names: Vec<&str> = levels.iter().map(|level| level.level.as_str()).collect();
        assert_eq!(names, [NETWORK, "C01", "C02"]);
        let all = &levels[0];
        assert_eq!(
            (
                all.total.cases,
                all.total.compared,
                all.total.agreeing,
                all.total.share
            ),
            (Some(2), Some(5), Some(3), Some(0.6))
        );
        let elements: Vec<(&str, bool)> = all
            .elements
            .iter()
            .map(|e| (e.element.as_str(), e.critical))
            .collect();
        assert_eq!(
            elements,
            [("lesion.site", true), ("patient.birth_year", false)],
            "never answered: not listed"
        );
        let site = &all.elements[0];
        assert_eq!(
            (
                site.agreement.cases,
                site.agreement.compared,
                site.agreement.agreeing
            ),
            (Some(2), Some(4), Some(2))
        );
        // Wilson for 2 of 4: centre 0.5, half-width z sqrt(1/16 + z^2/64) / (1 + z^2/4) = 0.34996.
        let lower = site.agreement.lower.unwrap();
        assert!((lower - 0.150_04).abs() < 1e-4, "{lower}");
        assert_eq!(
            site.differing,
            BTreeMap::from([("values", 1), ("row_missing", 1)])
        );
        // p_o = 2/4; p_e = (2*1 + 2*2 + 0*1) / 16 = 0.375; kappa = 0.125 / 0.625.
        assert!((site.kappa.unwrap() - 0.2).abs() < 1e-12);
        assert_eq!(all.elements[1].kappa, None);
        assert_eq!(levels[1].elements.len(), 2);
        assert!(AgreementTally::default().finish(&readers, 10).unwrap().is_empty());
    }
}
