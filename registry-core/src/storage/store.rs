//! The store itself: opening, migrating, asking whether it is there, reading and writing.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use diesel::prelude::*;

use super::connection::{Conn, Rights, on_conn};
use super::error::{Outage, StoreError};
use super::keyring::Keyring;
use super::migrations;
use super::once::Around;
use super::options::StoreOptions;
use super::runs::Documents;
use super::tables::{cases, master_keys, secrets};
use super::target::Target;
use super::transaction::{Event, Tx, set_context};
use super::writer::{Context, Writer, end_badly};
use crate::access::{Passwords, Role, Scope};
use crate::clock::{Clock, Entropy};
use crate::crypto::MasterKey;

/// The registry's memory. Cheap to clone; all clones share connections and the writer.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
    /// What is done around the next change, see [`super::Once`].
    around: Option<Arc<dyn Around>>,
}

pub(crate) struct Inner {
    pub(crate) context: Arc<Context>,
    master: std::sync::Mutex<MasterKey>,
    pub(crate) passwords: Passwords,
    writer: Writer,
    /// Results of runs read lately.
    pub(crate) documents: Documents,
}

impl Store {
    /// Opens the database. On a migrated database the master key is checked here; on an empty one call
    /// [`Store::migrate`] next.
    ///
    /// # Errors
    /// [`StoreError::Options`] for a URL that cannot be used, [`StoreError::Unavailable`] when the database does not
    /// answer, [`StoreError::WrongMasterKey`].
    pub fn open(
        options: StoreOptions,
        key: MasterKey,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, StoreError> {
        let context = Arc::new(Context::new(&options, clock, entropy)?);
        let mut owner = context.dialer().dial(Rights::Owner)?;
        if migrations::is_current(&mut owner.conn)? {
            context.set_keys(Some(migrations::open_keys(&mut owner.conn, &key)?));
        }
        Ok(Self {
            inner: Arc::new(Inner {
                writer: Writer::start(context.clone())?,
                context,
                master: std::sync::Mutex::new(key),
                passwords: Passwords::default(),
                documents: Documents::default(),
            }),
            around: None,
        })
    }

    /// The same store, doing something around its next change.
    pub(crate) fn with(&self, around: Arc<dyn Around>) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            around: Some(around),
        }
    }

    /// Applies the pending migrations, each in a transaction of its own, and puts the keys in place (PostgreSQL: the
    /// URL's role must own the database). Returns the names of the migrations applied.
    ///
    /// # Errors
    /// A migration that fails is rolled back and the ones before it stay; running again completes.
    pub fn migrate(&self) -> Result<Vec<String>, StoreError> {
        let context = &self.inner.context;
        let master = self.master()?;
        let mut owner = context.dialer().dial(Rights::Owner)?;
        if let Conn::Sqlite(_) = owner.conn {
            owner.conn.run("PRAGMA journal_mode = WAL")?;
        }
        let done = migrations::apply(&mut owner.conn)?;
        migrations::install_keys(&mut owner.conn, context, &master)?;
        context.set_keys(Some(migrations::open_keys(&mut owner.conn, &master)?));
        Ok(done)
    }

    /// Reverts every migration, newest first. For tests and for taking a registry down: everything is gone.
    ///
    /// # Errors
    /// As [`Store::migrate`].
    pub fn revert_all(&self) -> Result<Vec<String>, StoreError> {
        let context = &self.inner.context;
        let mut owner = context.dialer().dial(Rights::Owner)?;
        context.set_keys(None);
        self.inner.documents.forget();
        migrations::revert(&mut owner.conn)
    }

    /// True when exactly this program's migrations are applied.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the database does not answer.
    pub fn is_migrated(&self) -> Result<bool, StoreError> {
        if self.inner.context.keys().is_ok() {
            // On a connection of the pool: whoever probes makes no new one.
            return self.read(&Scope::system("readiness"), |conn, _| {
                migrations::is_current(conn)
            });
        }
        let mut link = self.inner.context.dialer().dial(Rights::Owner)?;
        let current = migrations::is_current(&mut link.conn)?;
        if current {
            let keys = migrations::open_keys(&mut link.conn, &self.master()?)?;
            self.inner.context.set_keys(Some(keys));
        }
        Ok(current)
    }

    /// Asks the database for a sign of life, with the rights of the service.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] says why there is none.
    pub fn ping(&self) -> Result<(), StoreError> {
        let mut link = self.inner.context.checkout()?;
        let answer = link.conn.run("SELECT 1");
        link.broken |= answer.is_err();
        answer
    }

    /// Whether the database may be changed now; nothing is written to find out.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] says why not: of one that is read-only, reading goes on.
    pub fn takes_changes(&self) -> Result<(), StoreError> {
        self.inner.context.checkout()?.takes_changes()
    }

    /// True on PostgreSQL, false on SQLite.
    pub fn is_postgres(&self) -> bool {
        matches!(self.inner.context.dialer().target(), Target::Postgres(_))
    }

    /// Brings what SQLite's write-ahead log holds into the file, and empties the log: it keeps pages as they were before an erasure.
    /// While somebody reads it for longer than a second, the log stays, and this is false: [`Store::log_is_due`] until another time does it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn write_back(&self) -> Result<bool, StoreError> {
        let context = &self.inner.context;
        // Taken back before it is tried: what another finds in its way meanwhile must not be forgotten.
        context.log_is_due.store(false, Ordering::SeqCst);
        let emptied = if self.is_postgres() {
            Ok(true)
        } else {
            context.empty_log()
        };
        if !matches!(emptied, Ok(true)) {
            context.log_is_due.store(true, Ordering::SeqCst);
        }
        emptied
    }

    /// Whether the log was to be emptied and could not be.
    pub fn log_is_due(&self) -> bool {
        self.inner.context.log_is_due.load(Ordering::SeqCst)
    }

    /// A key for one purpose, made from the registry's own secret: the same under every master key that wraps it, and in a restored copy.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] of a database that is not migrated: it has no secret yet.
    pub fn derived_key(&self, purpose: &str) -> Result<[u8; 32], StoreError> {
        Ok(self.inner.context.keys()?.derived(purpose))
    }

    /// Rewraps the registry's secret and every case key under `new`, in one transaction. Afterwards only `new` opens
    /// the database; other processes must be restarted with it. Returns the number of case keys.
    ///
    /// # Errors
    /// On any error everything stays under the old key.
    pub fn rotate_master_key(&self, scope: &Scope, new: MasterKey) -> Result<usize, StoreError> {
        require(scope, scope.role() == Role::System, "rotate the master key")?;
        let context = self.inner.context.clone();
        let next = new.clone();
        let rewrapped = self.write(scope, move |tx| rewrap_all(tx, &context, &next))?;
        let keys = self.inner.context.keys()?;
        self.inner.context.set_keys(Some(keys.under(new.clone())));
        if let Ok(mut master) = self.inner.master.lock() {
            *master = new;
        }
        Ok(rewrapped)
    }

    fn master(&self) -> Result<MasterKey, StoreError> {
        self.inner
            .master
            .lock()
            .map(|master| master.clone())
            .map_err(|_| StoreError::Internal("the master key is not at hand".to_owned()))
    }

    /// Has work done in a writing transaction; see [`Writer`].
    pub(crate) fn write<T, F>(&self, scope: &Scope, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let Some(around) = self.around.clone() else {
            return self.inner.writer.write(scope, Vec::new(), work);
        };
        let mut work = work;
        self.inner.writer.write(scope, Vec::new(), move |tx| {
            let events = tx.events();
            around.before(tx)?;
            let outcome = work(tx)?;
            around.after(tx, &outcome, events)?;
            Ok(outcome)
        })
    }

    /// The same for work that submits cases: which pseudonyms, so that they are looked up together with those of others.
    pub(crate) fn write_submissions<'p, T, F>(
        &self,
        scope: &Scope,
        pseudonyms: impl IntoIterator<Item = &'p str>,
        work: F,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let keys = self.inner.context.keys()?;
        let submits = pseudonyms.into_iter().map(|p| keys.pseudonym_mac(p).to_vec());
        self.inner.writer.write(scope, submits.collect(), work)
    }

    /// Reads in one transaction (one snapshot) as the scope sees it.
    pub(crate) fn read<T>(
        &self,
        scope: &Scope,
        work: impl FnOnce(&mut Conn, &Keyring) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let keys = self.inner.context.keys()?;
        let mut link = self.inner.context.checkout()?;
        let begin = match link.conn {
            Conn::Sqlite(_) => "BEGIN",
            Conn::Postgres(_) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        let result = link
            .conn
            .run(begin)
            .and_then(|()| set_context(&mut link.conn, scope.role(), scope.centre()))
            .and_then(|()| work(&mut link.conn, &keys))
            .and_then(|value| link.conn.run("COMMIT").map(|()| value));
        if result.is_err() {
            end_badly(&mut link);
        }
        result
    }

    /// Records a reading. When the disk is full, reading goes on: the event is kept and written with the next commit.
    pub(crate) fn record_reading(&self, scope: &Scope, event: Event<'_>) -> Result<(), StoreError> {
        let context = &self.inner.context;
        let event = event.by(scope, super::identifiers::now(context.clock.as_ref()));
        let again = event.clone();
        let written = self.inner.writer.write(scope, Vec::new(), move |tx| {
            tx.append(event.clone());
            Ok(())
        });
        match written {
            Err(StoreError::Unavailable(Outage::Full | Outage::ReadOnly)) if context.defer(&again) => {
                tracing::warn!(
                    "the database takes no events now: a reading is kept in memory and recorded later"
                );
                Ok(())
            }
            other => other,
        }
    }
}

