//! The centre table, with more than one process at work.

use std::sync::Arc;

use registry_api::ports::{SystemClock, SystemEntropy};
use registry_core::access::Scope;
use registry_core::crypto::MasterKey;
use registry_core::storage::{NewCentre, Store};
use serde_json::{Value, json};
use support::database::Database;
use support::{records, service::Service};

fn centre_is_unknown(service: &Service, key: &str) -> bool {
    let client = support::client::Client::new(service.base(), Some(key));
    let answer = client.post("/api/v1/cases:validate", &[], &records::figure_1("FIG-0001"));
    let findings = answer.expect(200).json()["results"][0]["findings"].clone();
    findings
        .as_array()
        .expect("findings")
        .iter()
        .any(|finding: &Value| finding["code"] == "E-002")
}

fn a_change_by_another_process_counts_at_once(database: Database) {
    let service = Service::start_with(database, |_| {});
    let settings = &service.state().settings;
    let other = Store::open(
        settings.store_options(),
        MasterKey::parse(&std::fs::read_to_string(&settings.secrets.master_key_file).expect("the key"))
            .expect("a key"),
        Arc::new(SystemClock),
        Arc::new(SystemEntropy),
    )
    .expect("a second process opens the database");
    let office = Scope::system("other process");
    let centre = NewCentre {
        centre_id: "C77".to_owned(),
        name: "Centre C77".to_owned(),
        country: None,
        active: true,
    };
    other.create_centre(&office, centre).expect("a centre");
    let key = service.key("submitter", Some("C77"));
    assert!(centre_is_unknown(&service, &key), "no row of the centre yet");
    let row = json!({"centre_id": "C77", "effective_year": 2010, "is_specialised_sarcoma_centre": true});
    other.put_centre_year(&office, "C77", 2010, row).expect("a year");
    assert!(
        !centre_is_unknown(&service, &key),
        "the row is seen without a restart"
    );
}

#[test]
fn another_process_changes_the_table_on_sqlite() {
    a_change_by_another_process_counts_at_once(Database::sqlite());
}

#[test]
fn another_process_changes_the_table_on_postgresql() {
    if let Some(database) = Database::postgres() {
        a_change_by_another_process_counts_at_once(database);
    }
}
