//! Pages of a list, and the cursors that lead from one to the next.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::StoreError;
use super::identifiers::is_visible;

/// One page of a list and where the next one starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows of this page, in the list's order.
    pub items: Vec<T>,
    /// Opaque cursor of the next page; `None` on the last.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// How many rows to ask for so that [`Page::cut`] knows whether there are more.
    pub(crate) fn fetch(limit: usize) -> i64 {
        i64::try_from(limit).unwrap_or(i64::MAX - 1).saturating_add(1)
    }

    /// Cuts a page of `limit` from rows that were fetched with `limit + 1`.
    pub(crate) fn cut(mut rows: Vec<T>, limit: usize, cursor: impl Fn(&T) -> String) -> Self {
        let more = rows.len() > limit;
        rows.truncate(limit);
        let last = rows.last().filter(|_| more);
        let next = last.map(|row| URL_SAFE_NO_PAD.encode(cursor(row)));
        Self { items: rows, next }
    }

    /// One page of a list that is at hand as a whole: what follows the row that the cursor names.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`], also for a row that the list no longer has.
    pub fn of_whole(
        mut rows: Vec<T>,
        cursor: Option<&str>,
        limit: usize,
        name: impl Fn(&T) -> String,
    ) -> Result<Self, StoreError> {
        if let Some(last) = place(cursor)? {
            let at = rows.iter().position(|row| name(row) == last);
            rows.drain(..=at.ok_or(StoreError::BadCursor)?);
        }
        Ok(Self::cut(rows, limit, name))
    }

    /// The same page with its rows turned into something else.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(f).collect(),
            next: self.next,
        }
    }
}

/// The place in a list that a cursor stands for, as the list wrote it.
///
/// # Errors
/// [`StoreError::BadCursor`] for what no list has made.
pub(crate) fn place(cursor: Option<&str>) -> Result<Option<String>, StoreError> {
    let Some(cursor) = cursor else { return Ok(None) };
    let bytes = URL_SAFE_NO_PAD
        .decode(cursor)
        .map_err(|_| StoreError::BadCursor)?;
    let text = String::from_utf8(bytes).map_err(|_| StoreError::BadCursor)?;
    if is_visible(&text, 200) {
        Ok(Some(text))
    } else {
        Err(StoreError::BadCursor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(cursor: Option<&str>, limit: usize) -> Result<Page<u32>, StoreError> {
        Page::of_whole(vec![30, 20, 10], cursor, limit, u32::to_string)
    }

    #[test]
    fn a_cursor_leads_on_and_says_nothing() {
        let first = page(None, 2).expect("a page");
        let next = first.next.as_deref().expect("there is more");
        assert_eq!(first.items, [30, 20]);
        assert!(!next.contains("20"), "{next}");
        let last = page(Some(next), 2).expect("a page");
        assert_eq!((last.items, last.next), (vec![10], None));
        assert_eq!(page(None, 3).expect("a page").next, None);
    }

    #[test]
    fn what_no_list_has_made_is_refused() {
        // Not base64, a NUL, no UTF-8, and the name of a row that is not there.
        for cursor in ["20", "=", "AA", "_w", "NDA"] {
            assert_eq!(page(Some(cursor), 2), Err(StoreError::BadCursor), "{cursor}");
        }
    }
}
