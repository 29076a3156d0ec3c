//! Builds the service so that a test can start it on a free port.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, OnceLock, RwLock};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpServer, middleware, web};
use chrono::NaiveDate;
use registry_core::form::Forms;
use registry_core::guideline::indicators::Indicator;
use registry_core::guideline::questions::Questions;
use registry_core::storage::{OptionsError, Store, StoreError};
use registry_core::validation::Judge;
use registry_core::verification::Verifier;
use registry_core::versions::{SchemaStore, Status};
use registry_etl::benchmarks::Benchmarks;
use registry_etl::cohorts::definitions;
use registry_etl::measures::Engine;
use registry_etl::releases::ReleaseKey;

use crate::at_work::AtWork;
use crate::guard::{RateLimiter, observe, query};
use crate::oidc::Provider;
use crate::ports::Ports;
use crate::problem::{Kind, Problem};
use crate::routes;
use crate::routes::health::Metrics;
use crate::settings::{Settings, SettingsError};
use crate::state::AppState;
use crate::work::CareGapsKnown;

/// Why the service did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The database cannot be opened.
    #[error("setting {key}: {source}")]
    Store {
        /// The setting it comes from.
        key: &'static str,
        /// Why.
        source: StoreError,
    },
    /// The schema files are wrong.
    #[error("schema: {0}")]
    Schema(String),
    /// The address is taken or not ours.
    #[error("setting server.host or server.port: cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: String,
        /// Why.
        source: std::io::Error,
    },
    /// The server could not be started.
    #[error("server: {0}")]
    Server(#[from] std::io::Error),
}

impl From<StoreError> for StartError {
    fn from(source: StoreError) -> Self {
        let key = match &source {
            StoreError::WrongMasterKey { .. } => "secrets.master_key_file",
            // All that a database does not offer at the start is the role that the service is to take on.
            StoreError::Options(OptionsError::Role) | StoreError::Unsupported(_) => "database.app_role",
            _ => "database.url",
        };
        Self::Store { key, source }
    }
}

/// A running service.
pub struct Service {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its parts, for the demo and for tests.
    pub state: web::Data<AppState>,
    server: actix_web::dev::Server,
}

impl Service {
    /// Stops it: `graceful` lets running requests end.
    pub fn handle(&self) -> ServerHandle {
        self.server.handle()
    }

    /// Serves until it is stopped.
    ///
    /// # Errors
    /// What the server ends with.
    pub async fn serve(self) -> std::io::Result<()> {
        self.server.await
    }
}

/// Puts the parts together: opens the database (which must be migrated), compiles schemas and rules (of the settings'
/// folder, or those compiled in).
///
/// # Errors
/// A wrong setting, a database that does not open, schema files that do not compile.
pub fn assemble(settings: Settings, ports: Ports) -> Result<web::Data<AppState>, StartError> {
    let Some(folder) = settings.schema.folder.clone() else {
        let schemas = SchemaStore::embedded().map_err(|e| StartError::Schema(e.to_string()))?;
        return assemble_with(settings, ports, schemas);
    };
    let assembled = SchemaStore::from_dir(&folder)
        .map_err(|e| StartError::Schema(e.to_string()))
        .and_then(|schemas| assemble_with(settings, ports, schemas));
    assembled.map_err(|error| match error {
        StartError::Schema(why) => StartError::Settings(SettingsError::File {
            key: "schema.folder",
            path: folder.display().to_string(),
            why,
        }),
        other => other,
    })
}

