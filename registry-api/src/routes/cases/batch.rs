//! `POST /api/v1/cases:batch`: many records, each with its own answer in input order.

use actix_web::{HttpRequest, web};
use registry_core::access::Scope;
use registry_core::intake::ndjson::{Item, Reader};
use registry_core::intake::{self, Refusal};
use registry_core::storage::{CaseStatus, Job, Precondition, PutCase, StoreError, Withdraw, Withdrawal};
use registry_core::validation::{Verdict, may_be_repeated};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::batch_job::BatchJob;
use crate::guard::{Allowed, RawBody, Submits};
use crate::parallel::in_order;
use crate::problem::{Kind, Problem};
use crate::releases::discard_with;
use crate::routes::{Idempotent, Reply, header_text};
use crate::settings::Limits;
use crate::state::AppState;
use crate::submission::{
    Admitted, Dated, Incoming, Stored, Warning, admit, said_of_date, stored as stored_case,
};

/// Most errors or findings listed for all items of an answer together; those beyond are counted with their item.
pub(in crate::routes) const MOST_LISTED: usize = 10_000;

/// Most findings kept of each of so many items: all of a few, some of many.
pub(super) fn listed_each(items: usize) -> usize {
    (10 * MOST_LISTED / items.max(1)).max(20)
}

/// How to store the batch.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    /// All or nothing.
    #[serde(default)]
    atomic: bool,
}

/// The records of a body: an array, one object, or one a line.
pub(super) fn items(body: &RawBody, limits: &Limits) -> Result<Vec<Item>, Problem> {
    let per_item = intake::Limits::bytes(limits.record_bytes);
    let items: Vec<Item> = match body.media_type.as_str() {
        "application/x-ndjson" | "application/jsonl" => Reader::new(&body.bytes[..], per_item)
            // One more than allowed tells that there are too many: the rest is not read.
            .take(limits.batch_items + 1)
            .collect::<Result<_, _>>()
            .map_err(|_| Problem::with(Kind::NotJson, "the body cannot be read"))?,
        "application/json" => {
            let many = body.bytes.trim_ascii_start().starts_with(b"[");
            let whole = intake::Limits {
                max_depth: intake::Limits::DEPTH + usize::from(many),
                max_items: limits.batch_items,
                ..intake::Limits::bytes(limits.batch_bytes)
            };
            let read = intake::parse(&body.bytes, &whole).map_err(|error| match error.refusal() {
                Refusal::TooManyItems => too_many(limits),
                _ => Problem::from(error),
            });
            let documents = match read? {
                Value::Array(documents) => documents,
                single => vec![single],
            };
            documents
                .into_iter()
                .enumerate()
                .map(|(n, document)| Item {
                    line: n + 1,
                    document: if body.bytes.len() > limits.record_bytes {
                        intake::within(document, limits.record_bytes)
                    } else {
                        Ok(document)
                    },
                })
                .collect()
        }
        _ => {
            return Err(Problem::with(
                Kind::UnsupportedMediaType,
                "send application/json or application/x-ndjson",
            ));
        }
    };
    if items.len() > limits.batch_items {
        return Err(too_many(limits));
    }
    Ok(items)
}

fn too_many(limits: &Limits) -> Problem {
    let most = limits.batch_items;
    Problem::with(
        Kind::BodyTooLarge,
        format!("at most {most} items in a batch: send it in parts"),
    )
}

/// Whether the caller would rather have a job than wait (RFC 7240, `Prefer: respond-async`).
fn prefers_a_job(request: &HttpRequest) -> bool {
    let named = request.headers().get_all("prefer");
    named
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|preference| {
            let name = preference.split([';', '=']).next().unwrap_or_default();
            name.trim().eq_ignore_ascii_case("respond-async")
        })
}

/// An answer per item, in the order sent.
#[derive(Serialize, utoipa::ToSchema)]
struct BatchResults {
    #[schema(value_type = Vec<BatchResult>)]
    results: Vec<ItemResult>,
}

/// What became of an item.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub(in crate::routes) enum ItemResult {
    Stored(Box<StoredItem>),
    Withdrawn(WithdrawnItem),
    Refused(RefusedItem),
}

