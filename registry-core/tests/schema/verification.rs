//! A case entered twice, compared. Expectations were written from the promise: rows find each other without their order and their labels,
//! an answer agrees when both documents say the same, and nothing else counts.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;
use registry_core::form::Forms;
use registry_core::synthetic::{self, CohortPlan};
use registry_core::verification::{Comparison, Kind, Verifier};
use serde_json::{Value, json};

use crate::body::{JUDGE, STORE, case, with};

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    let forms = Forms::of(&STORE).expect("the forms read");
    Verifier::of(&STORE, &forms).expect("the rules compile")
});

/// How often each element was of each kind.
type Counts = BTreeMap<(String, Kind), usize>;

fn counts(comparison: &Comparison) -> Counts {
    let mut counts = Counts::new();
    for cell in &comparison.cells {
        *counts.entry((cell.element.to_string(), cell.kind)).or_insert(0) += 1;
    }
    counts
}

/// The differences between the little case and a changed one: element, kind, where it was and where it is.
fn found(before: &Value, after: &Value) -> Vec<(String, Kind, Option<String>, Option<String>)> {
    let comparison = VERIFIER.compare(before, after);
    let differences = comparison.differences.into_iter();
    differences
        .map(|d| (d.element, d.kind, d.stored, d.reentered))
        .collect()
}

fn at(element: &str, kind: Kind, pointer: &str) -> (String, Kind, Option<String>, Option<String>) {
    let pointer = Some(pointer.to_owned());
    (element.to_owned(), kind, pointer.clone(), pointer)
}

fn synthetic(index: u32) -> Value {
    let plan = CohortPlan::demo("2026-11-01".parse().expect("a day"));
    synthetic::case(&plan, index).body
}

#[test]
fn every_kind_of_difference_is_told() {
    use Kind::{AbsenceMissing, Absences, ValueAbsence, ValueMissing, Values};
    let unknown = json!({"absent": "unknown"});
    let cases = [
        ("/patient/sex", json!("male"), "patient.sex", Values),
        ("/patient/birth_year", json!(1961), "patient.birth_year", Values),
        ("/primary/side", unknown.clone(), "primary.side", ValueAbsence),
        ("/primary/size_mm", json!(80), "primary.size_mm", ValueAbsence),
        (
            "/primary/size_mm",
            json!({"absent": "pending"}),
            "primary.size_mm",
            Absences,
        ),
        ("/primary/size_mm", Value::Null, "primary.size_mm", AbsenceMissing),
        (
            "/primary/fnclcc_grade",
            Value::Null,
            "primary.fnclcc_grade",
            ValueMissing,
        ),
        ("/imaging/0/result", unknown, "imaging.result", AbsenceMissing),
        (
            "/imaging/0/region",
            json!(["chest", "pelvis"]),
            "imaging.region",
            Values,
        ),
        // The same day known less exactly is another answer.
        (
            "/primary/diagnosis_date",
            json!("2023-02"),
            "primary.diagnosis_date",
            Values,
        ),
        (
            "/consent/research_reuse",
            json!(false),
            "consent.research_reuse",
            Values,
        ),
    ];
    for (pointer, value, element, kind) in cases {
        let changed = with(pointer, value);
        assert_eq!(
            found(&case(), &changed),
            [at(element, kind, pointer)],
            "{pointer}"
        );
        assert_eq!(
            found(&changed, &case()),
            [at(element, kind, pointer)],
            "{pointer} the other way"
        );
    }
}

#[test]
fn what_says_the_same_agrees() {
    let same = [
        // A set has no order, a number no spelling; null is nothing.
        with("/imaging/0/region", json!(["abdomen", "chest"])),
        with("/lesion/0/count", json!(2.0)),
        with("/imaging/0/result", Value::Null),
        // Labels, how far the entry went, whose case it is.
        with("/lesion/0/lesion_id", json!("left upper lobe")),
        with("/section_attestation/0/complete_through", json!("2026-08-31")),
        with("/patient/pseudonym_id", json!("P-9999")),
    ];
    for (n, body) in same.iter().enumerate() {
        let comparison = VERIFIER.compare(&case(), body);
        assert_eq!(comparison.differences, [], "{n}");
        assert_eq!(comparison.share(), Some(1.0), "{n}");
    }
    // The absence of a size is an answer, and the same one.
    let kinds = VERIFIER.compare(&case(), &case()).kinds();
    assert_eq!(kinds.get(&Kind::SameAbsence), Some(&1));
    assert!(
        kinds[&Kind::BothMissing] > 20,
        "unanswered elements are told apart"
    );
    let compared = VERIFIER.compare(&case(), &case()).compared();
    assert_eq!(compared, kinds[&Kind::Equal] + 1);
}

