//! A schema folder beside the program: what the committee decided there is what the service shows and runs.

use support::database::Database;
use support::repository;
use support::service::Service;

/// A copy of the repository's schema folder.
fn copy() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in repository::files("schema") {
        let to = folder
            .path()
            .join(file.strip_prefix(repository::root().join("schema")).unwrap());
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(file, to).unwrap();
    }
    folder
}

#[test]
fn a_decision_in_the_schema_folder_is_on_the_page_after_a_start() {
    let folder = copy();
    let reason = "Stays as the source has it";
    let page = |folder: Option<&std::path::Path>| {
        let service = Service::start_with(Database::sqlite(), |settings| {
            settings.schema.folder = folder.map(std::path::Path::to_owned);
        });
        let committee = service.client("committee", None);
        committee
            .get_with("/rules", &[("accept", "text/html")])
            .expect(200)
            .text()
    };
    assert!(!page(Some(folder.path())).contains(reason));
    let guideline = folder.path().join("guideline/tarpswg-metastatic-rps");
    std::fs::write(
        guideline.join("decisions.toml"),
        format!(
            "[[decision]]\nquestion = \"$ECOG_OK\"\ndecision = \"rejected\"\ndecided = 2026-11-20\nby = \"Steering committee\"\nreason = \"{reason}\"\n"
        ),
    )
    .unwrap();
    assert!(page(Some(folder.path())).contains(reason));
    assert!(!page(None).contains(reason), "compiled in: without the decision");
}

#[test]
#[should_panic(expected = "decisions.toml")]
fn a_decision_on_a_question_nobody_raised_stops_the_start() {
    let folder = copy();
    std::fs::write(
        folder
            .path()
            .join("guideline/tarpswg-metastatic-rps/decisions.toml"),
        "[[decision]]\nquestion = \"Q999\"\ndecision = \"rejected\"\ndecided = 2026-11-20\nby = \"x\"\nreason = \"y\"\n",
    )
    .unwrap();
    Service::start_with(Database::sqlite(), |settings| {
        settings.schema.folder = Some(folder.path().to_owned());
    });
}

#[test]
#[should_panic(expected = "1a.toml")]
fn a_schema_folder_with_a_faulty_measure_stops_the_start() {
    let folder = copy();
    let measure = repository::files("schema/guideline")
        .into_iter()
        .find(|file| file.ends_with("measures/1a.toml"))
        .expect("measure 1a");
    let in_copy = folder
        .path()
        .join(measure.strip_prefix(repository::root().join("schema")).unwrap());
    let text = std::fs::read_to_string(&in_copy).unwrap();
    std::fs::write(&in_copy, text.replacen("denominator = ", "denominator = 7 #", 1)).unwrap();
    Service::start_with(Database::sqlite(), |settings| {
        settings.schema.folder = Some(folder.path().to_owned());
    });
}