/// Refuses a role that may not do this.
pub(crate) fn require(scope: &Scope, allowed: bool, action: &'static str) -> Result<(), StoreError> {
    if allowed {
        Ok(())
    } else {
        Err(StoreError::Forbidden {
            role: scope.role().as_str(),
            action,
        })
    }
}

fn rewrap_all(tx: &mut Tx<'_>, context: &Context, new: &MasterKey) -> Result<usize, StoreError> {
    let next = tx.keys.under(new.clone());
    let secret = migrations::rewrapped_secret(tx.entropy, tx.keys, new)?;
    on_conn!(tx.conn()?, c => diesel::update(secrets::table).set(secrets::wrapped.eq(&secret)).execute(c))?;
    on_conn!(tx.conn()?, c => diesel::delete(master_keys::table).execute(c))?;
    let row = migrations::check_row(context, new)?;
    on_conn!(tx.conn()?, c => diesel::insert_into(master_keys::table).values(&row).execute(c))?;
    let query = cases::table
        .select((
            cases::centre_id,
            cases::case_id,
            cases::wrapped_key.assume_not_null(),
        ))
        .filter(cases::wrapped_key.is_not_null())
        .order((cases::centre_id, cases::case_id));
    let all = on_conn!(tx.conn()?, c => query.load::<(String, String, Vec<u8>)>(c))?;
    for (centre, case_id, wrapped) in &all {
        let key = tx.keys.open_case_key(centre, case_id, wrapped)?;
        let wrapped = next.wrap_case_key(tx.entropy, centre, case_id, &key)?;
        let row = cases::table.find((centre, case_id));
        on_conn!(tx.conn()?, c => diesel::update(row).set(cases::wrapped_key.eq(&wrapped)).execute(c))?;
    }
    tx.audit(
        Event::new("master_key.rotate")
            .detail("old_key", tx.keys.master().id())
            .detail("new_key", new.id())
            .detail("case_keys", all.len()),
    );
    Ok(all.len())
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.is_postgres() {
            "Store(PostgreSQL)"
        } else {
            "Store(SQLite)"
        })
    }
}