impl ItemResult {
    /// Pseudonym; none of an item that could not be read, and none where the pseudonym is what is wrong.
    pub(super) fn case(&self) -> Option<&str> {
        match self {
            Self::Stored(item) => Some(item.stored.case()),
            Self::Withdrawn(item) => Some(&item.case),
            Self::Refused(item) => item.case.as_deref(),
        }
    }
}

/// What became of an item: stored, withdrawn, or refused with a problem.
#[derive(utoipa::ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "what the results are is said by their own types")]
enum BatchResult {
    Stored(StoredItem),
    Withdrawn(WithdrawnItem),
    Refused(RefusedItem),
}

/// An item that was stored.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(in crate::routes) struct StoredItem {
    #[serde(flatten)]
    stored: Stored,
    /// As alone: 201 or 200.
    status: u16,
}

/// An item that withdrew consent.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(in crate::routes) struct WithdrawnItem {
    /// Pseudonym.
    case: String,
    /// As alone: 201 or 200.
    status: u16,
    withdrawal: Withdrawal,
    unchanged: bool,
    warnings: Vec<Warning>,
}

/// An item that was refused, and why.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(in crate::routes) struct RefusedItem {
    /// Pseudonym; none of an item that could not be read, and none where the pseudonym is what is wrong.
    case: Option<String>,
    #[serde(flatten)]
    #[schema(value_type = crate::problem::Body)]
    problem: Value,
}

/// What is wrong with an item as a whole.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct ItemFault {
    /// Of the problem.
    code: &'static str,
    /// Of the item.
    pointer: String,
    message: String,
}

/// Create or replace many cases; an existing case is replaced, and a draft stays one. An item is a record, or `{case, envelope}` as the own
/// export writes it with `envelope=true`: then `envelope.version` must be the version there is (412 otherwise, unless nothing changes), and
/// `envelope.status` says whether it is a draft; findings point into `case`. `atomic=true` stores all or nothing. With `Prefer: respond-async`, and above
/// `limits.batch_job_items` items, the answer is a job (202): its counts grow item by item, its report has a line per item.
#[utoipa::path(post, path = "/api/v1/cases:batch", tag = "cases",
    params(("atomic" = Option<bool>, Query,), ("Idempotency-Key" = Option<String>, Header,),
        ("Change-Reason" = Option<String>, Header, description = "Why; for every case that is verified or locked"),
        ("Prefer" = Option<String>, Header, description = "`respond-async` for a job")),
    request_body(content = Vec<crate::routes::openapi::answers::CaseRecord>, content_type = "application/x-ndjson", description = "NDJSON or a JSON array of records"),
    responses((status = 200, description = "A result per item, in input order", body = BatchResults), (status = 202, description = "Begun: see the job", body = Job), (status = 413, description = "Too many items: send the batch in parts"),
        (status = 409, description = "To be a job while another job of the centre is under way"), (status = 422, description = "Atomic batch refused: nothing was stored")), security(("key" = [])))]
pub(super) async fn batch(
    caller: Allowed<Submits>,
    request: HttpRequest,
    options: web::Query<Options>,
    state: web::Data<AppState>,
    body: RawBody,
) -> Result<Reply, Problem> {
    let idempotent = Idempotent::read(&request, &body.bytes)?;
    let scope = caller.scope.clone();
    let atomic = options.atomic;
    let reason = header_text(&request, "change-reason")?;
    let shared = state.clone();
    let preferred = prefers_a_job(&request);
    Idempotent::once(idempotent, &state, &scope, move || {
        let items = items(&body, &shared.settings.limits)?;
        if preferred || items.len() > shared.settings.limits.batch_job_items {
            let job = BatchJob {
                state: shared,
                scope: caller.scope,
                items,
                atomic,
                reason,
            };
            let job = job.begin()?;
            let reply = Reply::json(202, &job)?.header("location", format!("/api/v1/jobs/{}", job.job_id));
            return Ok(if preferred {
                reply.header("preference-applied", "respond-async")
            } else {
                reply
            });
        }
        let mut room = MOST_LISTED;
        let results = store(
            &shared,
            &caller.scope,
            items,
            atomic,
            reason.as_deref(),
            &mut room,
        )?;
        Reply::json(200, &BatchResults { results })
    })
    .await
}

/// An item that was judged: what to store, or why not.
enum Judged {
    Put(Box<Verdict>),
    Withdraw(Box<Withdraw>, Dated),
    Refused(Box<Unsound>),
}