/// As [`assemble`], with other schema files than the embedded ones.
///
/// # Errors
/// As [`assemble`].
pub fn assemble_with(
    settings: Settings,
    ports: Ports,
    schemas: SchemaStore,
) -> Result<web::Data<AppState>, StartError> {
    let schemas = Arc::new(schemas);
    let judge = Arc::new(Judge::new(Arc::clone(&schemas)).map_err(|e| StartError::Schema(e.to_string()))?);
    tell_last_days(&schemas, ports.clock.now().date_naive());
    for guideline in judge.guidelines(&schemas.current().version) {
        Questions::of(&schemas, &guideline.id).map_err(|e| StartError::Schema(e.to_string()))?;
    }
    registry_etl::releases::check(&schemas.current().dictionary)
        .map_err(|e| StartError::Schema(e.to_string()))?;
    let forms = Forms::of(&schemas).map_err(|e| StartError::Schema(e.to_string()))?;
    let verifier = Verifier::of(&schemas, &forms).map_err(|e| StartError::Schema(e.to_string()))?;
    let differ = Verifier::of_versions(&schemas, &forms).map_err(|e| StartError::Schema(e.to_string()))?;
    let in_force = judge.in_force(&schemas.current().version);
    let indicators = in_force
        .map(|guideline| Indicator::all(&schemas, guideline))
        .transpose()
        .map_err(|e| StartError::Schema(e.to_string()))?;
    let readers = in_force.map(|guideline| verifier.readers(guideline));
    let benchmarks = Benchmarks::of(&schemas).map_err(|e| StartError::Schema(e.to_string()))?;
    let endpoints = definitions(&schemas).map_err(|e| StartError::Schema(e.to_string()))?;
    let key = settings.master_key()?;
    let store = Store::open(
        settings.store_options(),
        key,
        Arc::clone(&ports.clock),
        Arc::clone(&ports.entropy),
    )?;
    let letters_key = store.derived_key("centre letters")?;
    let release_key = ReleaseKey::new(store.derived_key("release pseudonyms")?);
    let metrics_token = settings.metrics_token()?;
    Ok(web::Data::new(AppState {
        store,
        schemas,
        forms,
        verifier,
        differ,
        readers: readers.unwrap_or_default(),
        indicators: indicators.unwrap_or_default(),
        benchmarks,
        endpoints,
        engine: Engine::new(Arc::clone(&judge))
            .map(Arc::new)
            .map_err(|e| StartError::Schema(e.to_string()))?,
        judge,
        limiter: RateLimiter::new(
            settings.limits.requests_per_second,
            settings.limits.anonymous_per_second,
            settings.limits.sign_ins_per_minute,
        ),
        fhir_measures: OnceLock::new(),
        at_work: AtWork::default(),
        metrics: Metrics::new(metrics_token).map_err(|e| StartError::Schema(e.to_string()))?,
        provider: Provider::of(&settings)?,
        settings,
        ports,
        letters_key,
        release_key,
        fictitious: Default::default(),
        care_gaps: CareGapsKnown::default(),
        centres: RwLock::new(None),
    }))
}

/// Says which deprecated versions of the case schema are accepted for how long, and which are not any more.
fn tell_last_days(schemas: &SchemaStore, today: NaiveDate) {
    for schema in schemas.case_schemas() {
        let Some(last) = schema
            .accepted_through
            .as_deref()
            .filter(|_| schema.status == Status::Deprecated)
        else {
            continue;
        };
        let version = schema.version.as_str();
        if schema.accepted_on(today) {
            tracing::info!(
                version,
                last,
                "a deprecated version of the case schema is still accepted"
            );
        } else {
            tracing::warn!(
                version,
                last,
                "a deprecated version of the case schema is past its last day: what is sent in it is refused"
            );
        }
    }
}

/// Starts serving on the configured address (port 0 takes a free one).
///
/// # Errors
/// An address that cannot be listened on.
pub fn run(state: web::Data<AppState>) -> Result<Service, StartError> {
    state.settings.check_releases_folder()?;
    let server = &state.settings.server;
    let wanted = format!("{}:{}", server.host, server.port);
    let listener = TcpListener::bind(&wanted).map_err(|source| StartError::Listen {
        address: wanted,
        source,
    })?;
    let address = listener.local_addr()?;
    let shared = state.clone();
    let http = HttpServer::new(move || {
        App::new()
            .app_data(shared.clone())
            .app_data(
                web::QueryConfig::default()
                    .error_handler(|error, request| query::refused(&error, request).into()),
            )
            .app_data(web::PathConfig::default().error_handler(|_, _| Problem::new(Kind::NotFound).into()))
            .configure(routes::register)
            .wrap(middleware::Compress::default())
            .wrap(middleware::from_fn(observe))
    })
    .workers(server.workers)
    .client_request_timeout(Duration::from_secs(server.client_timeout_seconds))
    // An answer in several packets waits 40 ms for the reader's acknowledgement otherwise.
    .tcp_nodelay(true)
    .shutdown_timeout(server.shutdown_seconds)
    .listen(listener)?;
    Ok(Service {
        address,
        state,
        server: http.run(),
    })
}
