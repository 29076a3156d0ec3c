//! Sets of codes: a column a code in the entities' files, a row a chosen code in `multiselect.csv`, of the same elements.

use std::collections::{BTreeMap, BTreeSet};

use registry_core::storage::Run;
use registry_core::synthetic;
use registry_etl::releases::{self, Approved, Built, MULTISELECT, ReleaseOptions};

use crate::registry::{Registry, engine, system};
use crate::releases::{built, options, rows, unpacked};

type Files = BTreeMap<String, Vec<u8>>;
/// Patient, entity, row, element, code.
type Chosen = [String; 5];

/// What the long table says.
fn long(files: &Files) -> Vec<Chosen> {
    rows(files, MULTISELECT)
        .iter()
        .map(|row| ["patient_id", "entity", "row", "element", "code"].map(|name| row[name].clone()))
        .collect()
}

/// What the columns of the entities' files say.
fn wide(files: &Files) -> BTreeSet<Chosen> {
    let mut all = BTreeSet::new();
    for line in rows(files, "dictionary.csv") {
        let Some((element, code)) = line["column"].split_once("___") else {
            continue;
        };
        let entity = line["file"].trim_end_matches(".csv").to_owned();
        for row in rows(files, &line["file"]) {
            if row[&line["column"]] == "TRUE" {
                let number = row.get("row").cloned().unwrap_or_default();
                let patient = row["patient_id"].clone();
                all.insert([patient, entity.clone(), number, element.into(), code.into()]);
            }
        }
    }
    all
}

/// The bundle of a request for these files and elements.
fn asked(registry: &Registry, run: &Run, files: &[&str], elements: &[&str]) -> (Built, Files) {
    let named = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
    let options = ReleaseOptions {
        approved: Some(Approved {
            request_id: "request".into(),
            files: named(files),
            elements: named(elements),
            contracted: true,
            calendar_years: false,
            centre_unmasked: false,
        }),
        ..options(1)
    };
    let mut bytes = Vec::new();
    let built =
        releases::build(&registry.store, &system(), &engine(), run, &options, &mut bytes).expect("built");
    (built, unpacked(&bytes))
}

#[test]
fn every_chosen_code_is_a_row_in_words_and_in_the_order_of_the_files() {
    let registry = Registry::with(40, 3);
    let files = unpacked(&built(&registry, &registry.run(), 1).1);
    let told = long(&files);
    let patients: Vec<&str> = told.iter().map(|row| row[0].as_str()).collect();
    assert!(patients.is_sorted() && told.len() > 200, "{}", told.len());
    let distinct: BTreeSet<Chosen> = told.iter().cloned().collect();
    assert_eq!(distinct.len(), told.len(), "each once");
    assert_eq!(distinct, wide(&files));

    // As the documents say, counted by element and code.
    let sets = [
        "mdt.disciplines",
        "systemic.agents",
        "imaging.region",
        "progression.site",
    ];
    let mut expected: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for index in 0..40 {
        let document = synthetic::case(&registry.plan, index).body;
        if document["consent"]["research_reuse"] != true {
            continue;
        }
        for set in sets {
            let (entity, element) = set.split_once('.').expect("entity.element");
            let rows = document[entity].as_array().into_iter().flatten();
            for code in rows.flat_map(|row| row[element].as_array().into_iter().flatten()) {
                *expected
                    .entry((set, code.as_str().expect("a code").to_owned()))
                    .or_default() += 1;
            }
        }
    }
    let mut counted: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for [_, entity, _, element, code] in &told {
        let path = format!("{entity}.{element}");
        if let Some(set) = sets.iter().find(|set| **set == path) {
            *counted.entry((set, code.clone())).or_default() += 1;
        }
    }
    assert!(expected.len() > 12, "{expected:?}");
    assert_eq!(counted, expected);

    let lists = rows(&files, "codelists.csv");
    let agents: BTreeMap<&str, &str> = lists
        .iter()
        .filter(|line| line["code_list"] == "agents")
        .map(|line| (line["code"].as_str(), line["label"].as_str()))
        .collect();
    for row in rows(&files, MULTISELECT)
        .iter()
        .filter(|row| row["element"] == "agents")
    {
        let words = agents[row["code"].as_str()];
        assert_eq!(
            row["label"],
            if words.is_empty() {
                row["code"].as_str()
            } else {
                words
            }
        );
    }
}

#[test]
fn a_request_has_the_sets_that_were_approved_and_no_other() {
    let registry = Registry::with(20, 2);
    let run = registry.run();
    let whole = long(&unpacked(&built(&registry, &run, 1).1));
    let elements = |files: &Files| -> BTreeSet<String> {
        long(files)
            .iter()
            .map(|row| format!("{}.{}", row[1], row[3]))
            .collect()
    };
    let told_of = |files: &Files| {
        let lines = rows(files, "dictionary.csv");
        lines.iter().filter(|line| line["file"] == MULTISELECT).count()
    };
    // One element: its rows, as in the release of the same key.
    let (one, files) = asked(&registry, &run, &[], &["systemic.agents"]);
    let of_agents = |row: &&Chosen| row[3] == "agents";
    let expected: Vec<Chosen> = whole.iter().filter(of_agents).cloned().collect();
    assert!(expected.len() > 5);
    assert_eq!(long(&files), expected);
    assert_eq!(long(&files).into_iter().collect::<BTreeSet<_>>(), wide(&files));
    assert_eq!(told_of(&files), 6);
    let named: Vec<&str> = one.manifest.files.iter().map(|file| file.name.as_str()).collect();
    assert!(named.contains(&"parquet/multiselect.parquet") && named.contains(&"systemic.csv"));
    // An entity's file brings its sets along.
    let (_, files) = asked(&registry, &run, &["mdt.csv"], &["systemic.setting"]);
    let of_boards = elements(&files);
    assert!(of_boards.contains("mdt.disciplines") && of_boards.iter().all(|one| one.starts_with("mdt.")));
    // No set, no file, and nobody explains it.
    let (none, files) = asked(&registry, &run, &["patient.csv"], &["systemic.setting"]);
    assert!(
        none.manifest
            .files
            .iter()
            .all(|file| !file.name.contains("multiselect"))
    );
    assert_eq!(told_of(&files), 0);
    // Asked for by its name: every set that any release holds, and of the entities nothing else.
    let (_, files) = asked(&registry, &run, &[MULTISELECT], &[]);
    assert_eq!(long(&files), whole);
    let columns = rows(&files, "dictionary.csv");
    let of_systemic: Vec<&str> = columns
        .iter()
        .filter(|line| line["file"] == "systemic.csv" && line["key"] == "FALSE")
        .map(|line| line["element"].as_str())
        .collect();
    assert!(
        of_systemic.len() > 2 && of_systemic.iter().all(|element| *element == "agents"),
        "{of_systemic:?}"
    );
}
