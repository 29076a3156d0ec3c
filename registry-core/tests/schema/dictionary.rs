//! The dictionary agrees with the specification's element table and grows without a change of code.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

use registry_core::dictionary::{Absence, ElementKind, Requirement, Visibility};
use registry_core::validation::Judge;
use registry_core::versions::{SchemaStore, Status};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::body::{STORE, centres, envelope, found, with};
use crate::store::{change, copy};

#[test]
fn all_entities_and_elements_are_there() {
    let dictionary = &STORE.current().dictionary;
    assert_eq!(dictionary.entities.len(), 30);
    assert_eq!(dictionary.element_count(), 263);
}

#[test]
fn an_element_says_what_it_takes() {
    let dictionary = &STORE.current().dictionary;
    let size = dictionary.element("primary.size_mm").expect("an element");
    assert_eq!(size.kind, ElementKind::Integer);
    assert_eq!(size.unit.as_deref(), Some("mm"));
    assert_eq!(size.requirement, Requirement::Required);
    assert!(size.absence.contains(Absence::Unknown) && !size.absence.contains(Absence::NotDone));
    let side = dictionary.element("primary.side").expect("an element");
    let codes: Vec<&str> = side.codes.as_ref().expect("a list").iter().collect();
    assert_eq!(codes, ["left", "right", "midline", "bilateral"]);
    let resection = dictionary
        .element("primary.definitive_resection_date")
        .expect("an element");
    assert_eq!(resection.requirement, Requirement::Conditional);
    assert!(
        resection
            .condition
            .as_ref()
            .is_some_and(|c| c.contains("resected"))
    );
    let registered = dictionary
        .element("patient.registration_date")
        .expect("an element");
    assert!(registered.exact_date);
    assert!(!dictionary.element("imaging.date").expect("an element").exact_date);
    let ecog = dictionary.element("assessment.ecog").expect("an element");
    assert!(
        ecog.codes.is_some() && !ecog.codes_enforced,
        "an edit check explains the range"
    );
    assert!(side.codes_enforced);
    assert_eq!(
        dictionary
            .element("record.record_id")
            .expect("an element")
            .visibility,
        Visibility::Internal
    );
    let anchor = |entity: &str| {
        let entity = dictionary.entity(entity).expect("an entity");
        entity.anchor_date.map(|i| entity.elements[i].name.as_str())
    };
    assert_eq!(anchor("imaging"), Some("date"));
    assert_eq!(anchor("systemic"), Some("start_date"));
    assert_eq!(anchor("hereditary"), None);
}

#[test]
fn the_csv_has_a_line_per_element_and_reads_back() {
    let dictionary = &STORE.current().dictionary;
    let csv = dictionary.to_csv();
    let rows = read_csv(&csv);
    assert_eq!(rows.len(), 264);
    let header = &rows[0];
    assert!(rows.iter().all(|r| r.len() == header.len()));
    let column = |name: &str| header.iter().position(|h| h == name).expect("a column");
    let size = rows
        .iter()
        .find(|r| r[0] == "primary" && r[1] == "size_mm")
        .expect("a line");
    assert_eq!(size[column("type")], "integer");
    assert_eq!(size[column("unit")], "mm");
    assert_eq!(size[column("absence")], "unknown");
    assert_eq!(size[column("introduced")], "1.0.0");
    let region = rows
        .iter()
        .find(|r| r[0] == "imaging" && r[1] == "region")
        .expect("a line");
    assert_eq!(
        region[column("codes")],
        "chest abdomen pelvis liver brain spine soft_tissue bone whole_body"
    );
}

/// A reader of RFC 4180 of its own, so that the writer is not its own judge.
fn read_csv(text: &str) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut row = Vec::new();
    let mut field = String::new();
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (quoted, c) {
            (true, '"') if chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            (true, '"') => quoted = false,
            (true, c) => field.push(c),
            (false, '"') => quoted = true,
            (false, ',') => row.push(std::mem::take(&mut field)),
            (false, '\r') => {
                assert_eq!(chars.next(), Some('\n'));
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            (false, c) => field.push(c),
        }
    }
    assert!(row.is_empty() && field.is_empty(), "the last line ends");
    rows
}

/// The files of 1.0.0 and 1.1.0 say that it leaves as a number of days; they are published, and it does not any more.
#[test]
fn the_table_is_stricter_than_a_published_version() {
    for version in ["1.0.0", "1.1.0"] {
        let schema = STORE.case_schema(version).expect("a version");
        let property = &schema.documents["section_attestation.schema.json"]["properties"]["complete_through"];
        assert_eq!(property["x-visibility"], "shifted_date");
        let element = schema.dictionary.element("section_attestation.complete_through");
        assert_eq!(element.expect("an element").visibility, Visibility::Internal);
    }
}

#[test]
fn the_json_form_has_every_element() {
    let document = serde_json::json!(STORE.current().dictionary.described());
    let entities = document["entities"].as_array().expect("entities");
    let elements: usize = entities
        .iter()
        .map(|e| e["elements"].as_array().map_or(0, Vec::len))
        .sum();
    assert_eq!((entities.len(), elements), (30, 263));
}

