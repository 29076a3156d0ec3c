//! The service on a free port with a database of its own, a clock that can be moved, and a typed client per role.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use actix_web::web;
use chrono::{DateTime, TimeZone, Utc};
use registry_api::ports::{Ports, SystemEntropy};
use registry_api::runs::Wanted;
use registry_api::settings::Settings;
use registry_api::startup;
use registry_api::state::AppState;
use registry_core::access::{Role, Scope};
use registry_core::clock::{Clock, Entropy};
use registry_core::crypto::MasterKey;
use registry_core::storage::{NewCentre, NewKey, Store};
use serde_json::json;
use tempfile::TempDir;

use crate::client::Client;
use crate::database::Database;

/// A clock that stands until it is moved: 2026-11-23, noon UTC.
pub struct ManualClock(AtomicI64);

impl Default for ManualClock {
    fn default() -> Self {
        let start = Utc
            .with_ymd_and_hms(2026, 11, 23, 12, 0, 0)
            .single()
            .expect("a real instant");
        Self(AtomicI64::new(start.timestamp_micros()))
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        // One microsecond further at every look: no two events at the same instant.
        let micros = self.0.fetch_add(1, Ordering::Relaxed);
        DateTime::from_timestamp_micros(micros).expect("a representable instant")
    }
}

/// The secret of registries that are to be alike.
struct Alike;

impl Entropy for Alike {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

/// A running service.
pub struct Service {
    base: String,
    state: web::Data<AppState>,
    clock: Arc<ManualClock>,
    handle: actix_web::dev::ServerHandle,
    thread: Option<JoinHandle<()>>,
    // Dropped last.
    database: Database,
    _folder: TempDir,
}

/// Centres of every test service, with a yearly row from 2018 on.
pub const CENTRES: &[&str] = &["C01", "C02", "C03", "C04", "C05", "C06"];

impl Service {
    /// On a fresh SQLite file.
    pub fn start() -> Self {
        Self::start_with(Database::sqlite(), |_| {})
    }

    /// On `database`, with changed settings.
    pub fn start_with(database: Database, change: impl FnOnce(&mut Settings)) -> Self {
        let key = MasterKey::random(&SystemEntropy);
        Self::start_under(key, Arc::new(SystemEntropy), database, change)
    }

    /// On a fresh SQLite file with a secret that others have too: centres have the same letters, cases of one name the same pseudonyms.
    pub fn start_alike() -> Self {
        let key = MasterKey::from_bytes(std::array::from_fn(|at| at as u8));
        Self::start_under(key, Arc::new(Alike), Database::sqlite(), |_| {})
    }

    fn start_under(
        key: MasterKey,
        secret: Arc<dyn Entropy>,
        database: Database,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(ManualClock::default());
        let ports = Ports {
            clock: clock.clone(),
            entropy: Arc::new(SystemEntropy),
        };
        let mut settings = Settings::default();
        settings.server.port = 0;
        settings.database.url = database.url().to_owned();
        settings.secrets.master_key_file = folder.path().join("master.key");
        settings.releases.folder = folder.path().join("releases");
        settings.limits.requests_per_second = std::num::NonZeroU32::MAX;
        settings.limits.anonymous_per_second = std::num::NonZeroU32::MAX;
        settings.limits.sign_ins_per_minute = std::num::NonZeroU32::MAX;
        change(&mut settings);
        std::fs::write(&settings.secrets.master_key_file, key.to_file_content()).expect("the key is written");
        let store = Store::open(
            settings.store_options().creating(),
            key,
            ports.clock.clone(),
            secret,
        )
        .expect("a database");
        store.migrate().expect("migrations apply");
        drop(store);
        let state = startup::assemble(settings, ports).expect("the service's parts");
        let office = Scope::system("test");
        for id in CENTRES {
            let centre = NewCentre {
                centre_id: (*id).to_owned(),
                name: format!("Centre {id}"),
                country: None,
                active: true,
            };
            state.store.upsert_centre(&office, centre).expect("a centre");
            for year in 2018..=2026 {
                let row = json!({
                    "centre_id": id, "effective_year": year, "is_specialised_sarcoma_centre": true, "annual_rps_volume": 40,
                    "eligible_seen": 12, "consent_refused": 1, "annual_metastasectomy_volume": 12,
                    "mis_metastasectomy_programme": true, "academic_trial_centre": true,
                });
                state
                    .store
                    .put_centre_year(&office, id, year, row)
                    .expect("a year");
            }
        }
        let served = serve(&state);
        Self {
            base: served.base,
            state,
            clock,
            handle: served.handle,
            thread: Some(served.thread),
            database,
            _folder: folder,
        }
    }

