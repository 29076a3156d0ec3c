//! The one writer of a process. Work that arrives together shares one transaction and one durable commit; each piece
//! has a savepoint of its own and is acknowledged, after the commit, or refused on its own.
//!
//! SQLite has one writer anyway; on PostgreSQL every writing transaction locks the head of the audit chain, so sharing
//! a commit is what keeps the chain from costing one disk flush per submission.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use super::connection::{Conn, Dialer, Link};
use super::error::{Outage, StoreError};
use super::filed::Known;
use super::keyring::Keyring;
use super::options::StoreOptions;
use super::transaction::{Ledger, Tx, context as context_of};
use crate::access::{Role, Scope};
use crate::audit::AuditEvent;
use crate::clock::{Clock, Entropy};

/// Most pieces of work that share a commit.
const GROUP: usize = 64;
/// How long readers are waited for before the log is left as it is for now: as long nobody writes.
const LOG_PATIENCE: Duration = Duration::from_secs(1);
/// Most events kept in memory while the disk is full.
const DEFERRED: usize = 10_000;

/// What reader and writer need.
pub(crate) struct Context {
    readers: r2d2::Pool<Dialer>,
    /// One connection of its own: readers never keep the writer waiting.
    writer: r2d2::Pool<Dialer>,
    pub(crate) keys: RwLock<Option<Arc<Keyring>>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    /// Readings that could not be recorded because the disk was full: written with the next commit.
    deferred: Mutex<Vec<AuditEvent>>,
    dialer: Dialer,
    /// The write-ahead log holds pages as they were before an erasure.
    pub(crate) log_is_due: AtomicBool,
}

fn busy_timeout(patience: Duration) -> String {
    format!("PRAGMA busy_timeout = {}", patience.as_millis())
}

impl Context {
    pub(crate) fn new(
        options: &StoreOptions,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, StoreError> {
        let pool = |size: u32| -> Result<r2d2::Pool<Dialer>, StoreError> {
            Ok(r2d2::Pool::builder()
                .max_size(size)
                .min_idle(Some(0))
                .test_on_check_out(true)
                .connection_timeout(options.connection_timeout)
                .error_handler(Box::new(r2d2::NopErrorHandler))
                .build_unchecked(Dialer::new(options)?))
        };
        Ok(Self {
            readers: pool(options.pool_size.max(1))?,
            writer: pool(1)?,
            keys: RwLock::new(None),
            clock,
            entropy,
            deferred: Mutex::new(Vec::new()),
            dialer: Dialer::new(options)?,
            log_is_due: AtomicBool::new(false),
        })
    }

    pub(crate) fn dialer(&self) -> &Dialer {
        &self.dialer
    }

    /// A connection for reading.
    pub(crate) fn checkout(&self) -> Result<r2d2::PooledConnection<Dialer>, StoreError> {
        self.readers.get().map_err(|_| self.failure_of(&self.readers))
    }

    /// Empties the write-ahead log of SQLite; false when a reader still needed it after [`LOG_PATIENCE`].
    pub(crate) fn empty_log(&self) -> Result<bool, StoreError> {
        let mut link = self.writer.get().map_err(|_| self.failure_of(&self.writer))?;
        let patience = self.dialer.patience();
        link.conn.run(&busy_timeout(patience.min(LOG_PATIENCE)))?;
        let emptied = link.conn.checkpoint();
        let restored = link.conn.run(&busy_timeout(patience));
        link.broken |= restored.is_err();
        emptied
    }

    fn failure_of(&self, pool: &r2d2::Pool<Dialer>) -> StoreError {
        if pool.state().connections > 0 {
            return StoreError::Unavailable(Outage::Busy);
        }
        // The pool keeps the reason only as a text; ask once more.
        match self.dialer.dial(super::connection::Rights::Service) {
            Err(error) => error,
            Ok(_) => StoreError::Unavailable(Outage::Busy),
        }
    }

    pub(crate) fn keys(&self) -> Result<Arc<Keyring>, StoreError> {
        self.keys
            .read()
            .ok()
            .and_then(|keys| keys.clone())
            .ok_or(StoreError::Unavailable(Outage::NotMigrated))
    }

    pub(crate) fn set_keys(&self, keys: Option<Keyring>) {
        if let Ok(mut place) = self.keys.write() {
            *place = keys.map(Arc::new);
        }
    }

    /// Keeps an event for the next commit; false when there is no more room.
    pub(crate) fn defer(&self, event: &AuditEvent) -> bool {
        self.deferred.lock().is_ok_and(|mut deferred| {
            let room = deferred.len() < DEFERRED;
            if room {
                deferred.push(event.clone());
            }
            room
        })
    }

    fn take_deferred(&self) -> Vec<AuditEvent> {
        self.deferred
            .lock()
            .map(|mut deferred| std::mem::take(&mut *deferred))
            .unwrap_or_default()
    }

    fn put_back(&self, mut events: Vec<AuditEvent>) {
        if let Ok(mut deferred) = self.deferred.lock() {
            events.append(&mut deferred);
            *deferred = events;
        }
    }
}

/// A piece of work: may run more than once (in a group, then alone), is settled once.
trait Work: Send {
    fn scope(&self) -> &Scope;
    /// Keyed hashes of the pseudonyms it submits; empty when it is no submission.
    fn submits(&self) -> &[Vec<u8>];
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), StoreError>;
    fn settle(self: Box<Self>, outcome: Result<(), StoreError>);
}

