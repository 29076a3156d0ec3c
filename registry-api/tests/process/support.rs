//! A registry of a test's own in a folder of its own, and the binary serving it.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use registry_api::ports::{Ports, SystemClock, SystemEntropy};
use registry_api::settings::Settings;
use registry_core::access::{Role, Scope};
use registry_core::crypto::MasterKey;
use registry_core::storage::{NewCentre, NewKey, Store, StoreOptions};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_registry");

/// A migrated SQLite registry with one centre.
pub(crate) struct Registry {
    folder: TempDir,
}

impl Registry {
    pub(crate) fn new() -> Self {
        let registry = Self {
            folder: tempfile::tempdir().expect("a folder"),
        };
        let key = MasterKey::random(&SystemEntropy);
        std::fs::write(registry.key_file(), key.to_file_content()).expect("the key is written");
        let store = registry.open(true);
        store.migrate().expect("migrations apply");
        registry.centre("C01", "Centre one");
        registry
    }

    pub(crate) fn centre(&self, id: &str, name: &str) {
        let centre = NewCentre {
            centre_id: id.to_owned(),
            name: name.to_owned(),
            country: None,
            active: true,
        };
        self.open(false)
            .upsert_centre(&Scope::system("test"), centre)
            .expect("a centre");
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("registry.sqlite3")
    }

    pub(crate) fn key_file(&self) -> PathBuf {
        self.folder.path().join("master.key")
    }

    /// The store behind it, opened by the test itself.
    pub(crate) fn open(&self, create: bool) -> Store {
        let text = std::fs::read_to_string(self.key_file()).expect("the key file");
        let mut options = StoreOptions::new(format!("sqlite:{}", self.database().display()));
        options.create = create;
        Store::open(
            options,
            MasterKey::parse(&text).expect("a key"),
            Arc::new(SystemClock),
            Arc::new(SystemEntropy),
        )
        .expect("the database opens")
    }

    pub(crate) fn key(&self, role: Role, centre: Option<&str>) -> String {
        let key = NewKey {
            label: format!("test {role}"),
            role,
            centre: centre.map(str::to_owned),
            expires_at: None,
        };
        let made = self
            .open(false)
            .create_key(&Scope::system("test"), key)
            .expect("a key");
        made.key.reveal().to_owned()
    }

    /// The settings of a service in this test's own process.
    pub(crate) fn settings(&self) -> Settings {
        let mut settings = Settings::default();
        settings.server.port = 0;
        settings.database.url = format!("sqlite:{}", self.database().display());
        settings.secrets.master_key_file = self.key_file();
        settings.releases.folder = self.folder().join("releases");
        settings.limits.requests_per_second = std::num::NonZeroU32::MAX;
        settings.limits.anonymous_per_second = std::num::NonZeroU32::MAX;
        settings
    }

    /// The binary with this registry's settings in its environment and nothing else of ours.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        self.configure(&mut command);
        command.args(arguments);
        command
    }

    pub(crate) fn configure(&self, command: &mut Command) {
        command
            .current_dir(self.folder())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("REGISTRY_SERVER__PORT", "0")
            .env(
                "REGISTRY_DATABASE__URL",
                format!("sqlite:{}", self.database().display()),
            )
            .env("REGISTRY_SECRETS__MASTER_KEY_FILE", self.key_file())
            .env("REGISTRY_LIMITS__REQUESTS_PER_SECOND", "100000")
            .env("REGISTRY_LIMITS__ANONYMOUS_PER_SECOND", "100000");
    }

    pub(crate) fn serve(&self) -> Served {
        Served::spawn(self.command(&["serve"]))
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(arguments, &[])
    }

    /// Runs a command to its end, with more in its environment.
    pub(crate) fn run_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Ended {
        let mut command = self.command(arguments);
        command.envs(environment.iter().copied());
        let out = command.output().expect("the binary starts");
        Ended {
            success: out.status.success(),
            out: String::from_utf8_lossy(&out.stdout).into_owned(),
            err: String::from_utf8_lossy(&out.stderr).into_owned(),
        }
    }
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) success: bool,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs a command in a folder that holds one file.
pub(crate) fn on_file(name: &str, content: &str, arguments: &[&str]) -> Ended {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join(name), content).expect("written");
    let out = Command::new(BINARY)
        .current_dir(folder.path())
        .env_clear()
        .args(arguments)
        .output()
        .expect("the binary starts");
    Ended {
        success: out.status.success(),
        out: String::from_utf8_lossy(&out.stdout).into_owned(),
        err: String::from_utf8_lossy(&out.stderr).into_owned(),
    }
}

