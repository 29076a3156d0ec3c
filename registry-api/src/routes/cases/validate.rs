//! `POST /api/v1/cases:validate`: the verdict of a submission and what would become of it, nothing stored.

use std::collections::BTreeSet;

use actix_web::{HttpRequest, web};
use registry_core::access::Scope;
use registry_core::intake::ndjson::Item;
use registry_core::storage::{Foreseen, Precondition, PutCase, StoreError};
use registry_core::validation::{Derived, UnattestedSection, Verdict, may_be_repeated};
use serde::Serialize;
use serde_json::Value;

use super::batch::{MOST_LISTED, Sent, items, listed_each, pseudonym, refusal};
use crate::guard::{Allowed, RawBody, Submits};
use crate::parallel::in_order;
use crate::problem::Problem;
use crate::routes::{Reply, header_text};
use crate::state::{AppState, blocking};
use crate::submission::{ToldFinding, judge, to_store, told};

/// Verdicts in the order sent.
#[derive(Serialize, utoipa::ToSchema)]
struct Verdicts {
    results: Vec<ToldVerdict>,
}

/// The verdict on one record, nothing stored.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = Verdict)]
pub(in crate::routes) struct ToldVerdict {
    line: usize,
    /// Pseudonym; none of an item that could not be read, and none where the pseudonym is what is wrong.
    case: Option<String>,
    accepted: bool,
    /// Whether the edit checks were run: they read a record that keeps to its schema, and no other.
    checked: bool,
    findings: Vec<ToldFinding>,
    /// Findings beyond those listed.
    further_findings: usize,
    derived: Derived,
    not_attested: Vec<UnattestedSection>,
    /// What the store would make of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    would_be: Option<Foreseen>,
    /// Why the store would not take it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<crate::problem::Body>)]
    refusal: Option<Value>,
    /// Of what is no document.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<crate::problem::Body>)]
    problem: Option<Value>,
}

impl ToldVerdict {
    /// Lists so many findings at most; those beyond are counted.
    fn list_at_most(&mut self, most: usize) {
        self.further_findings += self.findings.len().saturating_sub(most);
        self.findings.truncate(most);
    }
}

/// Judge one record or many (a JSON array, or NDJSON; items as `:batch` takes them) as a submission would be judged now. `would_be` says what
/// the store would make of it (`new`, `changed`, `unchanged`), `refusal` why it would not take it. Of all items together 10,000 findings are
/// listed; those beyond are counted with their item.
#[utoipa::path(post, path = "/api/v1/cases:validate", tag = "cases",
    params(("Change-Reason" = Option<String>, Header, description = "As the submission would have it")),
    request_body(content = crate::routes::openapi::answers::CaseRecord, description = "A record, an array of records, or NDJSON"),
    responses((status = 200, description = "A verdict per item, in input order", body = Verdicts)), security(("key" = [])))]
pub(super) async fn validate(
    caller: Allowed<Submits>,
    request: HttpRequest,
    state: web::Data<AppState>,
    body: RawBody,
) -> Result<Reply, Problem> {
    let reason = header_text(&request, "change-reason")?;
    blocking(move || {
        let items = items(&body, &state.settings.limits)?;
        let mut results = verdicts(&state, &caller.scope, items, reason.as_deref())?;
        let mut room = MOST_LISTED;
        for verdict in &mut results {
            verdict.list_at_most(room);
            room -= verdict.findings.len();
        }
        Reply::json(200, &Verdicts { results })
    })
    .await
}

/// An item with its verdict, and what the store would be given.
enum Judged {
    /// Unreadable, or refused: there is nothing to store.
    Said(Box<ToldVerdict>),
    Sound(Box<(usize, Verdict, PutCase)>),
}

/// The verdicts on items, as answered.
pub(in crate::routes) fn verdicts(
    state: &AppState,
    scope: &Scope,
    items: Vec<Item>,
    reason: Option<&str>,
) -> Result<Vec<ToldVerdict>, Problem> {
    let centres = state.centre_table()?;
    let each = listed_each(items.len());
    let judged = in_order(items, |item| {
        let read = item.document.map_err(Problem::from).and_then(Sent::read);
        let sent = match read {
            Ok(sent) => sent,
            Err(problem) => {
                let unread = ToldVerdict {
                    accepted: false,
                    problem: Some(problem.body()),
                    ..said(item.line, None, &Verdict::default(), &BTreeSet::new())
                };
                return Judged::Said(Box::new(unread));
            }
        };
        let verdict = judge(state, scope, &sent.document, &centres);
        if verdict.rejected() || verdict.withdrawal {
            let name = pseudonym(&sent.document);
            let mut told = said(item.line, name, &verdict, &BTreeSet::new());
            told.list_at_most(each);
            return Judged::Said(Box::new(told));
        }
        let put = to_store(state, sent.incoming(reason), &verdict);
        Judged::Sound(Box::new((item.line, verdict, put)))
    });
    let (mut places, mut puts) = (Vec::with_capacity(judged.len()), Vec::new());
    for one in judged {
        places.push(match one {
            Judged::Said(said) => Err(said),
            Judged::Sound(sound) => {
                let (line, verdict, put) = *sound;
                let (name, precondition) = (put.pseudonym.clone(), put.precondition.clone());
                puts.push(put);
                Ok((line, verdict, name, precondition))
            }
        });
    }
    let mut foreseen = state.store.foresee(scope, puts)?.into_iter();
    let told = places.into_iter().map(|place| match place {
        Err(said) => *said,
        Ok((line, verdict, name, precondition)) => {
            let expected = foreseen.next().unwrap_or(Err(StoreError::NotFound));
            would_be(line, &name, &verdict, expected, &precondition)
        }
    });
    Ok(told.collect())
}

fn would_be(
    line: usize,
    name: &str,
    verdict: &Verdict,
    expected: Result<(Foreseen, BTreeSet<String>), StoreError>,
    precondition: &Precondition,
) -> ToldVerdict {
    match expected {
        Ok((foreseen, answered)) => {
            let said = said(line, Some(name), verdict, &answered);
            ToldVerdict {
                would_be: Some(foreseen),
                ..said
            }
        }
        Err(error) => {
            let said = said(line, Some(name), verdict, &BTreeSet::new());
            ToldVerdict {
                refusal: Some(refusal(error, precondition).body()),
                ..said
            }
        }
    }
}

fn said(line: usize, name: Option<&str>, verdict: &Verdict, answered: &BTreeSet<String>) -> ToldVerdict {
    ToldVerdict {
        line,
        case: name.filter(|name| may_be_repeated(name)).map(str::to_owned),
        accepted: !verdict.rejected(),
        checked: verdict.checked,
        findings: told(verdict, answered),
        further_findings: verdict.further_findings,
        derived: verdict.derived.clone(),
        not_attested: verdict.unattested.clone(),
        would_be: None,
        refusal: None,
        problem: None,
    }
}
