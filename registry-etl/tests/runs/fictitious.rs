//! The fictitious release: the files and columns of any other, said to be fictitious wherever it says what it is.

use std::collections::BTreeMap;

use registry_etl::releases::{Built, Manifest, fictitious};

use crate::registry::{Registry, engine};
use crate::releases::{built, rows, unpacked};

fn made() -> (Built, Vec<u8>) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut bytes = Vec::new();
    let built = fictitious(&engine(), folder.path(), &mut bytes).expect("made");
    (built, bytes)
}

#[test]
fn a_fictitious_release_is_like_any_other_and_says_that_it_is_none() {
    let again = std::thread::spawn(made);
    let (fiction, bytes) = made();
    assert!(
        bytes == again.join().expect("made").1,
        "the same bundle everywhere"
    );
    let registry = Registry::with(8, 2);
    let real = built(&registry, &registry.run(), 1).0;
    let columns = |manifest: &Manifest| -> BTreeMap<String, Vec<String>> {
        let files = manifest.files.iter();
        files
            .map(|file| (file.name.clone(), file.columns.clone()))
            .collect()
    };
    assert_eq!(columns(&fiction.manifest), columns(&real.manifest));
    assert_eq!(fiction.manifest.withheld, real.manifest.withheld);
    assert!(fiction.manifest.cases > 60 && fiction.manifest.fictitious && !real.manifest.fictitious);

    let files = unpacked(&bytes);
    let text = |name: &str| String::from_utf8(files[name].clone()).expect("UTF-8");
    assert!(fiction.manifest.title.starts_with("Fictitious"));
    assert!(text("manifest.json").contains("\"fictitious\": true"));
    assert!(
        text("README.md")
            .starts_with("# A release of the RPS registry\n\n**Everything in this release is fictitious.**")
    );
    assert!(text("CITATION.cff").contains("abstract: \"Fictitious"));
    assert!(text("datapackage.json").contains("\"title\": \"Fictitious"));
    // An analysis can be tried on it: deaths, every endpoint's file, estimates.
    let dead = rows(&files, "cases.csv");
    let dead = dead.iter().filter(|case| case["os_event"] == "TRUE").count();
    assert!(
        dead > 10 && rows(&files, "survival_estimates.csv").len() > 200,
        "{dead}"
    );
}