#[test]
fn rows_find_each_other_by_day_and_content() {
    let scan = |day: &str, modality: &str| json!({"date": day, "modality": modality, "region": ["chest"], "contrast": "iv_single_phase", "result": "disease"});
    let body = |scans: &[Value]| with("/imaging", json!(scans));
    let missing = |row: usize, stored: bool| {
        let pointer = Some(format!("/imaging/{row}"));
        let (a, b) = if stored { (pointer, None) } else { (None, pointer) };
        ("imaging".to_owned(), Kind::RowMissing, a, b)
    };
    let stored = body(&[
        scan("2025-06-11", "ct"),
        scan("2025-06-11", "mri"),
        scan("2025-09-01", "ct"),
    ]);
    // In another order, one of them a week off: the day stands as a difference, in its own row of each document.
    let again = body(&[
        scan("2025-09-08", "ct"),
        scan("2025-06-11", "mri"),
        scan("2025-06-11", "ct"),
    ]);
    assert_eq!(
        found(&stored, &again),
        [(
            "imaging.date".to_owned(),
            Kind::Values,
            Some("/imaging/2/date".to_owned()),
            Some("/imaging/0/date".to_owned())
        )]
    );
    // Of two scans of one day, the one that says more of the same is the same.
    let other = body(&[
        scan("2025-06-11", "pet_ct"),
        scan("2025-06-11", "mri"),
        scan("2025-09-01", "ct"),
    ]);
    assert_eq!(
        found(&stored, &other),
        [at("imaging.modality", Kind::Values, "/imaging/0/modality")]
    );
    // Months apart is another event: one row in either document only.
    let later = body(&[
        scan("2025-06-11", "ct"),
        scan("2025-06-11", "mri"),
        scan("2025-12-01", "ct"),
    ]);
    assert_eq!(found(&stored, &later), [missing(2, true), missing(2, false)]);
    let comparison = VERIFIER.compare(&stored, &later);
    assert_eq!(
        comparison.kinds().get(&Kind::RowMissing),
        Some(&10),
        "every answer of both rows"
    );
    // A month is the day within it.
    let month = body(&[
        scan("2025-06-11", "ct"),
        scan("2025-06-11", "mri"),
        scan("2025-09", "ct"),
    ]);
    assert_eq!(
        found(&stored, &month),
        [at("imaging.date", Kind::Values, "/imaging/2/date")]
    );
    // A statement about a section is named by the section.
    let attested = with(
        "/section_attestation",
        json!([{"section": "imaging", "status": "none_ever"}]),
    );
    assert_eq!(
        found(&case(), &attested),
        [at(
            "section_attestation.status",
            Kind::Values,
            "/section_attestation/0/status"
        )]
    );
    let elsewhere = with(
        "/section_attestation",
        json!([{"section": "systemic", "status": "complete_through"}]),
    );
    assert_eq!(found(&case(), &elsewhere).len(), 2);
}

#[test]
fn links_are_compared_by_what_they_point_at() {
    let body = |lesions: [(&str, &str); 2], biopsied: &str, treated: &[&str]| {
        let lesion = |(id, site): (&str, &str)| json!({"lesion_id": id, "presentation_seq": 1, "site": site, "status": "suspected"});
        let mut body = with("/lesion", json!(lesions.map(lesion)));
        body["biopsy"] =
            json!([{"biopsy_id": "B1", "lesion_id": biopsied, "date": "2025-07-01", "technique": "core"}]);
        body["local_treatment"] = json!([{
            "tx_id": "T1", "date": "2025-08-01", "presentation_seq": 1, "modality": "metastasectomy", "lesion_id": treated
        }]);
        body
    };
    let stored = body([("L1", "lung"), ("L2", "liver")], "L1", &["L1", "L2"]);
    // The labels changed places, and so did what uses them.
    let relabelled = body([("L2", "lung"), ("L1", "liver")], "L2", &["L2", "L1"]);
    assert_eq!(found(&stored, &relabelled), []);
    // The same label, now of another lesion.
    let moved = body([("L2", "lung"), ("L1", "liver")], "L1", &["L1", "L2"]);
    assert_eq!(
        found(&stored, &moved),
        [at("biopsy.lesion_id", Kind::Values, "/biopsy/0/lesion_id")]
    );
    let fewer = body([("L1", "lung"), ("L2", "liver")], "L1", &["L1"]);
    assert_eq!(
        found(&stored, &fewer),
        [at(
            "local_treatment.lesion_id",
            Kind::Values,
            "/local_treatment/0/lesion_id"
        )]
    );
    // A word that stands for no row, and a label that no row has.
    let primary = body([("L1", "lung"), ("L2", "liver")], "primary", &["L1", "L2"]);
    assert_eq!(found(&primary, &primary), []);
    assert_eq!(found(&stored, &primary).len(), 1);
    let nowhere = body([("L1", "lung"), ("L2", "liver")], "L7", &["L1", "L2"]);
    assert_eq!(found(&nowhere, &nowhere), []);
    // The number of a presentation decides which is the first: it is an answer, not a label.
    let numbered = with("/presentation/0/seq", json!(2));
    let elements: Vec<String> = found(&case(), &numbered).into_iter().map(|d| d.0).collect();
    assert!(elements.contains(&"presentation.seq".to_owned()), "{elements:?}");
}

