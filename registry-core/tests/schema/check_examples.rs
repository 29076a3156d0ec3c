//! The examples of the edit checks: a record, a few changes, and whether the check fires then.
//!
//! A file `examples/1.0.0/checks/<id>.toml` names a valid example as its base once; every example in it says what is
//! changed. See the README of the examples.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use chrono::{NaiveDate, NaiveTime};
use registry_core::dictionary::Requirement;
use registry_core::intake::{Limits, parse};
use registry_core::record::Record;
use registry_core::validation::{Derived, Document, Envelope, Finding};
use serde::Deserialize;
use serde_json::Value;

use crate::body::{JUDGE, STORE, case, centres, envelope, with};
use crate::store::schema_dir;

/// Made by the storage, which knows the other records: `tests/storage/pseudonyms.rs` reads its examples.
const OF_THE_STORAGE: &str = "E-003";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    base: String,
    severity: String,
    #[serde(default)]
    set: BTreeMap<String, Value>,
    #[serde(default)]
    remove: Vec<String>,
    pub(crate) example: Vec<Example>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Example {
    pub(crate) fires: bool,
    why: String,
    #[serde(default)]
    set: BTreeMap<String, Value>,
    #[serde(default)]
    remove: Vec<String>,
    /// Where the finding points.
    at: Option<String>,
    /// The centre that sends, when it is not the usual one.
    centre: Option<String>,
    /// The centre that already holds the pseudonym: for the check across records only.
    held_by: Option<String>,
    /// Day of submission and cut-off, when it is not the usual one.
    sent_on: Option<NaiveDate>,
}

/// Sets `value` at `pointer`, making the objects and arrays on the way; an index just behind the end appends.
fn set(body: &mut Value, pointer: &str, value: &Value) {
    let mut here = body;
    for token in pointer.split('/').skip(1) {
        if here.is_null() {
            *here = match token.parse::<usize>() {
                Ok(_) => Value::Array(Vec::new()),
                Err(_) => Value::Object(serde_json::Map::new()),
            };
        }
        here = match here {
            Value::Array(rows) => {
                let at: usize = token
                    .parse()
                    .unwrap_or_else(|_| panic!("{pointer}: {token} is no row"));
                assert!(at <= rows.len(), "{pointer}: there are {} rows", rows.len());
                if at == rows.len() {
                    rows.push(Value::Null);
                }
                &mut rows[at]
            }
            Value::Object(elements) => elements.entry(token).or_insert(Value::Null),
            _ => panic!("{pointer} goes through a value"),
        };
    }
    *here = value.clone();
}

/// Takes out what `pointer` points at; it must be there.
fn remove(body: &mut Value, pointer: &str) {
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    let taken = match body.pointer_mut(parent) {
        Some(Value::Object(elements)) => elements.remove(key),
        Some(Value::Array(rows)) => {
            let at: usize = key.parse().expect("a row");
            (at < rows.len()).then(|| rows.remove(at))
        }
        _ => None,
    };
    assert!(taken.is_some(), "{pointer}: nothing to remove");
}

impl File {
    pub(crate) fn body(&self, example: &Example) -> Value {
        let path = schema_dir()
            .join("examples/1.0.0/valid")
            .join(format!("{}.json", self.base));
        let bytes = fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", self.base));
        let mut body = parse(&bytes, &Limits::default()).unwrap_or_else(|e| panic!("{}: {e}", self.base));
        for (sets, removes) in [(&self.set, &self.remove), (&example.set, &example.remove)] {
            for (pointer, value) in sets {
                set(&mut body, pointer, value);
            }
            for pointer in removes {
                remove(&mut body, pointer);
            }
        }
        body
    }
}

impl Example {
    /// Sent by centre C07 on 4 January 2027 where nothing else is said.
    pub(crate) fn envelope(&self) -> Envelope {
        let day = self
            .sent_on
            .unwrap_or_else(|| NaiveDate::from_ymd_opt(2027, 1, 4).expect("a day"));
        let time = NaiveTime::from_hms_opt(9, 30, 0).expect("a time");
        let usual = envelope();
        Envelope {
            centre_id: self.centre.clone().unwrap_or_else(|| usual.centre_id.clone()),
            submitted_at: day.and_time(time).and_utc(),
            data_cutoff_date: day,
            ..usual
        }
    }
}

pub(crate) fn files() -> BTreeMap<String, File> {
    let folder = schema_dir().join("examples/1.0.0/checks");
    fs::read_dir(&folder)
        .expect("the examples of the checks")
        .flatten()
        .map(|entry| {
            let path = entry.path();
            let id = path.file_stem().expect("a name").to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).expect("text");
            let file = toml::from_str(&text).unwrap_or_else(|e| panic!("{id}: {e}"));
            (id, file)
        })
        .collect()
}

