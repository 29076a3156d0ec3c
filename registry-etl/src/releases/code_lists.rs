//! Code lists of what no element holds: levels of strata, outcomes, reasons, events. They stand in `codelists.csv` beside those of the elements.

use std::collections::BTreeMap;

use registry_core::dictionary::Dictionary;
use registry_core::guideline::Outcome;
use registry_core::rules::Reason;

use super::case_columns::element;
use crate::cohorts::course::REGIMENS;
use crate::cohorts::dataset::strata;
use crate::cohorts::definition::{Estimator, Stratum};
use crate::cohorts::{Definition, LeftOut, NOT_RECORDED};

/// Codes with their words, in order.
pub(super) type Codes = Vec<(String, String)>;

/// Why a row is not in an estimate.
pub(super) const LEFT_OUT: &str = "survival_left_out";
/// What came of a measure for a unit.
pub(super) const OUTCOMES: &str = "adherence_outcome";
/// Why that cannot be assessed.
pub(super) const REASONS: &str = "not_assessable_reason";
/// Kinds of measures.
pub(super) const KINDS: &str = "measure_kind";
/// Levels of the disease-free interval.
pub(super) const INTERVALS: &str = "disease_free_interval";
/// A site, or that there are several.
pub(super) const SITES: &str = "site_or_several";
/// Classes of systemic regimens.
pub(super) const CLASSES: &str = "regimen_class";
/// The list of histologies, which is an element's.
pub(super) const HISTOLOGIES: &str = "histology_code";

const WORDS_OF_OUTCOMES: [(Outcome, &str); 8] = [
    (Outcome::Met, "Met"),
    (Outcome::NotMet, "Not met"),
    (Outcome::Used, "Used"),
    (Outcome::NotUsed, "Not used"),
    (Outcome::NotAssessable, "Not assessable"),
    (Outcome::Excluded, "Excluded from the denominator"),
    (Outcome::Excepted, "Not met, with an exception"),
    (Outcome::NotInDenom, "Not in the denominator"),
];
const WORDS_OF_REASONS: [(Reason, &str); 6] = [
    (Reason::Missing, "Nobody has answered"),
    (Reason::UnknownRecorded, "Answered without a value"),
    (Reason::SectionNotAttested, "Section not attested as complete"),
    (
        Reason::WindowOpen,
        "The time in which it could happen is not over",
    ),
    (Reason::ImpreciseDate, "A date is known to the month or year only"),
    (Reason::EditError, "Kept out by an edit check"),
];
const MEASURE_KINDS: [(&str, &str); 5] = [
    ("adherence", "Adherence"),
    ("avoidance", "Avoidance"),
    ("documentation", "Documentation"),
    ("utilisation", "Utilisation"),
    ("composite", "All or none of several measures"),
];
const WORDS_OF_INTERVALS: [(&str, &str); 3] = [
    ("below_12_months", "Below 12 months"),
    ("12_months_and_over", "12 months and over"),
    ("not_defined", "Not defined: never cleared before"),
];
/// Sites that are one organ in results.
const ABDOMEN: [&str; 2] = ["peritoneum", "retroperitoneum"];
const INTRA_ABDOMINAL: (&str, &str) = ("intra_abdominal", "Intra-abdominal");
const SEVERAL: (&str, &str) = ("several", "Several organs");

/// The list of the levels of a stratum.
pub(super) fn of_stratum(stratum: Stratum) -> String {
    format!("stratum_{}", stratum.as_str())
}

/// The list of the event codes of an endpoint.
pub(super) fn of_events(definition: &Definition) -> String {
    format!("event_{}", definition.id.to_lowercase().replace('-', "_"))
}

/// The list that a column of `cases.csv` is of, where no element has it.
pub(super) fn of_case_column(name: &str) -> Option<&'static str> {
    Some(match name {
        "site" => SITES,
        "disease_free_interval" => INTERVALS,
        "first_line_regimen" => CLASSES,
        "os_left_out" => LEFT_OUT,
        _ => return None,
    })
}

/// All of them by name, with the list of histologies.
pub(super) fn all(dictionary: &Dictionary, definitions: &[Definition]) -> BTreeMap<String, Codes> {
    let mut lists = BTreeMap::new();
    let mut put = |name: &str, codes: Codes| {
        lists.insert(name.to_owned(), codes);
    };
    put(HISTOLOGIES, of_element(dictionary, "primary.histology_code"));
    put(
        LEFT_OUT,
        LeftOut::ALL.map(|one| pair((one.as_str(), one.label()))).to_vec(),
    );
    put(
        OUTCOMES,
        WORDS_OF_OUTCOMES
            .map(|(one, words)| pair((one.as_str(), words)))
            .to_vec(),
    );
    put(
        REASONS,
        WORDS_OF_REASONS
            .map(|(one, words)| pair((one.as_str(), words)))
            .to_vec(),
    );
    put(KINDS, MEASURE_KINDS.map(pair).to_vec());
    put(INTERVALS, WORDS_OF_INTERVALS.map(pair).to_vec());
    put(SITES, levels(Stratum::Organ, dictionary));
    put(CLASSES, REGIMENS.map(pair).to_vec());
    for definition in definitions {
        for stratum in strata(definition) {
            let mut codes = levels(stratum, dictionary);
            codes.push(pair((NOT_RECORDED, "Not recorded")));
            put(&of_stratum(stratum), codes);
        }
        if matches!(
            definition.event.estimator(),
            Estimator::Survival | Estimator::Incidence
        ) {
            put(&of_events(definition), events(definition));
        }
    }
    lists
}

