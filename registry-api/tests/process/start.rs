//! The start: what is wrong is named, with its key, and nothing is made or changed on the way.

use registry_api::ports::SystemEntropy;
use registry_core::access::Role;
use registry_core::crypto::MasterKey;
use registry_core::validation::MAX_FINDINGS;

use crate::support::{JSON, Registry, Served, case, send};

#[test]
fn a_wrong_master_key_stops_the_start_and_is_not_shown() {
    let registry = Registry::new();
    let other = MasterKey::random(&SystemEntropy).to_file_content();
    std::fs::write(registry.key_file(), &other).expect("replaced");
    for command in [&["serve"][..], &["migrate"], &["audit", "verify"]] {
        let ended = registry.run(command);
        assert!(!ended.success, "{command:?}");
        assert!(
            ended
                .err
                .contains("setting secrets.master_key_file: wrong master key"),
            "{command:?}: {}",
            ended.err
        );
        assert!(!ended.err.contains(other.trim()), "the key is not repeated");
    }
}

#[test]
fn a_missing_database_is_not_made_by_serve() {
    let registry = Registry::new();
    std::fs::remove_file(registry.database()).expect("removed");
    let ended = registry.run(&["serve"]);
    assert!(!ended.success);
    assert!(ended.err.contains("setting database.url: "), "{}", ended.err);
    assert!(!registry.database().exists(), "serve makes no database");
}

#[test]
fn an_empty_database_asks_for_migrate_and_migrate_is_enough() {
    let registry = Registry::new();
    std::fs::remove_file(registry.database()).expect("removed");
    for tail in ["-wal", "-shm"] {
        std::fs::remove_file(format!("{}{tail}", registry.database().display())).ok();
    }
    std::fs::write(registry.database(), b"").expect("an empty file");
    let ended = registry.run(&["serve"]);
    assert!(!ended.success);
    assert!(ended.err.contains("registry migrate"), "{}", ended.err);
    let migrated = registry.run(&["migrate"]);
    assert!(migrated.success, "{}", migrated.err);
    assert!(migrated.out.contains("applied"), "{}", migrated.out);
    let again = registry.run(&["migrate"]);
    assert!(again.out.contains("nothing to do"), "{}", again.out);
    let served = registry.serve();
    let ready = send(&served.base, None, "GET", "/health/ready", &[], None).expect("an answer");
    assert_eq!(ready.status, 200, "{}", ready.text);
}

#[test]
fn a_missing_key_file_and_a_wrong_setting_name_their_key() {
    let registry = Registry::new();
    let mut command = registry.command(&["serve"]);
    let out = command
        .env("REGISTRY_SERVER__WORKERS", "none")
        .output()
        .expect("it starts");
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(!out.status.success() && text.contains("server.workers"), "{text}");
    std::fs::remove_file(registry.key_file()).expect("removed");
    let ended = registry.run(&["serve"]);
    assert!(
        !ended.success && ended.err.contains("secrets.master_key_file"),
        "{}",
        ended.err
    );
}

#[test]
fn a_locked_database_is_503_and_recovers_without_a_restart() {
    use diesel::connection::SimpleConnection;
    use diesel::{Connection, SqliteConnection};
    let registry = Registry::new();
    let key = registry.key(Role::Submitter, Some("C01"));
    let served = registry.serve();
    let body = case("LOCK-0001").to_string();
    let mut other = SqliteConnection::establish(&registry.database().display().to_string()).expect("opened");
    other.batch_execute("BEGIN IMMEDIATE").expect("the lock is taken");
    let put = || {
        send(
            &served.base,
            Some(&key),
            "PUT",
            "/api/v1/cases/LOCK-0001",
            &[JSON],
            Some(&body),
        )
    };
    let refused = put().expect("an answer");
    assert_eq!(refused.status, 503, "{}", refused.text);
    assert!(refused.header("retry-after").is_some());
    let live = send(&served.base, None, "GET", "/health/live", &[], None).expect("an answer");
    assert_eq!(live.status, 200);
    other.batch_execute("ROLLBACK").expect("the lock is given back");
    let stored = put().expect("an answer");
    assert_eq!(stored.status, 201, "{}", stored.text);
}