/// What is wrong with one example, if anything is.
fn fault(id: &str, file: &File, example: &Example) -> Option<String> {
    let verdict = JUDGE.judge(&file.body(example), &example.envelope(), &centres());
    // A body that breaks the schema is not put to the checks: silence would prove nothing.
    let breaches: Vec<&Finding> = verdict.findings.iter().filter(|f| f.rule.is_none()).collect();
    if !breaches.is_empty() {
        return Some(format!("breaks the schema: {breaches:?}"));
    }
    if verdict.further_findings > 0 {
        return Some("has more findings than are listed".to_owned());
    }
    let fired: Vec<&Finding> = verdict
        .findings
        .iter()
        .filter(|f| f.rule.as_deref() == Some(id))
        .collect();
    if fired.is_empty() == example.fires {
        let places: Vec<&str> = fired.iter().map(|f| f.pointer.as_str()).collect();
        return Some(format!("expected fires = {}, fired at {places:?}", example.fires));
    }
    if let Some(other) = fired.iter().find(|f| f.severity.as_str() != file.severity) {
        return Some(format!(
            "expected severity {}, found {}",
            file.severity, other.severity
        ));
    }
    if let Some(at) = &example.at
        && fired.iter().all(|f| f.pointer != *at)
    {
        let places: Vec<&str> = fired.iter().map(|f| f.pointer.as_str()).collect();
        return Some(format!("expected at {at}, fired at {places:?}"));
    }
    None
}