#[test]
fn a_coded_answer_has_its_categories() {
    let changed = with("/patient/sex", json!({"absent": "unknown"}));
    let comparison = VERIFIER.compare(&case(), &changed);
    let of = |element: &str| {
        let cell = comparison.cells.iter().find(|cell| &*cell.element == element);
        cell.expect("compared").categories.clone()
    };
    assert_eq!(
        of("patient.sex"),
        Some(("=female".to_owned(), "absent:unknown".to_owned()))
    );
    assert_eq!(
        of("primary.fnclcc_grade"),
        Some(("=3".to_owned(), "=3".to_owned()))
    );
    assert_eq!(of("patient.birth_year"), None, "no closed list");
    assert_eq!(of("primary.organ_of_origin").map(|c| c.0 == c.1), Some(true));
    assert_eq!(of("imaging.region"), None, "a set is no category");
    assert_eq!(of("imaging.result"), None, "answered in neither");
}

#[test]
fn documents_of_two_versions_are_compared_in_the_newest_form() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema/examples/1.1.0/upgraded");
    let read = |path: &std::path::Path| -> Value {
        serde_json::from_str(&std::fs::read_to_string(path).expect("a file")).expect("JSON")
    };
    let mut pairs = 0;
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Some(stem) = name.strip_suffix(".after.json") {
            let before = read(&entry.path().with_file_name(format!("{stem}.before.json")));
            let after = read(&entry.path());
            assert_ne!(before["schema_version"], after["schema_version"], "{name}");
            let comparison = VERIFIER.compare(&before, &after);
            assert_eq!(comparison.differences, [], "{name}");
            assert!(comparison.agreeing() > 0, "{name}");
            pairs += 1;
        }
    }
    assert!(pairs > 0, "no pair of examples");
}

#[test]
fn measures_that_read_an_element_are_counted() {
    let guideline = JUDGE.in_force(&STORE.current().version).expect("a guideline");
    let readers = VERIFIER.readers(guideline);
    let all = guideline.measures.len();
    // Every population asks for consent, eligibility and a first presentation.
    assert_eq!(readers.get("consent.status"), Some(&all));
    assert_eq!(readers.get("primary.eligibility_class"), Some(&all));
    assert_eq!(readers.get("presentation.seq"), Some(&all));
    // Eligibility is worked out from what a person enters.
    for source in [
        "primary.icdo_morphology",
        "primary.icdo_topography",
        "primary.organ_of_origin",
    ] {
        assert_eq!(readers.get(source), Some(&all), "{source}");
    }
    assert!(readers["presentation.date_detected"] > 30);
    assert!(
        readers["local_treatment.modality"] > 10,
        "by the name a row is given"
    );
    assert!(readers["imaging.date"] > 5, "by the window its rows lie in");
    for unread in [
        "patient.pseudonym_id",
        "consent.research_reuse",
        "pro.global_health",
    ] {
        assert_eq!(readers.get(unread), None, "{unread}");
    }
    for element in readers.keys() {
        assert!(STORE.current().dictionary.element(element).is_some(), "{element}");
    }
}

/// Entity, its label, and the elements elsewhere that name it.
type Label = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

/// Labels of rows, and the elements that use them.
const LABELS: [Label; 6] = [
    (
        "lesion",
        "lesion_id",
        &[
            ("symptom", "lesion_id"),
            ("local_treatment", "lesion_id"),
            ("biopsy_decision", "lesion_id"),
            ("biopsy", "lesion_id"),
        ],
    ),
    ("radiotherapy", "rt_id", &[("local_treatment", "rt_id")]),
    ("prior_operation", "operation_id", &[]),
    ("biopsy", "biopsy_id", &[]),
    ("local_treatment", "tx_id", &[]),
    ("systemic", "line_id", &[]),
];

fn rows<'b>(body: &'b mut Value, entity: &str) -> &'b mut [Value] {
    body.get_mut(entity)
        .and_then(Value::as_array_mut)
        .map(Vec::as_mut_slice)
        .unwrap_or_default()
}

