//! `/api/v1/tasks`, `/tasks`: a pseudonym sent by two centres is sorted out by the coordinating office.

use registry_core::access::{Role, Scope};
use registry_core::storage::SignInLink;
use serde_json::json;
use support::client::{Answer, Client};
use support::records;
use support::service::Service;

const PATH: &str = "/api/v1/cases/FIG-0001";
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// C01 holds the case; C02 sends it twice, C03 once.
fn sent_by_three(service: &Service) {
    let body = records::figure_1("FIG-0001");
    service.submitter("C01").put(PATH, &[], &body).expect(201);
    for centre in ["C02", "C02", "C03"] {
        let refused = service.submitter(centre).put(PATH, &[], &body).expect(409);
        assert_eq!(refused.code(), "pseudonym_registered");
        assert!(!refused.text().contains("C01"));
    }
}

/// A browser of the coordinating office.
struct Office {
    client: Client,
    cookie: String,
}

impl Office {
    fn of(service: &Service) -> Self {
        let state = service.state();
        let link = SignInLink {
            user: "office".to_owned(),
            role: Role::Coordinator,
            centre: None,
            expires_at: state.ports.clock.now() + chrono::Duration::hours(1),
            reusable: false,
        };
        let token = state
            .store
            .create_sign_in_link(&Scope::system("test"), link)
            .expect("a link");
        let client = service.anonymous();
        let body = format!("token={}", token.reveal());
        let headers = [FORM, ("accept", "text/html")];
        let answer = client
            .send("POST", "/sign-in", &headers, Some(body.as_bytes()))
            .expect(303);
        let set = answer.header("set-cookie").expect("a cookie");
        Self {
            cookie: set.split(';').next().unwrap_or_default().to_owned(),
            client,
        }
    }

    fn page(&self, path: &str) -> String {
        let headers = [("cookie", self.cookie.as_str()), ("accept", "text/html")];
        self.client.get_with(path, &headers).expect(200).text()
    }

