//! `POST /redcap/api/`: an approved data request read as a REDCap project, for the clients that speak to REDCap (tried with PyCap).
//!
//! What is read is the bundle of the request and nothing else. The credential is the request's token, 32 hexadecimal digits that its filer
//! finds at `/api/v1/data-requests/{id}` while the request is open; it opens that one request, until its last day or its revocation, and as
//! long as its filer's account, or key with those that followed it, is good. Every record export counts as a download. Reading only: there is no import.

mod answer;
mod project;
mod records;

use std::path::PathBuf;

use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, web};
use registry_core::access::{Role, Scope};
use registry_core::storage::DataRequest;

use super::{Endpoint, open};
use crate::guard::Parameters;
use crate::problem::{Kind, Problem};
use crate::state::{AppState, blocking};
use answer::{Format, refused};
use project::Project;

/// The version of REDCap's interface that clients may count on.
const VERSION: &str = "14.0.0";

pub(super) fn endpoints() -> Vec<Endpoint> {
    let why = "the data request's token in the form is the credential";
    vec![open(Method::POST, "/redcap/api/", why, call)]
}

/// The parameters of a call, in the order sent.
struct Asked(Vec<(String, String)>);

impl Asked {
    fn one(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    /// A list, as `fields[0]=a` or as `fields=a,b`.
    fn many(&self, name: &str) -> Vec<&str> {
        let of = |key: &str| {
            let rest = key.strip_prefix(name)?;
            (rest.is_empty() || rest.starts_with('[')).then_some(())
        };
        let values = self.0.iter().filter(|(key, _)| of(key).is_some());
        values
            .flat_map(|(_, value)| value.split(','))
            .map(str::trim)
            .filter(|value| !value.is_empty())
            .collect()
    }
}

/// What may be asked, and the values that change nothing here where it has others in REDCap; none where every value is looked at.
const PARAMETERS: [(&str, &[&str]); 20] = [
    ("token", &[]),
    ("content", &[]),
    ("format", &[]),
    ("returnFormat", &[]),
    ("action", &[]),
    ("type", &[]),
    ("rawOrLabel", &[]),
    ("field", &[]),
    ("fields", &[]),
    ("forms", &[]),
    ("records", &[]),
    ("filterLogic", &[]),
    ("data", &[]),
    ("rawOrLabelHeaders", &["", "raw"]),
    ("csvDelimiter", &["", ","]),
    // There are no events.
    ("eventName", &["", "label", "unique"]),
    ("exportCheckboxLabel", &["", "false", "False"]),
    ("exportSurveyFields", &["", "false", "False"]),
    ("exportDataAccessGroups", &["", "false", "False"]),
    ("exportBlankForGrayFormStatus", &["", "false", "False"]),
];

impl Asked {
    /// Nothing that is asked is passed over in silence: a range of dates that did not count would hand out more than was asked for.
    fn check(&self) -> Result<(), Problem> {
        for (name, value) in &self.0 {
            let name = name.split('[').next().unwrap_or_default();
            let Some((name, idle)) = PARAMETERS.iter().find(|(known, _)| *known == name) else {
                let known: Vec<&str> = PARAMETERS.iter().map(|(name, _)| *name).collect();
                let why = format!(
                    "a parameter that is not known here; known are {}",
                    known.join(", ")
                );
                return Err(Problem::with(Kind::InvalidValue, why));
            };
            if !idle.is_empty() && !idle.contains(&value.as_str()) {
                return Err(Problem::with(
                    Kind::InvalidValue,
                    format!("{name}: not here with this value"),
                ));
            }
        }
        Ok(())
    }
}

/// An approved data request read as a REDCap project: `token` and `content` (`record`, `metadata`, `exportFieldNames`, `version`, ..) as REDCap's
/// own interface takes them, in a form. Errors are REDCap's, too.
#[utoipa::path(post, path = "/redcap/api/", operation_id = "redcap", tag = "data requests",
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "token, content, format, returnFormat, fields, records, .."),
    responses((status = 200, description = "What was asked for, as JSON, CSV or XML"), (status = 400, description = "A parameter cannot be used", content_type = "application/json"),
        (status = 403, description = "The token is of no open data request", content_type = "application/json")))]