/// Adds the draft version 1.2.0 to a copy of the schema: as 1.1.0.
pub(crate) fn draft() -> tempfile::TempDir {
    draft_with(|_, _| {})
}

/// Adds the draft version 1.2.0 to a copy of the schema: as 1.1.0, with one more optional element.
pub(crate) fn draft_with_an_element() -> tempfile::TempDir {
    let folder = draft_with(|file, schema| {
        if file == "imaging.schema.json" {
            schema["properties"]["slice_mm"] = json!({
                "description": "Slice thickness.",
                "x-type": "number",
                "x-unit": "mm",
                "x-requirement": "O",
                "x-absence": ["unknown"],
                "x-visibility": "open",
                "x-introduced": "1.2.0",
                "anyOf": [
                    {"type": "number"},
                    {
                        "type": "object",
                        "properties": {"absent": {"enum": ["unknown"]}},
                        "required": ["absent"],
                        "additionalProperties": false
                    },
                    {"type": "null"}
                ]
            });
        }
    });
    change(
        &folder,
        "visibility.toml",
        "[imaging]",
        "[imaging]\nslice_mm = \"open\"",
    );
    folder
}

/// A draft 1.2.0 with every file of 1.1.0 passed through `edit`.
fn draft_with(edit: impl Fn(&str, &mut Value)) -> tempfile::TempDir {
    let folder = copy();
    let (from, to) = (folder.path().join("case/1.1.0"), folder.path().join("case/1.2.0"));
    fs::create_dir(&to).expect("a folder");
    let schemas = fs::read_dir(&from).expect("a folder").flatten();
    for entry in schemas.filter(|entry| entry.path().extension().is_some_and(|e| e == "json")) {
        let text = fs::read_to_string(entry.path()).expect("a file");
        let mut schema: Value =
            serde_json::from_str(&text.replace("urn:rps-registry:case:1.1.0", "urn:rps-registry:case:1.2.0"))
                .expect("a schema");
        let name = entry.file_name().to_string_lossy().into_owned();
        if name == "case.schema.json" {
            schema["properties"]["schema_version"]["const"] = json!("1.2.0");
        }
        edit(&name, &mut schema);
        fs::write(to.join(entry.file_name()), schema.to_string()).expect("written");
    }
    change(
        &folder,
        "catalog.toml",
        "[[case_version]]",
        "[[case_version]]\nversion = \"1.2.0\"\nstatus = \"draft\"\n\n[[case_version]]",
    );
    folder
}

/// Nothing is fetched, and no keyword is passed over: such a schema does not compile.
#[test]
fn a_schema_that_points_elsewhere_or_has_an_unknown_format_does_not_compile() {
    for (keyword, value) in [
        ("$ref", "https://example.org/schema.json"),
        ("$ref", "file:///etc/hostname"),
        ("$ref", "urn:rps-registry:nowhere"),
        ("format", "phone-number"),
    ] {
        let folder = draft_with(|name, schema| {
            if name == "imaging.schema.json" {
                let mut element = json!({"type": "string"});
                element[keyword] = json!(value);
                schema["properties"]["date"]["allOf"] = json!([element]);
            }
        });
        let store = Arc::new(SchemaStore::from_dir(folder.path()).expect("the files are read"));
        let error = Judge::with_drafts(store).err().map(|error| error.to_string());
        assert!(
            error.as_ref().is_some_and(|error| error.contains("1.2.0")),
            "{keyword} {value}: {error:?}"
        );
    }
}

#[test]
fn a_new_optional_element_needs_no_change_of_code() {
    let folder = draft_with_an_element();
    let store = Arc::new(SchemaStore::from_dir(folder.path()).expect("a draft beside the published version"));
    assert_eq!(store.current().version, "1.1.0");
    let draft = store.case_schema("1.2.0").expect("the draft");
    assert_eq!(draft.status, Status::Draft);

    // In the dictionary, with the version that introduced it.
    let element = draft.dictionary.element("imaging.slice_mm").expect("the element");
    assert_eq!(
        (element.kind, element.unit.as_deref(), element.introduced.as_str()),
        (ElementKind::Number, Some("mm"), "1.2.0")
    );
    assert!(draft.dictionary.to_csv().contains("imaging,slice_mm,number,mm,"));
    assert!(store.current().dictionary.element("imaging.slice_mm").is_none());

    // Validated.
    let judge = Judge::with_drafts(Arc::clone(&store)).expect("it compiles");
    let body = |value: Value| {
        let mut body = with("/schema_version", json!("1.2.0"));
        body["imaging"][0]["slice_mm"] = value;
        body
    };
    let verdict = |value: Value| judge.judge(&body(value), &envelope(), &centres());
    assert!(!verdict(json!(2.5)).rejected());
    assert!(!verdict(json!({"absent": "unknown"})).rejected());
    assert_eq!(
        found(&verdict(json!("thin"))),
        [("wrong_type", "/imaging/0/slice_mm")]
    );
    assert_eq!(
        found(&verdict(json!({"absent": "not_done"}))),
        [("absence_not_allowed", "/imaging/0/slice_mm")]
    );
    // Not in the published version.
    let mut published = with("/imaging/0/slice_mm", json!(2.5));
    let refused = judge.judge(&published, &envelope(), &centres());
    assert_eq!(found(&refused), [("unknown_property", "/imaging/0/slice_mm")]);
    // A draft is not accepted for submission.
    published["schema_version"] = json!("1.2.0");
    let strict = Judge::new(store).expect("it compiles");
    let refused = strict.judge(&published, &envelope(), &centres());
    assert_eq!(
        found(&refused),
        [("unsupported_schema_version", "/schema_version")]
    );
}