    /// Sends a form of `/tasks` with its token.
    fn send(&self, path: &str, fields: &str) -> Answer {
        let page = self.page("/tasks");
        let token = page
            .split("name=\"csrf\" value=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .expect("a token in the form");
        let headers = [FORM, ("cookie", self.cookie.as_str()), ("accept", "text/html")];
        let body = format!("csrf={token}&{fields}");
        self.client.send("POST", path, &headers, Some(body.as_bytes()))
    }
}

#[test]
fn open_tasks_say_who_sent_and_who_holds_and_are_closed_with_what_came_of_it() {
    let service = Service::start();
    sent_by_three(&service);
    let office = service.client("coordinator", None);
    let listed = office.get("/api/v1/tasks").expect(200).json();
    assert_eq!(listed["open"], 2);
    // Opened within one moment of the test's clock: in whichever order.
    let tasks = listed["tasks"].as_array().expect("tasks");
    let first = tasks
        .iter()
        .find(|task| task["centre_id"] == "C02")
        .expect("C02's task");
    assert_eq!(first["kind"], "pseudonym_registered");
    assert_eq!(
        (&first["centre_id"], &first["held_by"]),
        (&json!("C02"), &json!("C01"))
    );
    assert_eq!(
        (&first["pseudonym"], &first["occurrences"]),
        (&json!("FIG-0001"), &json!(2))
    );
    let one = office.get("/api/v1/tasks?limit=1").expect(200);
    assert_eq!(one.json()["tasks"].as_array().map(Vec::len), Some(1));
    assert!(
        one.header("link")
            .is_some_and(|link| link.contains("rel=\"next\""))
    );
    let close = format!(
        "/api/v1/tasks/{}:close",
        first["task_id"].as_str().expect("an id")
    );
    assert_eq!(
        office
            .post(&close, &[], &json!({"resolution": " "}))
            .expect(422)
            .code(),
        "invalid_value"
    );
    assert_eq!(
        office.post(&close, &[], &json!({})).expect(422).code(),
        "invalid_value"
    );
    let send = || {
        office.post(
            &close,
            &[("idempotency-key", "c-1")],
            &json!({"resolution": "a typing error"}),
        )
    };
    assert_eq!(send().expect(200).json()["resolution"], "a typing error");
    assert_eq!(send().expect(200).header("idempotent-replayed"), Some("true"));
    let again = office
        .post(&close, &[], &json!({"resolution": "again"}))
        .expect(409);
    assert_eq!(again.code(), "invalid_state");
    let unknown = office.post("/api/v1/tasks/none:close", &[], &json!({"resolution": "x"}));
    assert_eq!(unknown.expect(404).code(), "not_found");
    let count = |path: &str| {
        office.get(path).expect(200).json()["tasks"]
            .as_array()
            .map(Vec::len)
    };
    assert_eq!(
        (count("/api/v1/tasks"), count("/api/v1/tasks?state=all")),
        (Some(1), Some(2))
    );
    assert_eq!(
        office.get("/api/v1/tasks?state=closed").expect(400).code(),
        "bad_query"
    );
    assert_eq!(
        office.get("/api/v1/tasks?limit=0").expect(400).code(),
        "bad_query"
    );
    for (role, centre) in [
        ("submitter", Some("C02")),
        ("centre_lead", Some("C01")),
        ("committee", None),
        ("admin", None),
    ] {
        let client = service.client(role, centre);
        assert_eq!(
            client.get("/api/v1/tasks").expect(403).code(),
            "forbidden",
            "{role}"
        );
        client.post(&close, &[], &json!({"resolution": "x"})).expect(403);
        client
            .post(
                &format!("{PATH}:transfer"),
                &[],
                &json!({"from": "C01", "to": "C02", "on": "2026-01-01", "reason": "x"}),
            )
            .expect(403);
    }
    service.verify_audit();
}

#[test]
fn a_transfer_closes_the_task_of_the_centre_that_takes_over() {
    let service = Service::start();
    sent_by_three(&service);
    let office = service.client("coordinator", None);
    let asked = json!({"from": "C01", "to": "C02", "on": "2026-03-01", "reason": "moved"});
    let done = office
        .post(&format!("{PATH}:transfer"), &[], &asked)
        .expect(200)
        .json();
    assert_eq!(done["tasks_closed"], 1);
    let open = office.get("/api/v1/tasks").expect(200).json()["tasks"].clone();
    assert_eq!(open.as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&open[0]["centre_id"], &open[0]["held_by"]),
        (&json!("C03"), &json!("C02"))
    );
}

#[test]
fn the_office_works_through_its_page() {
    let service = Service::start();
    let office = Office::of(&service);
    let empty = office.page("/tasks");
    assert!(empty.contains("Nothing waits for the coordinating office."));
    assert!(
        !office.page("/").contains("href=\"/tasks\" class=\"button\"")
            && !office.page("/").contains("tasks wait")
    );
    sent_by_three(&service);
    assert!(
        office.page("/").contains("2 tasks wait"),
        "seen where the office looks first"
    );
    let page = office.page("/tasks");
    assert!(
        page.contains("FIG-0001") && page.contains("Transfer to C02") && page.contains("Transfer to C03")
    );
    let transfer = "/cases/FIG-0001/transfer";
    let refused = office
        .send(transfer, "from=C01&to=C02&on=&reason=moved")
        .expect(422)
        .text();
    assert!(refused.contains("YYYY-MM-DD"), "{refused}");
    let done = office
        .send(transfer, "from=C01&to=C02&on=2026-03-01&reason=moved")
        .expect(303);
    assert_eq!(done.header("location"), Some("/cases/FIG-0001"));
    let case = office.page("/cases/FIG-0001");
    assert!(case.contains("Transfer to another centre") && case.contains("2026-03-01"));
    assert!(office.page("/").contains("1 task waits"));
    let tasks = service
        .client("coordinator", None)
        .get("/api/v1/tasks")
        .expect(200)
        .json();
    let id = tasks["tasks"][0]["task_id"].as_str().expect("an id").to_owned();
    let closed = office
        .send(&format!("/tasks/{id}/close"), "resolution=a+typing+error")
        .expect(303);
    assert_eq!(closed.header("location"), Some("/tasks"));
    let page = office.page("/tasks");
    assert!(page.contains("a typing error") && page.contains("transferred to this centre as of 2026-03-01"));
    assert!(page.contains("Nothing waits for the coordinating office."));
}