/// An item that cannot be stored, with the pseudonym it names.
struct Unsound {
    case: Option<String>,
    problem: Problem,
}

/// A record as an item of a batch holds it: alone, or with what the own export says about it.
pub(super) struct Sent {
    pub(super) document: Value,
    /// The version it was taken from.
    pub(super) version: Option<i64>,
    /// Whether it is a draft, where that is said.
    pub(super) draft: Option<bool>,
}

impl Sent {
    /// A record has no element `case`, so that one can be told from the other.
    pub(super) fn read(mut item: Value) -> Result<Self, Problem> {
        if !item.get("case").is_some_and(Value::is_object) {
            return Ok(Self {
                document: item,
                version: None,
                draft: None,
            });
        }
        let bad = |what: &str| Err(Problem::with(Kind::InvalidValue, what));
        let envelope = item.get("envelope");
        let said = |name: &str| {
            envelope
                .and_then(|of| of.get(name))
                .filter(|value| !value.is_null())
        };
        let version = match said("version").map(Value::as_i64) {
            None => None,
            Some(Some(version)) if version > 0 => Some(version),
            Some(_) => return bad("envelope.version: a whole number from 1"),
        };
        let status = said("status").map(|status| status.as_str().and_then(CaseStatus::parse));
        let draft = match status {
            None => None,
            Some(Some(status)) => Some(status == CaseStatus::Draft),
            Some(None) => return bad("envelope.status: draft, submitted, verified or locked"),
        };
        Ok(Self {
            document: item.get_mut("case").map(Value::take).unwrap_or_default(),
            version,
            draft,
        })
    }

    /// As the store is told of it.
    pub(super) fn incoming(self, reason: Option<&str>) -> Incoming {
        let pseudonym = pseudonym(&self.document).unwrap_or_default().to_owned();
        Incoming {
            pseudonym,
            body: self.document,
            precondition: self
                .version
                .map_or(Precondition::Whatever, Precondition::AtVersion),
            reason: reason.map(str::to_owned),
            draft: self.draft,
            assess: false,
            idempotent: None,
        }
    }
}

/// The pseudonym of a record.
pub(super) fn pseudonym(document: &Value) -> Option<&str> {
    document.pointer("/patient/pseudonym_id").and_then(Value::as_str)
}

/// What the store refuses, in the words of somebody who keeps files: which version theirs is of, and what to do.
pub(super) fn refusal(error: StoreError, precondition: &Precondition) -> Problem {
    let (StoreError::PreconditionFailed { etag }, Precondition::AtVersion(held)) = (&error, precondition)
    else {
        return error.into();
    };
    let there = etag.as_deref().unwrap_or_default().trim_start_matches('"');
    let there = there.split('.').next().unwrap_or_default();
    Problem::with(
        Kind::PreconditionFailed,
        format!(
            "The file holds version {held} of this case, and the registry has version {there}: it was changed after the file was made. \
             Export again and repeat the change there, or empty the version (case__version) to replace what is there."
        ),
    )
}