#[test]
fn the_digest_is_of_the_bytes() {
    let path = "codelists/ecog.json";
    let bytes = STORE.files().bytes(path).expect("a file");
    assert_eq!(
        STORE.files().sha256(path),
        Some(hex::encode(Sha256::digest(bytes)))
    );
}

fn is_code(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// Schema 1.0.0 is the case record as it was written down: every entity and element, its type and unit, its codes, its requirement, its
/// absence codes, its standard.
#[test]
fn version_1_0_0_is_the_case_record_as_specified() {
    let golden: Value =
        serde_json::from_str(include_str!("../../../tests/golden/dictionary/case-record.json")).unwrap();
    let dictionary = &STORE.case_schema("1.0.0").expect("published").dictionary;
    let entities = golden["entities"].as_array().unwrap();
    assert_eq!(dictionary.entities.len(), entities.len());
    let mut wrong = Vec::new();
    let (mut elements, mut lists) = (0, 0);
    for specified in entities {
        let name = specified["name"].as_str().unwrap();
        let entity = dictionary
            .entity(name)
            .unwrap_or_else(|| panic!("no entity {name}"));
        // A remark may follow: `1..* per centre and year`.
        let cardinality = specified["cardinality"].as_str().unwrap().split(' ').next();
        assert_eq!(Some(entity.cardinality.as_str()), cardinality, "{name}");
        for specified in specified["elements"].as_array().unwrap() {
            elements += 1;
            let path = format!("{name}.{}", specified["name"].as_str().unwrap());
            let Some(element) = dictionary.element(&path) else {
                wrong.push(format!("{path} is missing"));
                continue;
            };
            let text = |key: &str| specified[key].as_str().unwrap_or_default();
            let requirement = match text("requirement") {
                conditional if conditional.starts_with("C(") => "C",
                other => other,
            };
            if element.requirement.as_str() != requirement {
                wrong.push(format!("{path} is {}, not {requirement}", element.requirement));
            }
            let absence: Vec<&str> = element.absence.iter().map(|absence| absence.as_str()).collect();
            let mut specified_absence: Vec<&str> = specified["absence_codes"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(Value::as_str)
                .collect();
            let mut found = absence.clone();
            found.sort_unstable();
            specified_absence.sort_unstable();
            if found != specified_absence {
                wrong.push(format!("{path} takes {found:?}, not {specified_absence:?}"));
            }
            // `integer mm`: the type, then the unit.
            let (kind, unit) = match text("type") {
                "code set" => ("code_set", None),
                "string set" => ("string_set", None),
                other => match other.split_once([' ', '/']) {
                    Some((kind, unit)) => (kind, Some(unit)),
                    None => (other, None),
                },
            };
            // Spelled out, or said by the element's name.
            let unit = match (path.as_str(), kind, unit) {
                (_, _, Some("yr")) => Some("per year"),
                (_, "percent", None) => Some("%"),
                ("assessment.egfr_ml_min", ..) => Some("mL/min/1.73 m2"),
                ("systemic.stable_months", ..) => Some("months"),
                (_, _, unit) => unit,
            };
            if (element.kind.as_str(), element.unit.as_deref()) != (kind, unit) {
                wrong.push(format!(
                    "{path} is {} in {:?}, not {kind} in {unit:?}",
                    element.kind, element.unit
                ));
            }
            // A list of codes and nothing else; what is said in words is held by the examples and the checks.
            let listed: BTreeSet<&str> = text("codes_or_constraint").split(',').map(str::trim).collect();
            let is_list = listed.len() > 1 && listed.iter().all(|code| is_code(code));
            if kind.starts_with("code") && is_list {
                lists += 1;
                let codes: BTreeSet<&str> = element.codes.iter().flat_map(|codes| codes.iter()).collect();
                if codes != listed {
                    wrong.push(format!("{path} has the codes {codes:?}, not {listed:?}"));
                }
            }
            if element.standard.as_deref().unwrap_or_default() != text("standard") {
                wrong.push(format!(
                    "{path} is mapped to {:?}, not {:?}",
                    element.standard,
                    text("standard")
                ));
            }
        }
    }
    assert_eq!((elements, dictionary.element_count(), lists), (262, 262, 99));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
