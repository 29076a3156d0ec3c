use super::*;

/// What a file of settings is refused with.
fn refused(text: &str) -> String {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), text).expect("written");
    Settings::load(Some(file.path()))
        .expect_err("refused")
        .to_string()
}

#[test]
fn a_wrong_value_names_its_key() {
    for (text, key) in [
        ("[server]\nport = \"eighty\"\n", "server.port"),
        ("[server]\nport = 80000\n", "server.port"),
        ("[server]\nprot = 80\n", "server.prot"),
        ("[servre]\nport = 80\n", "servre"),
        ("[server]\nworkers = 0\n", "server.workers"),
        ("[server]\nworkers = 513\n", "server.workers"),
        (
            "[server]\nclient_timeout_seconds = 0\n",
            "server.client_timeout_seconds",
        ),
        (
            "[server]\nclient_timeout_seconds = 3601\n",
            "server.client_timeout_seconds",
        ),
        ("[server]\nshutdown_seconds = 3601\n", "server.shutdown_seconds"),
        ("[server]\npublic_url = \"https://\"\n", "server.public_url"),
        ("[server]\npublic_url = \"https://a b\"\n", "server.public_url"),
        ("[server]\npublic_url = \"https://a/b\"\n", "server.public_url"),
        ("[server]\npublic_url = \"https://a?b\"\n", "server.public_url"),
        ("[server]\npublic_url = \"https://a@b\"\n", "server.public_url"),
        ("[server]\npublic_url = \"https://:8080\"\n", "server.public_url"),
        (
            "[server]\npublic_url = \"https://a.org:99999\"\n",
            "server.public_url",
        ),
        ("[server]\npublic_url = \"https://a.org:\"\n", "server.public_url"),
        (
            "[server]\npublic_url = \"https://a.org#b\"\n",
            "server.public_url",
        ),
        ("[server]\npublic_url = \"https://*\"\n", "server.public_url"),
        ("[limits]\nbatch_job_items = 0\n", "limits.batch_job_items"),
        ("[limits]\nbatch_bytes = 2000\n", "limits.batch_bytes"),
        ("[oidc]\nclient_id = \"registry\"\n", "oidc.client_id"),
        (
            "[oidc]\nclient_secret_file = \"/nowhere\"\n",
            "oidc.client_secret_file",
        ),
        ("[log]\nfilter = \"\"\n", "log.filter"),
        ("[log]\nfilter = \"no such filter\"\n", "log.filter"),
        ("[log]\nfilter = \"info,registry_core=loud\"\n", "log.filter"),
        ("[server]\nhost = \"http://here\"\n", "server.host"),
        ("[server]\npublic_url = \"here\"\n", "server.public_url"),
        (
            "[server]\ntrusted_proxies = [\"proxy\"]\n",
            "server.trusted_proxies",
        ),
        ("[disclosure]\ncommittee = 1\n", "disclosure.committee"),
        ("[disclosure]\npublic = 4\n", "disclosure.public"),
        ("[limits]\nrecord_bytes = 0\n", "limits.record_bytes"),
        ("[limits]\nbatch_bytes = 0\n", "limits.batch_bytes"),
        ("[limits]\nbatch_items = 0\n", "limits.batch_items"),
        (
            "[limits]\nrequests_per_second = 0\n",
            "limits.requests_per_second",
        ),
        (
            "[limits]\nsign_ins_per_minute = 0\n",
            "limits.sign_ins_per_minute",
        ),
        ("[oidc]\nissuer = \"http://login.example.org\"\n", "oidc.issuer"),
        (
            "[oidc]\nissuer = \"https://login.example.org\"\n",
            "oidc.client_id",
        ),
        (
            "[oidc]\nissuer = \"https://login.example.org\"\nclient_id = \"registry\"\n",
            "server.public_url",
        ),
        ("[sessions]\nidle_minutes = 0\n", "sessions.idle_minutes"),
        (
            "[sessions]\nidle_minutes = 61\nabsolute_hours = 1\n",
            "sessions.idle_minutes",
        ),
        ("[sessions]\nabsolute_hours = 721\n", "sessions.absolute_hours"),
        ("[database]\nurl = \"mysql://here/registry\"\n", "database.url"),
        ("[database]\npool_size = 0\n", "database.pool_size"),
        ("[schema]\nfolder = \"/nowhere/at/all\"\n", "schema.folder"),
        ("[log]\nformat = \"xml\"\n", "log.format"),
        ("[runs]\nevery_hours = -1\n", "runs.every_hours"),
        ("[runs]\nevery_hours = 8785\n", "runs.every_hours"),
    ] {
        let error = refused(text);
        assert!(
            error.starts_with(&format!("setting {key}: ")),
            "{text}should name {key}: {error}"
        );
    }
}

#[test]
fn what_can_be_used_is_taken() {
    for text in [
        "[server]\npublic_url = \"https://registry.example.org/\"\n",
        "[server]\npublic_url = \"http://127.0.0.1:8080\"\n",
        "[log]\nfilter = \"warn,registry_core=debug\"\n",
        "[log]\nfilter = \"off\"\n",
    ] {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("written");
        let read = Settings::load(Some(file.path()));
        assert!(read.is_ok(), "{text}{:?}", read.err());
    }
}

#[test]
fn a_file_that_is_no_toml_is_named_with_the_place_and_nothing_of_its_lines() {
    let error = refused("[database]\nurl = postgres://registry:canary@db/registry\n");
    assert!(error.starts_with("setting --config: "), "{error}");
    assert!(error.contains("line 2"), "{error}");
    assert!(!error.contains("canary"), "{error}");
}

#[test]
fn an_empty_secret_is_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    let mut settings = Settings::default();
    settings.server.metrics_token_file = Some(file.clone());
    settings.oidc.client_secret_file = Some(file.clone());
    for empty in ["", "\n", " \t\r\n"] {
        std::fs::write(&file, empty).expect("written");
        for (told, key) in [
            (settings.metrics_token(), "server.metrics_token_file"),
            (settings.oidc.client_secret(), "oidc.client_secret_file"),
        ] {
            let error = told.expect_err("refused").to_string();
            assert!(error.starts_with(&format!("setting {key}: ")), "{error}");
        }
    }
    std::fs::write(&file, "a token\n").expect("written");
    assert_eq!(
        settings.metrics_token().expect("read").as_deref(),
        Some("a token")
    );
}

#[test]
fn debug_hides_the_database_password() {
    let mut settings = Settings::default();
    settings.database.url = "postgres://registry:canary@db/registry".to_owned();
    assert!(!format!("{settings:?}").contains("canary"));
}