/// Commands whose examples name a version that is still to be made.
const MAKES_A_VERSION: [&str; 5] = [
    "rules preview",
    "rules decide",
    "rules publish",
    "schema publish",
    "rules",
];

/// Every command and every group, found by asking each for its commands.
#[test]
fn every_command_and_group_shows_an_example_with_versions_that_exist() {
    let registry = Registry::new();
    let schemas = registry_core::versions::SchemaStore::embedded().expect("the schema");
    let mut open: Vec<Vec<String>> = vec![Vec::new()];
    let mut seen = Vec::new();
    while let Some(command) = open.pop() {
        let mut arguments: Vec<&str> = command.iter().map(String::as_str).collect();
        arguments.push("--help");
        let help = registry.run(&arguments);
        assert!(help.success, "{command:?}: {}", help.err);
        if let Some(list) = help.out.split("\nCommands:\n").nth(1) {
            let names = list.lines().take_while(|line| line.starts_with("  "));
            for name in names.filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next()) {
                // Lines of a command's text that go on are indented further.
                if name != "help" && !list.contains(&format!("\n    {name}")) {
                    open.push(command.iter().cloned().chain([name.to_owned()]).collect());
                }
            }
        }
        if command.is_empty() {
            continue;
        }
        let name = command.join(" ");
        let example = help.out.split("Example:\n  ").nth(1);
        let example = example.unwrap_or_else(|| panic!("`{name}` has no example: {}", help.out));
        assert!(example.contains(&format!("registry {name}")), "{name}: {example}");
        let words = example.split(|c: char| !c.is_ascii_digit() && c != '.');
        for version in words.filter(|word| word.split('.').filter(|part| !part.is_empty()).count() == 3) {
            let exists = schemas.case_schema(version).is_some();
            assert!(
                exists || MAKES_A_VERSION.contains(&name.as_str()),
                "{name}: there is no {version}"
            );
        }
        seen.push(name);
    }
    for group in [
        "centre",
        "key",
        "user",
        "audit",
        "rules",
        "schema",
        "withdrawals",
        "release",
        "release create",
        "key rotate-master",
        "serve",
    ] {
        assert!(
            seen.iter().any(|name| name == group),
            "{group} was not found in {seen:?}"
        );
    }
}

#[test]
fn a_read_only_database_stops_the_start_and_is_left_as_it_is() {
    let registry = Registry::new();
    let mut marked = std::fs::metadata(registry.database())
        .expect("a file")
        .permissions();
    marked.set_readonly(true);
    std::fs::set_permissions(registry.database(), marked).expect("marked");
    let before = std::fs::read(registry.database()).expect("readable");
    for command in [&["serve"][..], &["migrate"], &["key", "list"], &["run"]] {
        let ended = registry.run(command);
        assert!(!ended.success, "{command:?}");
        assert!(
            ended
                .err
                .contains("setting database.url: the database is read-only"),
            "{command:?}: {}",
            ended.err
        );
    }
    assert!(std::fs::read(registry.database()).expect("readable") == before);
}

