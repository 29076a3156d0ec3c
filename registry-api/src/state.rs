//! What every handler works with.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock, RwLock};

use actix_web::{HttpRequest, web};
use registry_core::access::Scope;
use registry_core::form::{Forms, Words};
use registry_core::guideline::indicators::Indicator;
use registry_core::record::CentreTable;
use registry_core::storage::Store;
use registry_core::validation::Judge;
use registry_core::verification::Verifier;
use registry_core::versions::SchemaStore;

use registry_etl::benchmarks::Benchmarks;
use registry_etl::cohorts::Definition;
use registry_etl::measures::Engine;
use registry_etl::releases::ReleaseKey;
use serde_json::Value;

use crate::at_work::AtWork;
use crate::guard::RateLimiter;
use crate::oidc::Provider;
use crate::ports::Ports;
use crate::problem::Problem;
use crate::releases::Fictitious;
use crate::routes::health::Metrics;
use crate::settings::Settings;
use crate::work::CareGapsKnown;

/// The application's parts; one for all workers.
pub struct AppState {
    /// Cases, runs, keys, audit.
    pub store: Store,
    /// Schema versions, code lists, dictionary.
    pub schemas: Arc<SchemaStore>,
    /// Entry forms of its versions.
    pub forms: Forms,
    /// Compares cases with what was entered again from the source.
    pub verifier: Verifier,
    /// Compares versions of a case.
    pub differ: Verifier,
    /// How many measures of the guideline in force read an element.
    pub readers: BTreeMap<String, usize>,
    /// Measures the committee looks at first until it chooses others, of the guideline in force.
    pub indicators: Vec<Indicator>,
    /// Published series.
    pub benchmarks: Benchmarks,
    /// Survival endpoints, as defined.
    pub endpoints: Vec<Definition>,
    /// The one verdict on a record.
    pub judge: Arc<Judge>,
    /// Evaluates cases for runs, with the judge's compiled rules.
    pub engine: Arc<Engine>,
    /// Every measure of every guideline version as FHIR, made when they are asked for first.
    pub(crate) fhir_measures: OnceLock<Vec<Value>>,
    /// As started with.
    pub settings: Settings,
    /// Clock and randomness.
    pub ports: Ports,
    /// How often a caller may ask.
    pub limiter: RateLimiter,
    /// Centres whose job is under way.
    pub at_work: AtWork,
    /// A provider with which people may sign in.
    pub provider: Option<Provider>,
    /// Counters for the operator.
    pub metrics: Metrics,
    /// Orders the letters that stand for centres; made from the registry's own secret, which a new master key only wraps again.
    pub letters_key: [u8; 32],
    /// Makes the pseudonyms of releases; made from the registry's own secret.
    pub release_key: ReleaseKey,
    /// The release of fictitious cases.
    pub fictitious: Fictitious,
    /// Care that can still be given, of the versions of cases that were asked for.
    pub(crate) care_gaps: CareGapsKnown,
    /// The centre table as judged with, and its revision in the database.
    pub(crate) centres: RwLock<Option<(i64, CentreTable)>>,
}

impl AppState {
    /// The reference table of centres by year, as the database has it now: another process may have changed it.
    ///
    /// # Errors
    /// The database does not answer.
    pub fn centre_table(&self) -> Result<CentreTable, Problem> {
        let scope = Scope::system("centre table");
        // Asked before the rows are read: a change in between makes the copy look old, never new.
        let revision = self.store.centre_revision(&scope)?;
        if let Ok(guard) = self.centres.read()
            && let Some((read_at, table)) = guard.as_ref()
            && *read_at == revision
        {
            return Ok(table.clone());
        }
        let table =
            registry_etl::runs::centre_table(&self.store, &scope).map_err(crate::results::from_run)?;
        if let Ok(mut guard) = self.centres.write() {
            *guard = Some((revision, table.clone()));
        }
        Ok(table)
    }

    /// What sections, elements and codes of a case in its newest form are called.
    ///
    /// # Errors
    /// None in practice: every version has a form, checked at the start.
    pub fn words(&self) -> Result<Words<'_>, Problem> {
        let dictionary = &self.schemas.current().dictionary;
        let words = self.forms.words(dictionary);
        words.ok_or_else(|| Problem::internal("the newest version of the case has no form"))
    }

    /// The session cookie's name: `__Host-` needs HTTPS.
    pub fn session_cookie_name(&self) -> String {
        let prefix = if self.settings.is_https() { "__Host-" } else { "" };
        format!("{prefix}{}", crate::guard::SESSION_COOKIE)
    }

    /// What the caller's browser calls the service: the setting, or without one the address that was asked.
    pub fn address_for(&self, request: &HttpRequest) -> String {
        let host = request.headers().get("host").and_then(|host| host.to_str().ok());
        match (&self.settings.server.public_url, host) {
            (None, Some(host)) => format!("http://{host}"),
            _ => self.settings.address(),
        }
    }

    /// The caller's address; `X-Forwarded-For` is believed from a configured proxy only.
    pub fn client_address(&self, request: &HttpRequest) -> String {
        let peer = request.peer_addr().map(|a| a.ip());
        let trusted = |ip: &IpAddr| {
            self.settings
                .server
                .trusted_proxies
                .iter()
                .any(|p| p.parse::<IpAddr>().is_ok_and(|p| p == *ip))
        };
        if peer.as_ref().is_some_and(trusted)
            && let Some(forwarded) = request
                .headers()
                .get("x-forwarded-for")
                .and_then(|v| v.to_str().ok())
            && let Some(client) = forwarded
                .rsplit(',')
                .next()
                .and_then(|a| a.trim().parse::<IpAddr>().ok())
        {
            return client.to_string();
        }
        peer.map(|ip| ip.to_string()).unwrap_or_default()
    }
}

/// Runs database work away from the event loop.
///
/// # Errors
/// What the work answers, or an internal problem when it panicked.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let current = crate::guard::request_id::request();
    web::block(move || crate::guard::request_id::sync_scope(current, work))
        .await
        .map_err(|_| Problem::internal("a worker panicked"))?
}
