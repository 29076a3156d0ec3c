//! Signing a run off: what of it may be shown beside the runs published before is worked out and kept with it.

use std::sync::Arc;

use registry_core::access::Scope;
use registry_core::storage::{Publication, Run, RunResult, RunStatus, Store, StoreError};
use serde::Serialize;

use super::{Reader, RunError};
use crate::disclosure::{
    Audience, Published, adherence_beside, overview_beside, quality_beside, rows_in_place, survival_beside,
};
use crate::measures::{adherence::AggregateError, funnels};
use crate::results::kind;

/// Audiences that read stored documents, by their keys.
pub(super) const AUDIENCES: [(Audience, &str); 2] =
    [(Audience::Committee, "committee"), (Audience::Public, "public")];

/// Signs a finished run off. Runs published at the same time do not know of each other: the second is refused and can be published again.
///
/// # Errors
/// Those of the store: no such run, no results, not allowed, another run published meanwhile; a result of another format.
pub fn publish(store: &Store, scope: &Scope, number: i64) -> Result<Run, RunError> {
    let run = store.run(scope, number)?;
    let mut earlier = store.list_runs(scope)?;
    earlier.retain(|other| other.published_at.is_some() && other.number != number);
    let mut publication = Publication {
        beside: earlier.iter().map(|other| other.number).collect(),
        results: Vec::new(),
    };
    let open = run.status == RunStatus::Finished && run.published_at.is_none();
    if open && !earlier.is_empty() {
        let new = Reader::new(store, scope, &run);
        let earlier: Vec<Reader<'_>> = earlier.iter().map(|run| Reader::new(store, scope, run)).collect();
        publication.results = beside(&new, &earlier)?;
    }
    Ok(store.publish_run(scope, number, publication)?)
}

/// What every audience may see of a run beside earlier ones.
fn beside(new: &Reader<'_>, earlier: &[Reader<'_>]) -> Result<Vec<RunResult>, RunError> {
    let mut results = Vec::new();
    let limits = new.thresholds();
    for (audience, key) in AUDIENCES {
        let both = |reader: &Reader<'_>| {
            Ok::<_, RunError>(Published {
                exact: reader.exact_adherence()?,
                shown: Arc::unwrap_or_clone(reader.adherence_as_stored(&audience)?),
            })
        };
        let then = earlier.iter().map(both).collect::<Result<Vec<_>, _>>()?;
        let mut table = adherence_beside(&both(new)?, &then, &audience, limits);
        results.push(result(kind::ADHERENCE, key, &table)?);
        rows_in_place(&mut table);
        let funnels = funnels(&table).map_err(AggregateError::from)?;
        results.push(result(kind::FUNNELS, key, &funnels)?);
        let both = |reader: &Reader<'_>| {
            Ok::<_, RunError>(Published {
                exact: reader.overview(&Audience::Exact)?,
                shown: reader.overview(&audience)?,
            })
        };
        let then = earlier.iter().map(both).collect::<Result<Vec<_>, _>>()?;
        let overview = overview_beside(&both(new)?, &then, &audience, limits);
        results.push(result(kind::OVERVIEW, key, &overview)?);
        let both = |reader: &Reader<'_>| {
            Ok::<_, RunError>(Published {
                exact: reader.quality(&Audience::Exact)?,
                shown: reader.quality(&audience)?,
            })
        };
        let then = earlier.iter().map(both).collect::<Result<Vec<_>, _>>()?;
        let quality = quality_beside(&both(new)?, &then, &audience, limits);
        results.push(result(kind::QUALITY, key, &quality)?);
        for endpoint in new.endpoint_keys()? {
            let both = |reader: &Reader<'_>| {
                Ok::<_, RunError>(Published {
                    exact: reader.exact_survival(&endpoint)?,
                    shown: reader.survival_as_stored(&endpoint, &audience)?,
                })
            };
            let mut then = Vec::new();
            for reader in earlier {
                // An endpoint that did not exist then has nothing to stand beside.
                match both(reader) {
                    Ok(found) => then.push(found),
                    Err(RunError::Store(StoreError::NotFound)) => {}
                    Err(error) => return Err(error),
                }
            }
            let shown = survival_beside(&both(new)?, &then, &audience, limits);
            let of = format!("{}/{endpoint}", kind::SURVIVAL);
            results.push(result(&of, key, &shown)?);
        }
    }
    Ok(results)
}

fn result(of: &str, audience: &str, body: &impl Serialize) -> Result<RunResult, RunError> {
    Ok(RunResult {
        kind: kind::BESIDE.to_owned(),
        key: format!("{of}/{audience}"),
        body: serde_json::to_string(body)?,
    })
}
