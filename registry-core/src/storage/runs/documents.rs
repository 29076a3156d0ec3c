//! Results of runs as their readers read them, kept in memory: a result never changes once it is stored, and pages ask for the same few again
//! and again.

use std::any::{Any, TypeId};
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use lru::LruCache;
use serde::Serialize;
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

    /// What is kept of a run (its number, a kind and a key), or what `make` answers, with the bytes of its text.
    fn or_made<T: Send + Sync + 'static, E>(
        &self,
        (run, kind, key): (i64, &str, &str),
        make: impl FnOnce() -> Result<(T, usize), E>,
    ) -> Result<Arc<T>, E> {
        let place: Place = (run, kind.to_owned(), key.to_owned(), TypeId::of::<T>());
        if let Ok(mut kept) = self.0.lock()
            && let Some(found) = kept.of(&place)
        {
            return Ok(found);
        }
        let (made, bytes) = make()?;
        let document = Arc::new(made);
        if let Ok(mut kept) = self.0.lock() {
            kept.keep(place, Arc::clone(&document) as _, bytes);
        }
        Ok(document)
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
        self.inner.documents.or_made((run, kind, key), || {
            let text = self.run_result(scope, run, kind, key)?;
            Ok((serde_json::from_str(&text)?, text.len()))
        })
    }

    /// What follows from the results of a run and from nothing else, made once by `make`: `key` says everything it depends on besides the run,
    /// and is none that a stored result of the same kind has.
    ///
    /// # Errors
    /// Those of `make`, and of `serde_json` for what cannot be written.
    pub fn derived_from_run<T, E>(
        &self,
        run: i64,
        kind: &str,
        key: &str,
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<Arc<T>, E>
    where
        T: Serialize + Send + Sync + 'static,
        E: From<serde_json::Error>,
    {
        self.inner.documents.or_made((run, kind, key), || {
            let made = make()?;
            let mut text = Length(0);
            serde_json::to_writer(&mut text, &made)?;
            Ok((made, text.0))
        })
    }
}

/// How long a text would be.
struct Length(usize);

impl Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(run: i64) -> Place {
        (run, "overview".to_owned(), String::new(), TypeId::of::<String>())
    }

    #[test]
    fn what_is_kept_is_made_once() {
        let documents = Documents::default();
        let of = |key: &str, made: Result<&str, ()>| {
            documents.or_made((1, "overview", key), || Ok((made?.to_owned(), 3)))
        };
        assert_eq!(of("C01", Err(())), Err(()));
        assert_eq!(of("C01", Ok("one")).as_deref(), Ok(&"one".to_owned()));
        assert_eq!(of("C01", Ok("two")).as_deref(), Ok(&"one".to_owned()));
        assert_eq!(of("C02", Ok("two")).as_deref(), Ok(&"two".to_owned()));
        documents.forget();
        assert_eq!(of("C01", Ok("three")).as_deref(), Ok(&"three".to_owned()));
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
