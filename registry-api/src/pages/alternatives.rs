//! A measure with other values of its thresholds: what has been computed, and the form that computes more.

use actix_web::{HttpResponse, web};
use registry_core::guideline::Guideline;
use registry_etl::results::{Sensitivity, Side};
use registry_etl::runs::alternatives;
use serde_json::Value;

use super::of_run::OfRun;
use super::words;
use crate::guard::{AllowedForm, Coordinates};
use crate::problem::{Kind, Problem};
use crate::state::{AppState, blocking};

/// One value that can be tried: what the button says and sends.
pub(super) struct Alternative {
    pub(super) parameter: String,
    /// As JSON.
    pub(super) value: String,
    pub(super) says: String,
}

/// Values the guideline names for parameters a measure rests on, without those that are computed.
pub(super) fn open(guideline: &Guideline, measure: &str, computed: &[Sensitivity]) -> Vec<Alternative> {
    let rests_on = guideline.rests_on(measure);
    let named = alternatives(guideline).into_iter().filter(|(parameter, value)| {
        let known = |one: &Sensitivity| one.parameter == *parameter && one.value == *value;
        rests_on.contains(&parameter.as_str()) && !computed.iter().any(known)
    });
    named
        .map(|(parameter, value)| Alternative {
            says: {
                let label = guideline.label(&parameter);
                match words::leaf(&value) {
                    nothing if nothing.is_empty() => format!("{label}: none"),
                    words => format!("{label}: {words}"),
                }
            },
            value: value.to_string(),
            parameter,
        })
        .collect()
}

/// What the network's rate would be with other values: parameter, values, rate then, rate now, units changed.
pub(super) fn rows(guideline: &Guideline, all: &[Sensitivity], measure: &str) -> Vec<[String; 5]> {
    let row = |analysis: &Sensitivity| {
        let changes = &analysis.comparison.measures;
        let change = changes.iter().find(|change| change.measure == measure)?;
        Some([
            guideline.label(&analysis.parameter).to_owned(),
            format!(
                "{} instead of {}",
                words::leaf(&analysis.value),
                words::leaf(&analysis.base)
            ),
            side(&change.other),
            side(&change.base),
            words::changed(change),
        ])
    };
    all.iter().filter_map(row).collect()
}

fn side(side: &Side) -> String {
    match side.rate {
        Some(_) => format!(
            "{} ({})",
            words::percent(side.rate),
            words::interval(side.lower, side.upper)
        ),
        None => words::without_rate(side.state).to_owned(),
    }
}

/// Computes a run's measures with the value a form of the measure's page names.
pub(super) async fn compute(
    form: AllowedForm<Coordinates>,
    measure: web::Path<String>,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let wrong = |what| Problem::with(Kind::InvalidValue, what);
    let number: i64 = form
        .fields
        .get("run")
        .parse()
        .map_err(|_| wrong("run: a number"))?;
    let value: Value = serde_json::from_str(form.fields.get("value")).map_err(|_| wrong("value: as JSON"))?;
    let asked = OfRun(form.fields.get("of_run").parse().ok());
    let page = format!("/measures/{measure}{}#alternatives", asked.only());
    blocking(move || {
        let run = state.store.run(&form.scope, number)?;
        let parameter = form.fields.get("parameter");
        crate::runs::sensitivity(&state, &form.scope, &run, parameter, &value, |_, _| {})
    })
    .await?;
    Ok(HttpResponse::SeeOther()
        .insert_header(("location", page))
        .finish())
}
