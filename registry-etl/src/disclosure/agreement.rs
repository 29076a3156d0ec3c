//! Agreement with the source, for who sees no case.

use super::few;
use crate::quality::{Agreement, AgreementLevel, ElementAgreement, NETWORK};

/// The network's agreement as the committee may see it: shares in whole percent, without counts, intervals and centres; hidden where fewer
/// than `threshold` patients stand behind an element. No count is told, so no hidden one follows from the others and their total.
pub fn agreement(levels: &[AgreementLevel], threshold: u32) -> Vec<AgreementLevel> {
    let network = levels.iter().filter(|level| level.level == NETWORK);
    network
        .map(|level| AgreementLevel {
            level: level.level.clone(),
            total: shared(&level.total, threshold),
            elements: level
                .elements
                .iter()
                .map(|element| {
                    let hidden = few(element.agreement.cases.unwrap_or(0), threshold);
                    ElementAgreement {
                        agreement: shared(&element.agreement, threshold),
                        kappa: element
                            .kappa
                            .filter(|_| !hidden)
                            .map(|kappa| rounded(kappa, 10.0)),
                        both_missing: None,
                        differing: std::collections::BTreeMap::new(),
                        suppressed: hidden,
                        ..element.clone()
                    }
                })
                .collect(),
        })
        .collect()
}

fn shared(exact: &Agreement, threshold: u32) -> Agreement {
    let hidden = few(exact.cases.unwrap_or(0), threshold);
    Agreement {
        share: exact.share.filter(|_| !hidden).map(whole_percent),
        ..Agreement::default()
    }
}

/// To whole percent; what is not all is not told as all.
fn whole_percent(share: f64) -> f64 {
    let rounded = rounded(share, 100.0);
    if share < 1.0 { rounded.min(0.99) } else { rounded }
}

fn rounded(value: f64, steps: f64) -> f64 {
    (value * steps).round() / steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(cases: u32) -> ElementAgreement {
        ElementAgreement {
            element: "lesion.site".to_owned(),
            critical: true,
            measures: 20,
            agreement: Agreement {
                cases: Some(cases),
                compared: Some(7),
                agreeing: Some(6),
                share: Some(6.0 / 7.0),
                lower: Some(0.5),
                upper: Some(1.0),
            },
            kappa: Some(0.777),
            both_missing: Some(2),
            differing: [("values", 1)].into(),
            suppressed: false,
        }
    }

    #[test]
    fn the_committee_reads_shares_of_enough_patients_and_no_centre() {
        let level = |name: &str, cases| AgreementLevel {
            level: name.to_owned(),
            total: element(cases).agreement,
            elements: vec![element(cases), element(4)],
        };
        let shown = agreement(&[level(NETWORK, 5), level("C01", 5)], 5);
        assert_eq!(shown.len(), 1);
        let [enough, too_few] = shown[0].elements.as_slice() else {
            panic!("two elements")
        };
        assert_eq!(
            (enough.agreement.share, enough.kappa, enough.suppressed),
            (Some(0.86), Some(0.8), false)
        );
        assert_eq!(
            (too_few.agreement.share, too_few.kappa, too_few.suppressed),
            (None, None, true)
        );
        assert_eq!(shown[0].total.share, Some(0.86));
        for shown in &shown[0].elements {
            let counts = (
                shown.agreement.cases,
                shown.agreement.compared,
                shown.agreement.agreeing,
                shown.both_missing,
            );
            assert_eq!(counts, (None, None, None, None));
            assert!(shown.agreement.lower.is_none() && shown.differing.is_empty());
        }
        assert_eq!(agreement(&[level(NETWORK, 4)], 5)[0].total.share, None);
        assert_eq!(
            (whole_percent(0.9999), whole_percent(1.0), whole_percent(0.004)),
            (0.99, 1.0, 0.0)
        );
    }
}
