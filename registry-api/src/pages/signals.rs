//! Centres far below the network, for the committee: lettered, at most ten.

use actix_web::{HttpResponse, web};
use askama::Template;

use super::{Frame, html, words};
use crate::guard::{Allowed, NoQuery, ReadsRuns};
use crate::problem::{Kind, Problem};
use crate::results::{Signal, View};
use crate::state::{AppState, blocking};

#[derive(Template)]
#[template(path = "signals.html")]
struct Page {
    frame: Frame,
    data: Option<Data>,
}

struct Data {
    rows: Vec<Row>,
    /// Signals beyond those shown.
    more: usize,
}

/// A signal, spoken.
pub(super) struct Row {
    pub(super) centre: String,
    pub(super) measure: String,
    pub(super) title: String,
    pub(super) rate: String,
    pub(super) network: String,
    pub(super) n: String,
    pub(super) not_assessable: String,
    pub(super) adjusted: &'static str,
    pub(super) q: String,
    pub(super) runs: u32,
}

pub(super) async fn page(
    caller: Allowed<ReadsRuns>,
    _: NoQuery,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let frame = Frame::of("Signals", "/signals", &caller);
    let page = blocking(move || {
        let view = match View::open(&state, &caller.scope, None) {
            Ok(view) => view,
            Err(problem) if problem.kind == Kind::NotFound => return Ok(Page { frame, data: None }),
            Err(problem) => return Err(problem),
        };
        let signals = view.signals()?;
        Ok(Page {
            data: Some(Data {
                more: signals.total - signals.shown.len(),
                rows: signals.shown.into_iter().map(row).collect(),
            }),
            frame: frame.with_run(&view.run),
        })
    })
    .await?;
    html(&page)
}

pub(super) fn row(signal: Signal) -> Row {
    let point = signal.point;
    let share = point.not_assessable.zip(point.denominator).map(|(missing, n)| {
        let all = missing + n;
        f64::from(missing) / f64::from(all.max(1))
    });
    Row {
        centre: signal.centre,
        measure: signal.measure.id,
        title: signal.measure.title,
        rate: words::percent(point.rate),
        network: words::percent(signal.target),
        n: words::count(point.denominator),
        not_assessable: words::percent(share),
        adjusted: words::position(point.position_adjusted),
        q: point.q.map_or_else(String::new, words::p_value),
        runs: signal.runs,
    }
}
