//! What every list takes: `updated_since` (made or changed at that instant or later), and which page of it.

use actix_web::HttpRequest;
use chrono::{DateTime, Utc};
use registry_core::storage::Page;
use serde::{Deserialize, Serialize};

use super::Reply;
use crate::problem::{Kind, Problem};

/// Rows of a page unless fewer or more are asked for.
const USUAL: usize = 100;
/// Largest page.
const LARGEST: usize = 500;

/// The query of a list that the store reads as a whole.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Since {
    updated_since: Option<DateTime<Utc>>,
    cursor: Option<String>,
    limit: Option<usize>,
}

impl Since {
    /// Whether something with these instants, of its making and of what was done to it, is wanted.
    pub(crate) fn takes(&self, instants: &[Option<DateTime<Utc>>]) -> bool {
        self.updated_since
            .is_none_or(|since| instants.iter().flatten().max().is_some_and(|last| *last >= since))
    }

    /// The page of `rows` that is asked for; `id` tells them apart, `answer` is made of the page's rows and the cursor of the next.
    ///
    /// # Errors
    /// [`Kind::BadQuery`] for a limit that is none, or a cursor that is not of this list.
    pub(crate) fn page<T, A: Serialize>(
        &self,
        request: &Asked,
        rows: Vec<T>,
        id: impl Fn(&T) -> String,
        answer: impl FnOnce(Vec<T>, Option<String>) -> A,
    ) -> Result<Reply, Problem> {
        let limit = self.limit.unwrap_or(USUAL);
        if limit == 0 || limit > LARGEST {
            return Err(Problem::with(Kind::BadQuery, format!("limit: 1 to {LARGEST}")));
        }
        let page = Page::of_whole(rows, self.cursor.as_deref(), limit, id)?;
        let next = page.next.clone();
        let reply = Reply::json(200, &answer(page.items, page.next))?;
        Ok(reply.next_page_of(&request.path, &request.query, next.as_deref()))
    }
}

/// The address that was asked, for where a request itself cannot go.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    path: String,
    query: String,
}

impl Asked {
    /// Of a request.
    pub(crate) fn of(request: &HttpRequest) -> Self {
        Self {
            path: request.path().to_owned(),
            query: request.query_string().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_instant_decides() {
        let at = |text: &str| Some(text.parse::<DateTime<Utc>>().expect("an instant"));
        let since = Since {
            updated_since: at("2026-03-02T00:00:00Z"),
            ..Since::default()
        };
        let made = at("2026-03-01T00:00:00Z");
        assert!(Since::default().takes(&[]));
        assert!(!since.takes(&[]) && !since.takes(&[made, None]));
        assert!(since.takes(&[made, at("2026-03-02T00:00:00Z")]));
    }
}
