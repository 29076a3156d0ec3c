//! Prometheus counters: requests by method, route pattern and status; never a pseudonym.

use actix_web::{HttpRequest, HttpResponse, web};
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry, TextEncoder};

use crate::problem::{Kind, Problem};
use crate::state::AppState;

/// What becomes of a submitted case.
const ACCEPTED: &str = "accepted";
const REFUSED: &str = "refused";

/// The service's counters.
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    seconds: HistogramVec,
    /// Cases by what became of them.
    submissions: IntCounterVec,
    token: Option<String>,
}

impl Metrics {
    /// Counters at zero; `token` opens `/metrics` to other machines.
    ///
    /// # Errors
    /// A counter that cannot be registered.
    pub fn new(token: Option<String>) -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let requests = IntCounterVec::new(
            Opts::new(
                "registry_http_requests_total",
                "Requests by method, route and status",
            ),
            &["method", "route", "status"],
        )?;
        let seconds = HistogramVec::new(
            HistogramOpts::new(
                "registry_http_request_seconds",
                "Time to answer, by method and route",
            ),
            &["method", "route"],
        )?;
        let submissions = IntCounterVec::new(
            Opts::new("registry_submissions_total", "Submitted cases by outcome"),
            &["outcome"],
        )?;
        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(seconds.clone()))?;
        registry.register(Box::new(submissions.clone()))?;
        // There from the start: nothing can be said of the increase of what is not there yet.
        for outcome in [ACCEPTED, REFUSED] {
            submissions.with_label_values(&[outcome]);
        }
        Ok(Self {
            registry,
            requests,
            seconds,
            submissions,
            token,
        })
    }

    /// Counts one submitted case.
    pub fn submitted(&self, accepted: bool) {
        let outcome = if accepted { ACCEPTED } else { REFUSED };
        self.submissions.with_label_values(&[outcome]).inc();
    }

    /// Counts one request.
    pub fn observe(&self, method: &str, route: &str, status: u16, seconds: f64) {
        self.requests
            .with_label_values(&[method, route, status.to_string().as_str()])
            .inc();
        self.seconds.with_label_values(&[method, route]).observe(seconds);
    }
}

/// Prometheus text, for whoever shows the token of `server.metrics_token_file`; without such a file for this machine alone.
#[utoipa::path(get, path = "/metrics", operation_id = "metrics", tag = "health",
    responses((status = 200, description = "Counters", content_type = "text/plain"), (status = 404, description = "Not for this caller")))]
pub(in crate::routes) async fn show(
    request: HttpRequest,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let allowed = match &state.metrics.token {
        Some(token) => {
            let sent = request
                .headers()
                .get("authorization")
                .and_then(|v| v.to_str().ok());
            sent.and_then(|v| v.strip_prefix("Bearer ")) == Some(token.as_str())
        }
        None => {
            request.peer_addr().is_some_and(|a| a.ip().is_loopback())
                && !request.headers().contains_key("x-forwarded-for")
        }
    };
    if !allowed {
        return Err(Problem::new(Kind::NotFound));
    }
    let text = TextEncoder::new()
        .encode_to_string(&state.metrics.registry.gather())
        .map_err(Problem::internal)?;
    Ok(HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4")
        .body(text))
}