/// The event codes of an endpoint.
pub(super) fn events(definition: &Definition) -> Codes {
    let mut codes = vec![pair(("0", "Censored"))];
    match definition.event.causes() {
        [] => codes.push(("1".to_owned(), definition.event_text.clone())),
        causes => {
            let numbered = causes.iter().zip(1..);
            codes.extend(numbered.map(|((_, label), code): (_, u8)| (code.to_string(), (*label).to_owned())));
        }
    }
    codes
}

/// What a row that is in an estimate may have as its level, but that it is not recorded.
fn levels(stratum: Stratum, dictionary: &Dictionary) -> Codes {
    let of = |path: &str| of_element(dictionary, path);
    let made = |codes: &[(&str, &str)]| codes.iter().copied().map(pair).collect();
    match stratum {
        Stratum::Histology => of("primary.histology_code"),
        Stratum::Timing => of("presentation.timing"),
        Stratum::Organ => {
            let sites = of("lesion.site").into_iter();
            let apart = |(code, _): &(String, String)| !ABDOMEN.contains(&code.as_str());
            let mut codes: Codes = sites.filter(apart).collect();
            codes.extend([INTRA_ABDOMINAL, SEVERAL].map(pair));
            codes
        }
        Stratum::Completeness => of("local_treatment.completeness"),
        Stratum::MacroscopicCompleteness => {
            let mut codes = vec![pair(("R0_or_R1", "R0 or R1"))];
            let of_element = of("local_treatment.completeness").into_iter();
            codes.extend(of_element.filter(|(code, _)| !matches!(code.as_str(), "R0" | "R1")));
            codes
        }
        Stratum::Dfi => made(&WORDS_OF_INTERVALS),
        Stratum::LowVolume => made(&[
            ("low", "Few and small lesions"),
            ("high", "More or larger lesions"),
        ]),
        Stratum::TreatmentKind => made(&[
            ("resection", "Resection"),
            ("resection_and_ablation", "Resection and ablation"),
        ]),
        Stratum::PriorResponse => made(&[
            ("no_systemic_treatment", "No systemic treatment before"),
            ("response_or_lasting_stability", "Response or lasting stability"),
            ("no_response", "No response"),
        ]),
        Stratum::Regimen => made(&REGIMENS),
        Stratum::Grade => made(&[
            ("grade_1", "Grade 1"),
            ("grade_2", "Grade 2"),
            ("grade_3", "Grade 3"),
        ]),
        Stratum::Ecog => made(&[
            ("ecog_0", "ECOG 0"),
            ("ecog_1", "ECOG 1"),
            ("ecog_2_and_over", "ECOG 2 and over"),
        ]),
        Stratum::Site => of("local_treatment.site"),
        Stratum::Modality => of("local_treatment.modality"),
        // In no release.
        Stratum::Age | Stratum::Period | Stratum::Volume => Vec::new(),
    }
}

/// The codes of an element's list.
fn of_element(dictionary: &Dictionary, path: &str) -> Codes {
    let list = element(dictionary, path).and_then(|(_, element)| element.codes.as_ref());
    let codes = list.into_iter().flat_map(|list| &list.codes);
    codes
        .map(|one| (one.code.clone(), one.label.clone().unwrap_or_default()))
        .collect()
}

fn pair((code, words): (&str, &str)) -> (String, String) {
    (code.to_owned(), words.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cohorts::definitions;
    use registry_core::versions::SchemaStore;

    #[test]
    fn every_list_has_codes_once_each_with_words() {
        let store = SchemaStore::embedded().unwrap();
        let dictionary = &store.current().dictionary;
        let definitions = definitions(&store).unwrap();
        let lists = all(dictionary, &definitions);
        for (name, codes) in &lists {
            let mut known: Vec<&String> = codes.iter().map(|(code, _)| code).collect();
            known.sort();
            known.dedup();
            assert!(known.len() == codes.len() && codes.len() > 1, "{name}: {codes:?}");
        }
        // Whatever the program may write is in its list.
        let of = |name: &str| -> Vec<&str> { lists[name].iter().map(|(code, _)| code.as_str()).collect() };
        assert_eq!(of(OUTCOMES), Outcome::ALL.map(Outcome::as_str));
        assert_eq!(of(REASONS), Reason::ALL.map(Reason::as_str));
        assert_eq!(of("event_s1"), ["0", "1"]);
        let competing = definitions
            .iter()
            .find(|one| one.event.causes().len() == 3)
            .unwrap();
        assert_eq!(of(&of_events(competing)), ["0", "1", "2", "3"]);
        // No list of ours takes the name of an element's.
        let elements = dictionary.entities.iter().flat_map(|one| &one.elements);
        let names: Vec<&str> = elements
            .filter_map(|one| Some(one.codes.as_ref()?.name.as_str()))
            .collect();
        let ours = lists.keys().filter(|name| name.as_str() != HISTOLOGIES);
        assert!(
            ours.clone().all(|name| !names.contains(&name.as_str())),
            "{:?}",
            ours.collect::<Vec<_>>()
        );
    }
}