#[test]
fn every_example_of_a_check_fires_or_does_not_as_it_says() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for (id, file) in files().iter().filter(|(id, _)| *id != OF_THE_STORAGE) {
        for example in &file.example {
            assert!(
                example.held_by.is_none(),
                "{id}: only {OF_THE_STORAGE} knows other records"
            );
            count += 1;
            if let Some(fault) = fault(id, file, example) {
                wrong.push(format!("{id}: {} -> {fault}", example.why));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {count}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn every_check_has_examples_of_both_kinds() {
    let files = files();
    let checks = JUDGE.checks("1.0.0").expect("the checks");
    let known: BTreeSet<&str> = checks.checks().iter().map(|check| check.id.as_str()).collect();
    let exemplified: BTreeSet<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(exemplified, known);
    for check in checks.checks() {
        let file = &files[&check.id];
        assert_eq!(file.severity, check.severity.as_str(), "{}", check.id);
        let fires = |wanted: bool| file.example.iter().filter(|e| e.fires == wanted).count();
        assert!(fires(true) > 0 && fires(false) > 0, "{}", check.id);
        for example in &file.example {
            assert!(
                example.why.ends_with('.') && example.why.len() > 10,
                "{}: {}",
                check.id,
                example.why
            );
            assert!(
                example.fires || example.at.is_none(),
                "{}: silence has no place",
                check.id
            );
        }
        let told: BTreeSet<&str> = file.example.iter().map(|e| e.why.as_str()).collect();
        assert_eq!(told.len(), file.example.len(), "{}: the same twice", check.id);
    }
}

/// Conditional requirements no rule can judge, and why.
const NOT_A_RULE: [(&str, &str); 1] = [(
    "consent.withdrawal_date",
    "a withdrawal is taken whatever it lacks: no rule is put to it, and the answer names the day that was taken",
)];

/// Conditional requirements that an edit check asks for and no rule of their own: the condition as the dictionary words it, the check, and
/// what of its expression says the same. The other 39 rules name the dictionary's condition as their provenance.
const BY_EDIT_CHECK: [(&str, &str, &str, &str); 10] = [
    (
        "consent.date",
        "status=consented",
        "E-005",
        "consent.status = 'consented'",
    ),
    (
        "primary.completeness",
        "resection_status=resected",
        "E-024",
        "primary.resection_status = 'resected'",
    ),
    (
        "biopsy.core_count",
        "technique=core_needle",
        "E-045",
        "biopsy.technique = 'core_needle'",
    ),
    (
        "biopsy.transperitoneal_reason",
        "route=transperitoneal",
        "E-050",
        "biopsy.route = 'transperitoneal'",
    ),
    (
        "local_treatment.symptom_indication",
        "intent=symptom_palliation",
        "E-093",
        "local_treatment.intent = 'symptom_palliation'",
    ),
    (
        "local_treatment.rt_id",
        "modality in sbrt, palliative_rt",
        "E-084",
        "local_treatment.modality IN {'sbrt', 'palliative_rt'}",
    ),
    (
        "systemic.anthracycline_cum_mg_m2",
        "any anthracycline",
        "E-067",
        "HAS_ANY(systemic.agents, $ANTHRACYCLINES)",
    ),
    (
        "trial.enrolment_date",
        "outcome=enrolled",
        "E-080",
        "trial.outcome = 'enrolled'",
    ),
    (
        "trial.registry_id",
        "outcome=enrolled",
        "E-080",
        "trial.outcome = 'enrolled'",
    ),
    (
        "followup.cause_of_death",
        "vital_status=dead",
        "E-036",
        "followup.vital_status = 'dead'",
    ),
];

#[test]
fn every_conditional_requirement_is_queried_by_a_check_under_its_condition() {
    let checks = JUDGE.checks("1.0.0").expect("the checks");
    let text = |id: &str| {
        checks
            .check(id)
            .and_then(|check| check.expression.as_deref())
            .unwrap_or_default()
    };
    let asks = |id: &str, path: &str| {
        text(id).contains(&format!("MISSING({path})")) || text(id).contains(&format!("KNOWN({path})"))
    };
    // A rule of its own is about its element, and every_check_says_where_it_comes_from holds it against the dictionary's condition.
    let own = |path: &str| {
        checks
            .checks()
            .iter()
            .any(|check| check.id.starts_with("R-") && asks(&check.id, path))
    };
    let (mut count, mut of_checks, mut unasked) = (0, Vec::new(), Vec::new());
    for entity in &STORE.current().dictionary.entities {
        for element in entity
            .elements
            .iter()
            .filter(|e| e.requirement == Requirement::Conditional)
        {
            count += 1;
            let path = format!("{}.{}", entity.name, element.name);
            let condition = element
                .condition
                .clone()
                .expect("a conditional element says when");
            match BY_EDIT_CHECK.iter().find(|(of, ..)| *of == path) {
                Some((_, worded, id, written)) => {
                    assert_eq!(condition, *worded, "{path}");
                    assert!(
                        asks(id, &path) && text(id).contains(written),
                        "{path}: {id} asks under `{written}`"
                    );
                    of_checks.push(path);
                }
                None if own(&path) => {}
                None => unasked.push(path),
            }
        }
    }
    assert_eq!(count, 50);
    assert_eq!(of_checks, BY_EDIT_CHECK.map(|(path, ..)| path));
    assert_eq!(unasked, NOT_A_RULE.map(|(path, _)| path.to_owned()));
}

/// The conditional elements a check asks for.
fn asked_by(id: &str) -> Vec<String> {
    let checks = JUDGE.checks("1.0.0").expect("the checks");
    let text = checks.check(id).and_then(|check| check.expression.as_deref());
    let own = text
        .filter(|_| id.starts_with("R-"))
        .and_then(|text| Some(text.rsplit_once("MISSING(")?.1.split_once(')')?.0));
    let by_edit_check = BY_EDIT_CHECK.iter().filter(|(_, _, check, _)| *check == id);
    let asked = by_edit_check.map(|(path, ..)| *path).chain(own);
    asked.map(str::to_owned).collect()
}

/// Where an element is asked for.
fn asked_for(body: &Value, path: &str) -> Vec<String> {
    let checks = JUDGE.checks("1.0.0").expect("the checks");
    let layout = JUDGE.layout("1.0.0").expect("a layout");
    let document = Document::new(Cow::Borrowed(body), "1.0.0", &envelope(), &Derived::default());
    let record = Record::read(&document, layout, &centres());
    let asked = checks.asked_for(&record, [layout.path(path).expect("a path")]);
    asked.into_iter().map(|at| record.pointer(at)).collect()
}

#[test]
fn what_a_condition_requires_is_asked_for_whether_it_is_there_or_not() {
    let unknown = serde_json::json!({ "absent": "unknown" });
    let mut seen = BTreeSet::new();
    for (id, file) in files() {
        for path in asked_by(&id) {
            for example in file.example.iter().filter(|example| example.fires) {
                let mut body = file.body(example);
                let places = asked_for(&body, &path);
                assert!(!places.is_empty(), "{id}: {path} where {}", example.why);
                places.iter().for_each(|place| set(&mut body, place, &unknown));
                assert_eq!(
                    asked_for(&body, &path),
                    places,
                    "{id}: {path} where {}",
                    example.why
                );
                seen.insert(path.clone());
            }
        }
    }
    assert_eq!(seen.len(), 49, "{seen:?}");
    let reason = "primary.withheld_reason";
    assert_eq!(asked_for(&case(), reason), ["/primary/withheld_reason"]);
    let resected = with("/primary/resection_status", "resected".into());
    assert!(
        asked_for(&resected, reason).is_empty(),
        "it is there, and nobody asked"
    );
    let perhaps = with("/primary/resection_status", unknown);
    assert!(
        asked_for(&perhaps, reason).is_empty(),
        "nobody knows whether it is required"
    );
}

/// A check of the plan says that it is one, a requirement names the condition the dictionary gives its element.
#[test]
fn every_check_says_where_it_comes_from() {
    let dictionary = &STORE.current().dictionary;
    let checks = JUDGE.checks("1.0.0").expect("the checks");
    let mut conditions = 0;
    for check in checks.checks() {
        let told = check.provenance.as_deref().unwrap_or_default();
        if check.id.starts_with("E-") {
            assert!(told.starts_with("edit check rule"), "{}: {told}", check.id);
            continue;
        }
        let text = check.expression.as_deref().unwrap_or_default();
        let (_, asked) = text.rsplit_once("MISSING(").expect("asks for an element");
        let (path, _) = asked.split_once(')').expect("a path");
        let (entity, name) = path.split_once('.').expect("a path");
        let entity = dictionary.entity(entity).expect("an entity");
        let element = entity
            .elements
            .iter()
            .find(|element| element.name == name)
            .expect("an element");
        let condition = element.condition.as_deref().expect("a condition");
        assert_eq!(
            told,
            format!("dictionary conditional: {condition}"),
            "{}",
            check.id
        );
        conditions += 1;
    }
    assert_eq!((conditions, checks.checks().len()), (39, 142));
}