/// Judges and stores; an answer per item, in order. `reason`: why, for cases that are verified or locked; `room`: how many errors may still be
/// listed, of refused items together.
pub(in crate::routes) fn store(
    state: &AppState,
    scope: &Scope,
    items: Vec<Item>,
    atomic: bool,
    reason: Option<&str>,
    room: &mut usize,
) -> Result<Vec<ItemResult>, Problem> {
    let centres = state.centre_table()?;
    let each = listed_each(items.len());
    let mut puts: Vec<PutCase> = Vec::new();
    let mut judged = Vec::new();
    let mut errors: Vec<Value> = Vec::new();
    let mut further = 0;
    let prepared = in_order(items, |item| {
        prepare(state, scope, item, atomic, reason, &centres).map_err(|mut unsound| {
            unsound.problem.list_at_most(each);
            unsound
        })
    });
    for (n, admitted) in prepared.into_iter().enumerate() {
        judged.push(match admitted {
            Ok(Admitted::Case(put, verdict, _)) => {
                puts.push(*put);
                Judged::Put(verdict)
            }
            Ok(Admitted::Withdrawal(withdraw, dated)) => Judged::Withdraw(withdraw, dated),
            Err(mut unsound) => {
                unsound.problem.list_at_most(*room);
                *room -= unsound.problem.errors.len();
                if atomic {
                    further += unsound.problem.further_errors;
                    errors.extend(located(n, &unsound.problem));
                }
                Judged::Refused(unsound)
            }
        });
    }
    if atomic && !errors.is_empty() {
        return Err(Problem {
            errors,
            further_errors: further,
            ..Problem::new(Kind::BatchRefused)
        });
    }
    let named: Vec<_> = puts
        .iter()
        .map(|put| (put.pseudonym.clone(), put.precondition.clone()))
        .collect();
    let mut stored = state.store.put_cases(scope, puts, atomic)?.into_iter().zip(named);
    let mut results = Vec::new();
    for (n, one) in judged.into_iter().enumerate() {
        results.push(match one {
            Judged::Refused(unsound) => refused(unsound.case, &unsound.problem),
            // After the cases: whoever sends both in one batch has withdrawn.
            Judged::Withdraw(withdraw, dated) => {
                let case = withdraw.pseudonym.clone();
                match state.store.withdraw(scope, *withdraw) {
                    Ok(outcome) => {
                        discard_with(state, &outcome.case_id);
                        ItemResult::Withdrawn(WithdrawnItem {
                            case,
                            status: if outcome.created { 201 } else { 200 },
                            unchanged: outcome.unchanged,
                            warnings: said_of_date(&outcome, dated),
                            withdrawal: outcome.withdrawal,
                        })
                    }
                    Err(error) => refused(Some(case), &error.into()),
                }
            }
            Judged::Put(verdict) => match stored.next() {
                Some((Ok(outcome), (pseudonym, _))) => {
                    if outcome.reuse_ended {
                        discard_with(state, &outcome.case_id);
                    }
                    ItemResult::Stored(Box::new(StoredItem {
                        stored: stored_case(&pseudonym, &outcome, &verdict),
                        status: if outcome.created { 201 } else { 200 },
                    }))
                }
                Some((Err(error), (pseudonym, precondition))) => {
                    let problem = refusal(error, &precondition);
                    errors.extend(located(n, &problem));
                    refused(Some(pseudonym), &problem)
                }
                None => {
                    return Err(Problem::internal(
                        "the store answered fewer items than it was given",
                    ));
                }
            },
        });
    }
    if atomic && !errors.is_empty() {
        return Err(Problem {
            errors,
            ..Problem::new(Kind::BatchRefused)
        });
    }
    Ok(results)
}

/// Judges an item.
fn prepare(
    state: &AppState,
    scope: &Scope,
    item: Item,
    atomic: bool,
    reason: Option<&str>,
    centres: &registry_core::record::CentreTable,
) -> Result<Admitted, Box<Unsound>> {
    let unsound = |case: Option<String>, problem: Problem| Box::new(Unsound { case, problem });
    let document = item.document.map_err(|error| unsound(None, error.into()))?;
    let sent = Sent::read(document).map_err(|problem| unsound(None, problem))?;
    let case = pseudonym(&sent.document).map(str::to_owned);
    match admit(state, scope, sent.incoming(reason), centres) {
        Ok(Admitted::Withdrawal(..)) if atomic => Err(unsound(
            case,
            Problem::with(
                Kind::InvalidState,
                "a withdrawal cannot be part of an atomic batch: send it alone",
            ),
        )),
        admitted => admitted.map_err(|problem| unsound(case, problem)),
    }
}

fn refused(case: Option<String>, problem: &Problem) -> ItemResult {
    ItemResult::Refused(RefusedItem {
        case: case.filter(|case| may_be_repeated(case)),
        problem: problem.body(),
    })
}

/// The problem's findings with pointers into the batch (`/4711/patient/sex`); at least one per item.
fn located(n: usize, problem: &Problem) -> Vec<Value> {
    if problem.errors.is_empty() {
        return vec![json!(ItemFault {
            code: problem.kind.code(),
            pointer: format!("/{n}"),
            message: problem
                .detail
                .clone()
                .unwrap_or_else(|| problem.kind.title().to_owned()),
        })];
    }
    let mut errors = problem.errors.clone();
    for error in &mut errors {
        let pointer = error["pointer"].as_str().unwrap_or_default();
        error["pointer"] = json!(format!("/{n}{pointer}"));
    }
    errors
}