pub(super) async fn call(request: HttpRequest, form: Parameters, state: web::Data<AppState>) -> HttpResponse {
    let asked = Asked(form.0);
    let format = Format::of(asked.one("format"));
    let told = format.or(Format::of(asked.one("returnFormat")));
    let address = state.client_address(&request);
    let outcome = blocking(move || {
        let request = of_token(&state, &address, asked.one("token"))?;
        answered(&state, &request, &asked, format)
    });
    match outcome.await {
        Ok(answer) => answer.into(),
        Err(problem) => refused(&problem, told),
    }
}

/// The open request of a token, while its filer has access to the registry.
fn of_token(state: &AppState, address: &str, token: &str) -> Result<DataRequest, Problem> {
    let today = state.ports.clock.now().date_naive();
    let requests = state.store.list_data_requests(&reader())?;
    let found = requests.into_iter().find(|one| {
        let known = state.release_key.token_of_request(&one.request_id);
        one.open_on(today).is_some() && known.is(token)
    });
    let found = match found {
        Some(one)
            if !state
                .store
                .has_access(&reader(), &one.filed_by, Role::Researcher)? =>
        {
            None
        }
        other => other,
    };
    found.ok_or_else(|| match state.limiter.check_address(address) {
        Err(limited) => limited,
        Ok(()) => Problem::with(
            Kind::Forbidden,
            "You do not have permissions to use the API: the token is of no open data request",
        ),
    })
}

/// Who reads in the place of the filer; the trail names the request.
fn reader() -> Scope {
    Scope::system("redcap interface")
}

fn answered(
    state: &AppState,
    request: &DataRequest,
    asked: &Asked,
    format: Option<Format>,
) -> Result<answer::Answer, Problem> {
    let content = asked.one("content");
    if content == "version" {
        return Ok(answer::Answer::text(VERSION.to_owned()));
    }
    let format = format.ok_or_else(|| wrong("format: csv or json"))?;
    if !asked.one("data").is_empty() || !matches!(asked.one("action"), "" | "export") {
        return Err(wrong("reading only: there is no import here"));
    }
    asked.check()?;
    let bundle = || -> Result<PathBuf, Problem> {
        let (_, _, path) = crate::releases::request_bundle(state, &reader(), &request.request_id)?;
        Ok(path)
    };
    let project = || Project::read(&bundle()?, |_| false);
    match content {
        "project" => Ok(format
            .table(&project::PROJECT, &[Project::about(request)])?
            .first()),
        "instrument" => format.table(&project::INSTRUMENT, &project()?.instruments()),
        "metadata" => {
            let (fields, forms) = (asked.many("fields"), asked.many("forms"));
            format.table(&project::METADATA, &project()?.metadata(&fields, &forms))
        }
        "exportFieldNames" => {
            let field = asked.one("field");
            format.table(&project::NAMES, &project()?.names(field))
        }
        "record" => {
            let wanted = records::Wanted::of(asked)?;
            let project = Project::read(&bundle()?, |form| wanted.reads(form))?;
            wanted.check(&project, format.0)?;
            state
                .store
                .count_download(&reader(), &request.request_id, "redcap record")?;
            format.streamed(move |out| wanted.write(&project, format.0, out))
        }
        _ => Err(wrong(
            "content: record, metadata, exportFieldNames, version, project or instrument",
        )),
    }
}

fn wrong(why: &str) -> Problem {
    Problem::with(Kind::InvalidValue, why)
}

impl Problem {
    fn told_to_redcap(&self) -> (StatusCode, String) {
        let status = actix_web::ResponseError::status_code(self);
        let text = self
            .detail
            .clone()
            .unwrap_or_else(|| self.kind.title().to_owned());
        (status, text)
    }
}