/// The same case with every row elsewhere and every label another.
fn disguised(body: &Value, seed: u64) -> Value {
    let mut dice = ChaCha20Rng::seed_from_u64(seed);
    let mut body = body.clone();
    for (entity, key, users) in LABELS {
        let mut names = BTreeMap::new();
        for row in rows(&mut body, entity) {
            if let Some(old) = row[key].as_str().map(str::to_owned) {
                let new = format!("x{}-{}", dice.random_range(0..1_000_000), names.len());
                row[key] = json!(names.entry(old).or_insert(new));
            }
        }
        for (user, element) in users {
            for row in rows(&mut body, user) {
                match &mut row[*element] {
                    Value::String(label) => {
                        if let Some(new) = names.get(label) {
                            label.clone_from(new);
                        }
                    }
                    Value::Array(labels) => {
                        for label in labels {
                            if let Some(new) = label.as_str().and_then(|old| names.get(old)) {
                                *label = json!(new);
                            }
                        }
                    }
                    _ => {}
                }
                if row[*element].is_null() {
                    row.as_object_mut().expect("a row").remove(*element);
                }
            }
        }
    }
    for section in body.as_object_mut().expect("an object").values_mut() {
        if let Some(rows) = section.as_array_mut() {
            for at in (1..rows.len()).rev() {
                rows.swap(at, dice.random_range(0..=at));
            }
        }
    }
    body
}

/// The same case as somebody else might enter it: answers changed, missing or absent, rows missing, rows twice.
fn reentered(body: &Value, seed: u64) -> Value {
    let mut dice = ChaCha20Rng::seed_from_u64(seed);
    let mut body = body.clone();
    for section in body.as_object_mut().expect("an object").values_mut() {
        match section {
            Value::Array(rows) => {
                rows.retain(|_| !dice.random_bool(0.08));
                if let Some(row) = rows.first().filter(|_| dice.random_bool(0.1)).cloned() {
                    rows.push(row);
                }
                rows.iter_mut().for_each(|row| change(row, &mut dice));
            }
            Value::Object(_) => change(section, &mut dice),
            _ => {}
        }
    }
    body
}

fn change(row: &mut Value, dice: &mut ChaCha20Rng) {
    let Some(row) = row.as_object_mut() else { return };
    let names: Vec<String> = row.keys().cloned().collect();
    for name in names {
        if name.ends_with("_id") || name == "seq" || name == "presentation_seq" || !dice.random_bool(0.1) {
            continue;
        }
        let value = match (&row[&name], dice.random_range(0..4)) {
            (_, 0) => json!({"absent": "unknown"}),
            (_, 1) => Value::Null,
            (Value::String(text), _) if text.len() == 10 && text.starts_with("20") => json!(text[..7]),
            (Value::String(_), _) => json!("other"),
            (Value::Number(n), _) => json!(n.as_f64().unwrap_or_default() + 1.0),
            (Value::Bool(b), _) => json!(!b),
            _ => json!({"absent": "pending"}),
        };
        row.insert(name, value);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_case_agrees_with_itself_however_its_rows_stand(index in 0..600_u32, seed: u64) {
        let body = reentered(&synthetic(index), seed);
        let itself = VERIFIER.compare(&body, &body);
        prop_assert_eq!(&itself.differences, &[]);
        prop_assert_eq!(itself.share(), Some(1.0));
        let again = VERIFIER.compare(&body, &disguised(&body, seed ^ 1));
        prop_assert_eq!(&again.differences, &[]);
        prop_assert_eq!(counts(&again), counts(&itself));
    }

    #[test]
    fn order_and_labels_change_no_count(index in 0..600_u32, seed: u64) {
        let stored = synthetic(index);
        let entered = reentered(&stored, seed);
        let plain = VERIFIER.compare(&stored, &entered);
        for (one, two) in [
            (stored.clone(), disguised(&entered, seed ^ 2)),
            (disguised(&stored, seed ^ 3), entered.clone()),
            (disguised(&stored, seed ^ 4), disguised(&entered, seed ^ 5)),
        ] {
            let other = VERIFIER.compare(&one, &two);
            prop_assert_eq!(counts(&other), counts(&plain));
            prop_assert_eq!(other.differences.len(), plain.differences.len());
        }
    }

    #[test]
    fn which_document_comes_first_changes_no_count(index in 0..600_u32, seed: u64) {
        let stored = synthetic(index);
        let entered = reentered(&stored, seed);
        let (one, two) = (VERIFIER.compare(&stored, &entered), VERIFIER.compare(&entered, &stored));
        prop_assert_eq!(counts(&one), counts(&two));
        prop_assert!(!one.differences.is_empty());
        let swapped: Vec<_> = one.cells.iter().filter_map(|c| c.categories.clone()).map(|(a, b)| (b, a)).collect();
        let other: Vec<_> = two.cells.iter().filter_map(|c| c.categories.clone()).collect();
        let sorted = |mut all: Vec<(String, String)>| { all.sort(); all };
        prop_assert_eq!(sorted(swapped), sorted(other));
    }
}