/// The binary, serving.
pub(crate) struct Served {
    pub(crate) child: Child,
    pub(crate) base: String,
    log: Option<std::thread::JoinHandle<String>>,
}

impl Served {
    /// Starts it and waits for the log line that names its address.
    pub(crate) fn spawn(command: Command) -> Self {
        Self::spawn_until(command, "serving")
    }

    /// Starts it and waits for its address and, with it or after it, for a log line with this message.
    pub(crate) fn spawn_until(mut command: Command, message: &str) -> Self {
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut log = BufReader::new(child.stderr.take().expect("a pipe"));
        let (mut seen, mut address) = (String::new(), None);
        let address = loop {
            let mut line = String::new();
            if log.read_line(&mut line).expect("the log is text") == 0 {
                panic!("it ended before it logged `{message}`: {seen}");
            }
            seen.push_str(&line);
            let entry: Value = serde_json::from_str(&line).unwrap_or(Value::Null);
            if entry["fields"]["message"] == "serving" {
                address = entry["fields"]["address"].as_str().map(str::to_owned);
            }
            if let Some(address) = address.as_ref().filter(|_| entry["fields"]["message"] == message) {
                break address.clone();
            }
        };
        let log = std::thread::spawn(move || {
            log.read_to_string(&mut seen).ok();
            seen
        });
        Self {
            child,
            base: format!("http://{address}"),
            log: Some(log),
        }
    }

    /// `SIGKILL`, at once.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
    }

    /// `SIGTERM`.
    pub(crate) fn terminate(&self) {
        let status = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status()
            .expect("kill runs");
        assert!(status.success());
    }

    /// Everything it logged; waits for its end.
    pub(crate) fn log(mut self) -> String {
        self.child.wait().expect("it ends");
        let log = self.log.take().expect("read once");
        log.join().expect("the log is read")
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// What a request was answered; `None` when the connection broke.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }
}

pub(crate) fn send(
    base: &str,
    key: Option<&str>,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<&str>,
) -> Option<Answer> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .build()
        .into();
    let mut request = ureq::http::Request::builder()
        .method(method)
        .uri(format!("{base}{path}"));
    if let Some(key) = key {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let outcome = match body {
        Some(text) => agent.run(request.body(text.to_owned()).expect("a request")),
        None => agent.run(request.body(()).expect("a request")),
    };
    let mut response = outcome.ok()?;
    let headers = response
        .headers()
        .iter()
        .map(|(n, v)| (n.as_str().to_owned(), v.to_str().unwrap_or_default().to_owned()))
        .collect();
    // A bundle is no text: what is not is replaced.
    let body = response
        .body_mut()
        .with_config()
        .limit(256 << 20)
        .read_to_vec()
        .ok()?;
    Some(Answer {
        status: response.status().as_u16(),
        headers,
        text: String::from_utf8_lossy(&body).into_owned(),
    })
}

pub(crate) const JSON: (&str, &str) = ("content-type", "application/json");

/// A published example under another pseudonym.
pub(crate) fn case(pseudonym: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema/examples/1.0.0/valid/minimal.json");
    let mut body: Value =
        serde_json::from_str(&std::fs::read_to_string(path).expect("an example")).expect("JSON");
    body["patient"]["pseudonym_id"] = json!(pseudonym);
    body
}

pub(crate) fn ports() -> Ports {
    Ports::system()
}
