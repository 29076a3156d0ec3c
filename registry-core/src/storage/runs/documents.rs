//! Results of runs as their readers read them, kept in memory: a result never changes once it is stored, and pages ask for the same few again
//! and again.

use std::any::{Any, TypeId};
use std::sync::{Arc, Mutex};

use lru::LruCache;
use serde::de::DeserializeOwned;

use crate::access::Scope;
use crate::storage::{Store, StoreError};

/// Bytes of stored text behind what is kept; what was asked for longest ago goes first. Read, a document takes about as much as its text.
const MOST: usize = 64 << 20;

/// Run, kind, key, and what it was read as.
type Place = (i64, String, String, TypeId);

/// Documents asked for lately.
pub(crate) struct Documents(Mutex<Kept>);

struct Kept {
    by_place: LruCache<Place, (Arc<dyn Any + Send + Sync>, usize)>,
    bytes: usize,
    most: usize,
}

impl Default for Documents {
    fn default() -> Self {
        Self(Mutex::new(Kept::new(MOST)))
    }
}

impl Documents {
    /// After everything was removed from the database.
    pub(crate) fn forget(&self) {
        if let Ok(mut kept) = self.0.lock() {
            *kept = Kept::new(MOST);
        }
    }
}

impl Kept {
    fn new(most: usize) -> Self {
        Self {
            by_place: LruCache::unbounded(),
            bytes: 0,
            most,
        }
    }

    fn of<T: Send + Sync + 'static>(&mut self, place: &Place) -> Option<Arc<T>> {
        let (document, _) = self.by_place.get(place)?;
        Arc::clone(document).downcast().ok()
    }

    fn keep(&mut self, place: Place, document: Arc<dyn Any + Send + Sync>, bytes: usize) {
        if let Some((_, before)) = self.by_place.put(place, (document, bytes)) {
            self.bytes -= before;
        }
        self.bytes += bytes;
        while self.bytes > self.most
            && let Some((_, (_, gone))) = self.by_place.pop_lru()
        {
            self.bytes -= gone;
        }
    }
}

impl Store {
    /// One result, read. Who may read which run is decided by the caller.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; those of `serde_json` for a document of another format.
    pub fn run_document<T, E>(&self, scope: &Scope, run: i64, kind: &str, key: &str) -> Result<Arc<T>, E>
    where
        T: DeserializeOwned + Send + Sync + 'static,
        E: From<StoreError> + From<serde_json::Error>,
    {
        let place: Place = (run, kind.to_owned(), key.to_owned(), TypeId::of::<T>());
        let kept = &self.inner.documents.0;
        if let Ok(mut kept) = kept.lock()
            && let Some(found) = kept.of(&place)
        {
            return Ok(found);
        }
        let text = self.run_result(scope, run, kind, key)?;
        let document: Arc<T> = Arc::new(serde_json::from_str(&text)?);
        if let Ok(mut kept) = kept.lock() {
            kept.keep(place, Arc::clone(&document) as _, text.len());
        }
        Ok(document)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(run: i64) -> Place {
        (run, "overview".to_owned(), String::new(), TypeId::of::<String>())
    }

    #[test]
    fn what_was_asked_for_longest_ago_goes_first() {
        let mut kept = Kept::new(10);
        let document = |text: &str| Arc::new(text.to_owned());
        kept.keep(place(1), document("one"), 4);
        kept.keep(place(2), document("two"), 4);
        assert_eq!(kept.of::<String>(&place(1)).as_deref(), Some(&"one".to_owned()));
        kept.keep(place(3), document("three"), 5);
        assert!(kept.of::<String>(&place(2)).is_none());
        assert!(kept.of::<String>(&place(1)).is_some() && kept.of::<String>(&place(3)).is_some());
        // Again, by a second reader who missed it, too: counted once.
        kept.keep(place(3), document("three"), 5);
        assert_eq!(kept.bytes, 9);
        // Larger than all there is room for: not kept, and nothing else is lost count of.
        kept.keep(place(4), document("four"), 11);
        assert!(kept.of::<String>(&place(4)).is_none());
        assert_eq!(kept.bytes, 0);
    }
}