struct Piece<T, F> {
    scope: Scope,
    submits: Vec<Vec<u8>>,
    work: F,
    value: Option<T>,
    reply: SyncSender<Settled<T, F>>,
}

/// The answer, and the work back: what it holds is given up by the thread that made it, not by the one all wait for.
type Settled<T, F> = (Result<T, StoreError>, F);

impl<T: Send, F> Work for Piece<T, F>
where
    F: FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send,
{
    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn submits(&self) -> &[Vec<u8>] {
        &self.submits
    }

    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        self.value = None;
        // A fault of one piece must not take the writer along.
        let result = catch_unwind(AssertUnwindSafe(|| (self.work)(tx)))
            .unwrap_or_else(|_| Err(StoreError::Internal("a piece of work panicked".to_owned())));
        self.value = Some(result?);
        Ok(())
    }

    fn settle(self: Box<Self>, outcome: Result<(), StoreError>) {
        let Self {
            work, value, reply, ..
        } = *self;
        let missing = || StoreError::Internal("work without a value".to_owned());
        // Whoever asked may have gone; the commit stands.
        let _ = reply.send((outcome.and_then(|()| value.ok_or_else(missing)), work));
    }
}

/// The thread that writes, and the way to it. Dropping it finishes what is queued.
pub(crate) struct Writer {
    queue: Mutex<Option<Sender<Box<dyn Work>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(crate) fn start(context: Arc<Context>) -> Result<Self, StoreError> {
        let (queue, work) = channel();
        let thread = std::thread::Builder::new()
            .name("registry-writer".to_owned())
            .spawn(move || serve(&context, &work))
            .map_err(|_| StoreError::Unavailable(Outage::Busy))?;
        Ok(Self {
            queue: Mutex::new(Some(queue)),
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Has `work` done and committed; blocks until then. `submits`: keyed hashes of the pseudonyms it submits.
    pub(crate) fn write<T, F>(&self, scope: &Scope, submits: Vec<Vec<u8>>, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let (reply, answer) = sync_channel(1);
        let piece = Box::new(Piece {
            scope: scope.clone(),
            submits,
            work,
            value: None,
            reply,
        });
        let queue = self
            .queue
            .lock()
            .ok()
            .and_then(|queue| queue.clone())
            .ok_or(StoreError::Unavailable(Outage::Busy))?;
        queue
            .send(piece)
            .map_err(|_| StoreError::Unavailable(Outage::Busy))?;
        drop(queue);
        match answer.recv() {
            Ok((result, _)) => result,
            Err(_) => Err(StoreError::Unavailable(Outage::Busy)),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Ok(mut queue) = self.queue.lock() {
            queue.take();
        }
        if let Some(thread) = self.thread.lock().ok().and_then(|mut thread| thread.take())
            && thread.thread().id() != std::thread::current().id()
        {
            let _ = thread.join();
        }
    }
}

fn serve(context: &Context, queue: &Receiver<Box<dyn Work>>) {
    while let Ok(first) = queue.recv() {
        let mut group = vec![first];
        while group.len() < GROUP
            && let Ok(next) = queue.try_recv()
        {
            group.push(next);
        }
        let outcomes = catch_unwind(AssertUnwindSafe(|| attempt(context, &mut group)))
            .unwrap_or_else(|_| Err(StoreError::Internal("the writer panicked".to_owned())));
        match outcomes {
            Ok(outcomes) => {
                for (piece, outcome) in group.into_iter().zip(outcomes) {
                    piece.settle(outcome);
                }
            }
            Err(error) if group.len() > 1 && may_go_alone(&error) => {
                for piece in group {
                    let mut alone = vec![piece];
                    let outcome = attempt(context, &mut alone);
                    for (piece, outcome) in alone.into_iter().zip(outcome.unwrap_or_else(|e| vec![Err(e)])) {
                        piece.settle(outcome);
                    }
                }
            }
            Err(error) => {
                for piece in group {
                    piece.settle(Err(error.clone()));
                }
            }
        }
    }
}

/// A group that failed as a whole is tried piece by piece, unless nobody knows whether its commit went through.
fn may_go_alone(error: &StoreError) -> bool {
    !matches!(
        error,
        StoreError::Unavailable(Outage::Unreachable | Outage::Missing | Outage::NotMigrated | Outage::Busy)
    )
}

/// Runs a group in one transaction: an outcome per piece once committed, or an error when nothing was.
fn attempt(
    context: &Context,
    group: &mut [Box<dyn Work>],
) -> Result<Vec<Result<(), StoreError>>, StoreError> {
    let keys = context.keys()?;
    let mut link = context
        .writer
        .get()
        .map_err(|_| context.failure_of(&context.writer))?;
    if !link.conn.is_postgres() {
        link.takes_changes()?;
    }
    let deferred = context.take_deferred();
    let result = in_transaction(&mut link, context, &keys, group, &deferred);
    if result.is_err() {
        context.put_back(deferred);
        end_badly(&mut link);
    }
    result
}

/// Rolls back; a connection on which that fails is not used again.
pub(crate) fn end_badly(link: &mut Link) {
    let ended = link.conn.run("ROLLBACK");
    // SQLite may have rolled back by itself (full disk); then there is nothing to end.
    link.broken |= ended.is_err() && link.conn.is_postgres();
}

fn in_transaction(
    link: &mut Link,
    context: &Context,
    keys: &Keyring,
    group: &mut [Box<dyn Work>],
    deferred: &[AuditEvent],
) -> Result<Vec<Result<(), StoreError>>, StoreError> {
    let conn = &mut link.conn;
    conn.run(&match conn {
        Conn::Sqlite(_) => "BEGIN IMMEDIATE".to_owned(),
        Conn::Postgres(_) => format!("BEGIN; {}", context_of(conn, Role::System.as_str(), None)),
    })?;
    let mut ledger = Ledger::begin(conn)?;
    let submits: Vec<Vec<u8>> = group.iter().flat_map(|piece| piece.submits()).cloned().collect();
    ledger.known = Known::look_up(conn, &submits)?;
    for event in deferred {
        ledger.tail.push(event.clone());
    }
    let mut outcomes = Vec::with_capacity(group.len());
    for piece in group.iter_mut() {
        if piece.submits().is_empty() {
            ledger.known.forget();
        }
        let ports = (context.clock.as_ref(), context.entropy.as_ref());
        let (scope, limits) = (piece.scope().clone(), context.dialer.limits());
        let outcome = Tx::new(conn, keys, ports, scope, limits, &mut ledger).nested(|tx| piece.run(tx));
        if let Some(error) = ledger.broken.take() {
            return Err(error);
        }
        if let Err(StoreError::Unavailable(outage)) = outcome {
            return Err(StoreError::Unavailable(outage));
        }
        outcomes.push(outcome);
    }
    if ledger.tail.is_unchanged() && outcomes.iter().all(Result::is_err) {
        conn.run("ROLLBACK")?;
    } else {
        ledger.write(conn, keys)?;
        conn.run("COMMIT")?;
    }
    Ok(outcomes)
}
