//! `PATCH /api/v1/cases/{pseudonym}`: an RFC 7396 merge patch of the current version.

use actix_web::{HttpRequest, web};
use registry_core::intake;
use registry_core::storage::Precondition;
use serde::Deserialize;
use serde_json::Value;

use super::{not_found, precondition};
use crate::guard::{Allowed, Json, Submits};
use crate::problem::{Kind, Problem};
use crate::routes::{Idempotent, Reply, header_text};
use crate::state::{AppState, blocking};
use crate::submission::{AnswerToRecord, Incoming, submit};

/// How to answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    /// Answer with the assessment of the changed case: met, not met or not assessable, and the care gaps, those still open in time first.
    #[serde(default)]
    assess: bool,
}

/// Change what the patch names; the result is judged like a whole record. Needs `If-Match`.
#[utoipa::path(patch, path = "/api/v1/cases/{pseudonym}", tag = "cases",
    params(("pseudonym" = String, Path,), ("assess" = Option<bool>, Query, description = "With the assessment of the case: lines (met, not met, or not assessable with reason and element) and care_gaps"), ("If-Match" = String, Header,), ("Change-Reason" = Option<String>, Header,), ("Idempotency-Key" = Option<String>, Header,)),
    request_body(content = crate::routes::openapi::answers::CasePatch, content_type = "application/merge-patch+json", description = "RFC 7396 merge patch; null removes a key, an array replaces the whole array"),
    responses((status = 200, description = "Changed, or unchanged", body = AnswerToRecord), (status = 404, description = "No such case here"), (status = 412, description = "Not at the named version"),
        (status = 422, description = "Refused, with every finding"), (status = 428, description = "If-Match is missing")),
    security(("key" = [])))]
pub(super) async fn patch(
    caller: Allowed<Submits>,
    request: HttpRequest,
    pseudonym: web::Path<String>,
    options: web::Query<Options>,
    state: web::Data<AppState>,
    body: Json,
) -> Result<Reply, Problem> {
    let wanted = precondition(&request)?;
    let reason = header_text(&request, "change-reason")?;
    let idempotent = Idempotent::read(&request, &body.bytes)?;
    blocking(move || {
        let current = state
            .store
            .get_case(&caller.scope, &pseudonym)
            .map_err(not_found)?;
        let etag = current.row.etag.clone();
        match &wanted {
            Precondition::None | Precondition::Whatever | Precondition::AtVersion(_) => {
                return Err(Problem::new(Kind::PreconditionRequired).header("etag", etag));
            }
            Precondition::IfNoneMatchAny => {
                return Err(Problem::new(Kind::PreconditionFailed).header("etag", etag));
            }
            // Under an idempotency key this may be a repeat of a change that moved the case on: the store knows.
            Precondition::IfMatch(tags) if !tags.contains(&etag) && idempotent.is_none() => {
                return Err(Problem::new(Kind::PreconditionFailed).header("etag", etag));
            }
            Precondition::IfMatch(_) | Precondition::IfMatchAny => {}
        }
        // The version that was read is the one that is replaced: nothing is lost in between.
        let precondition = match wanted {
            Precondition::IfMatch(tags) if !tags.contains(&etag) => Precondition::IfMatch(tags),
            _ => Precondition::IfMatch(vec![etag]),
        };
        let mut document = current.document;
        merge(&mut document, body.value);
        let document = intake::within(document, state.settings.limits.record_bytes)?;
        let incoming = Incoming {
            pseudonym: pseudonym.into_inner(),
            body: document,
            precondition,
            reason,
            draft: None,
            assess: options.assess,
            idempotent,
        };
        submit(&state, &caller.scope, incoming)
    })
    .await
}

/// RFC 7396, section 2.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(changes) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(fields) = target else { return };
    for (key, change) in changes {
        if change.is_null() {
            fields.remove(&key);
        } else {
            merge(fields.entry(key).or_insert(Value::Null), change);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::merge;
    use serde_json::json;

    /// The table of RFC 7396, appendix A.
    #[test]
    fn merges_as_the_rfc_says() {
        for (original, patch, result) in [
            (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
            (json!({"a":"b"}), json!({"a":null}), json!({})),
            (json!({"a":"b","b":"c"}), json!({"a":null}), json!({"b":"c"})),
            (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"c"}), json!({"a":["b"]}), json!({"a":["b"]})),
            (
                json!({"a":{"b":"c"}}),
                json!({"a":{"b":"d","c":null}}),
                json!({"a":{"b":"d"}}),
            ),
            (json!({"a":[{"b":"c"}]}), json!({"a":[1]}), json!({"a":[1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a":"b"}), json!(["c"]), json!(["c"])),
            (json!({"a":"foo"}), json!(null), json!(null)),
            (json!({"a":"foo"}), json!("bar"), json!("bar")),
            (json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1})),
            (json!([1, 2]), json!({"a":"b","c":null}), json!({"a":"b"})),
            (
                json!({}),
                json!({"a":{"bb":{"ccc":null}}}),
                json!({"a":{"bb":{}}}),
            ),
        ] {
            let mut target = original.clone();
            merge(&mut target, patch.clone());
            assert_eq!(target, result, "{original} with {patch}");
        }
    }
}