#[test]
fn a_setting_that_cannot_be_used_stops_the_start_with_its_key() {
    let registry = Registry::new();
    let blocked = registry.folder().join("a-file");
    std::fs::write(&blocked, b"").expect("written");
    let below = blocked.join("releases").display().to_string();
    let empty = registry.folder().join("an-empty-folder");
    std::fs::create_dir(&empty).expect("made");
    let (blocked, empty) = (blocked.display().to_string(), empty.display().to_string());
    let not_toml = registry.folder().join("registry.toml");
    for (variable, value, key) in [
        ("LIMITS__RECORD_BYTES", "0", "limits.record_bytes"),
        ("LIMITS__BATCH_ITEMS", "0", "limits.batch_items"),
        ("RELEASES__FOLDER", below.as_str(), "releases.folder"),
        ("SERVER__HOST", "http://here", "server.host"),
        ("SERVER__HOST", "203.0.113.7", "server.host or server.port"),
        (
            "SERVER__METRICS_TOKEN_FILE",
            blocked.as_str(),
            "server.metrics_token_file",
        ),
        (
            "SERVER__METRICS_TOKEN_FILE",
            "/nowhere",
            "server.metrics_token_file",
        ),
        (
            "SERVER__CLIENT_TIMEOUT_SECONDS",
            "0",
            "server.client_timeout_seconds",
        ),
        ("SERVER__TRUSTED_PROXIES", "[\"proxy\"]", "server.trusted_proxies"),
        (
            "SECRETS__MASTER_KEY_FILE",
            blocked.as_str(),
            "secrets.master_key_file",
        ),
        ("DATABASE__APP_ROLE", "No Role", "database.app_role"),
        ("LOG__FILTER", "a=b=c", "log.filter"),
        ("DATABASE__URL", "mysql://canary@here/registry", "database.url"),
        ("DATABASE__URL", "sqlite:/nowhere/at/all.sqlite3", "database.url"),
        ("SCHEMA__FOLDER", "/nowhere/at/all", "schema.folder"),
        ("SCHEMA__FOLDER", empty.as_str(), "schema.folder"),
        ("SERVRE__PORT", "8080", "servre"),
    ] {
        let out = registry
            .command(&["serve"])
            .env(format!("REGISTRY_{variable}"), value)
            .output()
            .expect("it starts");
        let text = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(
            !out.status.success() && text.contains(&format!("setting {key}: ")),
            "{variable}={value}: {text}"
        );
        assert!(!text.contains("canary"), "a URL may hold a password: {text}");
    }
    // What the containers set: a list in the environment.
    std::fs::write(&not_toml, "[server]\ntrusted_proxies = [\"192.0.2.1\"]\n").expect("written");
    let mut command = registry.command(&["serve"]);
    command.env("REGISTRY_SERVER__TRUSTED_PROXIES", "[\"172.30.7.2\"]");
    drop(Served::spawn(command));
    std::fs::write(&not_toml, "[server\nport = 80\n").expect("written");
    let ended = registry.run(&["serve"]);
    assert!(
        !ended.success && ended.err.contains("setting --config: ") && ended.err.contains("registry.toml"),
        "{}",
        ended.err
    );
}

#[test]
fn the_master_key_is_changed_by_a_command_and_the_old_one_opens_nothing() {
    let registry = Registry::new();
    let key = registry.key(Role::Submitter, Some("C01"));
    let served = registry.serve();
    let body = case("ROT-0001").to_string();
    let path = "/api/v1/cases/ROT-0001";
    let stored = send(&served.base, Some(&key), "PUT", path, &[JSON], Some(&body)).expect("an answer");
    assert_eq!(stored.status, 201, "{}", stored.text);
    drop(served);
    let file = registry.folder().join("master.key.new");
    let rotate = |content: &str| {
        std::fs::write(&file, content).expect("written");
        registry.run(&["key", "rotate-master", &file.display().to_string()])
    };
    let old = std::fs::read_to_string(registry.key_file()).expect("the key");
    let same = rotate(&old);
    assert!(!same.success && same.err.contains("the key in use"), "{same:?}");
    let short = rotate("abc");
    assert!(
        !short.success && short.err.contains("master.key.new"),
        "{short:?}"
    );
    let new = MasterKey::random(&SystemEntropy).to_file_content();
    let rotated = rotate(&new);
    assert!(
        rotated.success && rotated.out.contains("1 case keys"),
        "{rotated:?}"
    );
    assert!(
        !rotated.out.contains(new.trim()) && !rotated.err.contains(new.trim()),
        "the key is not shown"
    );
    let refused = registry.run(&["audit", "verify"]);
    assert!(
        !refused.success && refused.err.contains("master key"),
        "{refused:?}"
    );
    std::fs::rename(&file, registry.key_file()).expect("put in place");
    assert!(registry.run(&["audit", "verify"]).success);
    let served = registry.serve();
    let read = send(&served.base, Some(&key), "GET", path, &[], None).expect("an answer");
    assert_eq!(read.status, 200, "{}", read.text);
}