    /// Replaces the master key as an operator does, and starts the service again: at another address, as clients are told by [`Self::base`].
    pub fn rotate_master_key(&mut self) {
        let key = MasterKey::random(&SystemEntropy);
        let settings = self.state.settings.clone();
        self.state
            .store
            .rotate_master_key(&Scope::system("test"), key.clone())
            .expect("every key is wrapped again");
        std::fs::write(&settings.secrets.master_key_file, key.to_file_content()).expect("the key is written");
        self.stop();
        let ports = Ports {
            clock: self.clock.clone(),
            entropy: Arc::new(SystemEntropy),
        };
        self.state = startup::assemble(settings, ports).expect("the service's parts");
        let served = serve(&self.state);
        (self.base, self.handle, self.thread) = (served.base, served.handle, Some(served.thread));
    }

    fn stop(&mut self) {
        let handle = self.handle.clone();
        // The server's own runtime hears the stop; the future need not be awaited here.
        drop(handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let outcome = thread.join();
            if !std::thread::panicking() {
                outcome.expect("the server thread ends well");
            }
        }
    }

    /// `http://127.0.0.1:port`.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Its database.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The service's parts.
    pub fn state(&self) -> &AppState {
        &self.state
    }

    /// A key of a role (and centre), good for a year.
    pub fn key(&self, role: &str, centre: Option<&str>) -> String {
        let role: Role = role.parse().expect("a role");
        let expires_at = Some(self.clock.now() + chrono::Duration::days(365));
        let key = NewKey {
            label: format!("test {role}"),
            role,
            centre: centre.map(str::to_owned),
            expires_at,
        };
        let made = self
            .state
            .store
            .create_key(&Scope::system("test"), key)
            .expect("a key");
        made.key.reveal().to_owned()
    }

    /// A client with a key of `role`.
    pub fn client(&self, role: &str, centre: Option<&str>) -> Client {
        Client::new(&self.base, Some(&self.key(role, centre)))
    }

    /// A submitter of `centre`.
    pub fn submitter(&self, centre: &str) -> Client {
        self.client("submitter", Some(centre))
    }

    /// Nobody.
    pub fn anonymous(&self) -> Client {
        Client::new(&self.base, None)
    }

    /// Moves the clock forward.
    pub fn advance_days(&self, days: i64) {
        self.clock.0.fetch_add(days * 86_400_000_000, Ordering::Relaxed);
    }

    /// The service's present instant.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Moves the clock forward.
    pub fn advance_minutes(&self, minutes: i64) {
        self.clock.0.fetch_add(minutes * 60_000_000, Ordering::Relaxed);
    }

    /// Runs the ETL up to `cut_off` and publishes the run; answers its number.
    pub fn published_run(&self, cut_off: &str) -> i64 {
        let office = Scope::system("test");
        let cut_off = cut_off.parse().expect("a date");
        let run = registry_api::runs::execute(&self.state, &office, &Wanted::up_to(cut_off), |_| {})
            .expect("a run");
        registry_api::runs::publish(&self.state, &office, run.number)
            .expect("published")
            .number
    }

    /// Asserts that the audit chain is whole.
    pub fn verify_audit(&self) {
        self.state.store.verify_audit(None).expect("the chain verifies");
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop();
    }
}

struct Served {
    base: String,
    handle: actix_web::dev::ServerHandle,
    thread: JoinHandle<()>,
}

fn serve(state: &web::Data<AppState>) -> Served {
    let (tell, told) = mpsc::channel();
    let shared = state.clone();
    let thread = std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let service = startup::run(shared).expect("a free port");
            tell.send((service.address, service.handle()))
                .expect("the test waits");
            service.serve().await.expect("the server ends well");
        });
    });
    let (address, handle) = told.recv().expect("the service starts");
    Served {
        base: format!("http://{address}"),
        handle,
        thread,
    }
}

/// Runs `work` on each of `clients` at once, all starting together; answers in their order.
pub fn at_once<T: Send>(clients: Vec<Client>, work: impl Fn(usize, &Client) -> T + Sync) -> Vec<T> {
    let gate = std::sync::Barrier::new(clients.len());
    let results: Vec<Mutex<Option<T>>> = clients.iter().map(|_| Mutex::new(None)).collect();
    std::thread::scope(|scope| {
        for (n, client) in clients.iter().enumerate() {
            let (gate, work, slot) = (&gate, &work, &results[n]);
            scope.spawn(move || {
                gate.wait();
                let outcome = work(n, client);
                *slot.lock().expect("no poisoned slot") = Some(outcome);
            });
        }
    });
    results
        .into_iter()
        .map(|slot| {
            slot.into_inner()
                .expect("no poisoned slot")
                .expect("every thread answered")
        })
        .collect()
}