#[test]
fn the_office_works_from_the_command_line() {
    let registry = Registry::new();
    let added = registry.run(&["centre", "add", "C02", "Second centre", "--country", "IT"]);
    assert!(added.success, "{}", added.err);
    assert!(
        registry
            .run(&["centre", "list"])
            .out
            .contains("C02\tSecond centre\tIT\tactive")
    );
    let made = registry.run(&["key", "create", "push", "--role", "submitter", "--centre", "C02"]);
    assert!(made.success, "{}", made.err);
    let key = made.out.trim().to_owned();
    let listed = registry.run(&["key", "list"]).out;
    assert!(listed.contains("push") && !listed.contains(&key), "{listed}");

    let add = [
        "user",
        "add",
        "Office@example.org",
        "Anna Rossi",
        "--role",
        "admin",
    ];
    let invited = registry.run(&add);
    assert!(invited.success, "{}", invited.err);
    let token = invited
        .out
        .trim()
        .split_once("/invitation?token=")
        .expect("a link")
        .1
        .to_owned();
    assert!(
        token.len() >= 43 && !invited.err.contains(&token),
        "{}",
        invited.err
    );
    assert!(!registry.run(&add).success, "the name is taken");
    let again = registry.run(&["user", "reset", "office@example.org"]);
    assert!(again.success && !again.out.contains(&token), "{}", again.err);
    let ended = registry.run(&["user", "disable", "office@example.org"]);
    assert!(ended.success, "{}", ended.err);
    let accounts = registry.run(&["user", "list"]).out;
    assert_eq!(accounts, "office@example.org\tdisabled\tadmin\t\tAnna Rossi\t\n");
    let nobody = registry.run(&["user", "disable", "nobody@example.org"]);
    assert!(
        !nobody.success && nobody.err.contains("registry user list"),
        "{}",
        nobody.err
    );

    let served = registry.serve();
    let file = registry.folder().join("case.json");
    std::fs::write(&file, case("CLI-0001").to_string()).expect("written");
    let path = file.display().to_string();
    let judged = registry.run(&["validate", &path]);
    assert!(judged.success && judged.out.contains("accepted"), "{judged:?}");
    // By the schema files of the settings, where they name a folder.
    let settings = registry.folder().join("other.toml");
    let by = |folder: &str| {
        std::fs::write(&settings, format!("[schema]\nfolder = \"{folder}\"\n")).expect("written");
        registry.run(&["validate", &path, "--config", &settings.display().to_string()])
    };
    let ours = by(concat!(env!("CARGO_MANIFEST_DIR"), "/../schema"));
    assert!(ours.success && ours.out.contains("accepted"), "{ours:?}");
    let none = by(&registry.folder().join("no-schema").display().to_string());
    assert!(
        !none.success && none.err.contains("setting schema.folder"),
        "{none:?}"
    );
    // More is wrong than is listed.
    let mut many = case("CLI-0002");
    for n in 0..=MAX_FINDINGS {
        many[format!("unknown_{n}")] = 1.into();
    }
    let long = registry.folder().join("many.json");
    std::fs::write(&long, many.to_string()).expect("written");
    let long = registry.run(&["validate", &long.display().to_string()]);
    let listed_and_more = long.out.lines().last().unwrap_or_default().to_owned();
    assert!(
        !long.success && listed_and_more.starts_with("  and ") && listed_and_more.ends_with(" more"),
        "{long:?}"
    );
    let sent = registry
        .command(&["submit", &path, "--url", &served.base])
        .env("REGISTRY_KEY", &key)
        .output()
        .expect("it starts");
    let text = String::from_utf8_lossy(&sent.stdout).into_owned();
    assert!(sent.status.success() && text.contains("201"), "{text}");
    // What is wrong with one file is told, and the next is sent.
    let broken = registry.folder().join("broken.json");
    std::fs::write(&broken, "{").expect("written");
    let broken = broken.display().to_string();
    let submit = |base: &str, files: &[&str]| {
        let mut command = registry.command(&["submit", "--url", base]);
        let done = command
            .args(files)
            .env("REGISTRY_KEY", &key)
            .output()
            .expect("it starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (done.status.success(), text(&done.stdout), text(&done.stderr))
    };
    let (success, out, err) = submit(&served.base, &[&broken, "nowhere.json", &path]);
    assert!(!success && out == format!("{path}: 200\n"), "{out}");
    assert!(
        err.contains("broken.json") && err.contains("nowhere.json"),
        "{err}"
    );
    assert!(err.contains("2 of 3 not accepted"), "{err}");
    // Nor does a registry that is away end it; the address that is told has no pseudonym.
    let (success, out, err) = submit("http://127.0.0.1:1", &[&path, &path]);
    assert!(!success && out.is_empty(), "{out}");
    assert_eq!(err.matches("does not answer").count(), 2, "{err}");
    assert!(
        err.contains("2 of 2 not accepted") && !err.contains("CLI-0001"),
        "{err}"
    );
    drop(served);

    let verified = registry.run(&["audit", "verify"]);
    assert!(
        verified.success && verified.out.contains("the chain is whole"),
        "{verified:?}"
    );
    let copy = registry.folder().join("copy.sqlite3");
    let backup = registry.run(&["backup", &copy.display().to_string()]);
    assert!(backup.success && copy.exists(), "{backup:?}");
    let id = listed.split('\t').next().expect("an id").to_owned();
    assert!(registry.run(&["key", "revoke", &id]).success);
}

#[test]
fn audit_verify_names_the_event_somebody_changed() {
    use diesel::connection::SimpleConnection;
    use diesel::{Connection, SqliteConnection};
    let registry = Registry::new();
    registry.centre("C02", "Second centre");
    assert!(registry.run(&["audit", "verify"]).success);
    let mut database =
        SqliteConnection::establish(&registry.database().display().to_string()).expect("it opens");
    database
        .batch_execute(
            "DROP TRIGGER audit_events_are_not_changed;
             UPDATE audit_events SET actor = 'nobody' WHERE seq = 2",
        )
        .expect("changed");
    let ended = registry.run(&["audit", "verify"]);
    assert!(!ended.success, "{ended:?}");
    assert!(ended.err.contains("event 2"), "{}", ended.err);
    assert!(!ended.err.contains("nobody"), "{}", ended.err);
}

#[test]
fn openapi_prints_the_document_that_is_served() {
    let registry = Registry::new();
    let printed = registry.run(&["openapi"]);
    assert!(printed.success, "{}", printed.err);
    let served = registry.serve();
    let answer = send(&served.base, None, "GET", "/openapi.json", &[], None).expect("an answer");
    let printed: serde_json::Value = serde_json::from_str(&printed.out).expect("JSON");
    assert_eq!(printed, answer.json());
}

/// Nobody asks for it: the service looks by itself whether a run is due.
#[test]
fn serve_runs_on_its_schedule() {
    let registry = Registry::new();
    let mut command = registry.command(&["serve"]);
    command.env("REGISTRY_RUNS__EVERY_HOURS", "1");
    let served = Served::spawn_until(command, "scheduled run finished");
    let key = registry.key(Role::Coordinator, None);
    let run = send(&served.base, Some(&key), "GET", "/api/v1/runs/1", &[], None).expect("an answer");
    assert_eq!(
        (run.status, run.json()["status"].as_str()),
        (200, Some("finished")),
        "{}",
        run.text
    );
}
