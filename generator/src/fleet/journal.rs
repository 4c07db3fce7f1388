//! The journal of a run: whatever is recorded outlives the process before anything is done about it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::{Header, History, JournalError, Record, Store};
use crate::clock::Clock;

/// Writes records down. Several tasks may record at once: what comes in while the store is busy is written
/// together next, so that a slow store slows each tenant and not the number of them. Between two appends it pauses
/// for a few times as long as the last one took, up to what the store says: no disk is kept busy with syncs, and
/// nobody waits long for a quick one.
#[derive(Debug)]
pub struct Journal {
    place: String,
    history: Arc<Mutex<History>>,
    queue: mpsc::UnboundedSender<Entry>,
}

#[derive(Debug)]
struct Entry {
    record: Record,
    kept: oneshot::Sender<Result<(), JournalError>>,
}

impl Journal {
    /// The journal of a new run; its header is kept when this ends.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn create(
        mut store: Box<dyn Store>,
        header: Header,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, JournalError> {
        store.append(&line(&Record::Run(Box::new(header.clone())))).await?;
        Ok(Self::over(store, History::new(header), clock))
    }

    /// The journal of a run that was started before, from its lines.
    ///
    /// # Errors
    /// Where a line cannot be read.
    pub fn open(store: Box<dyn Store>, lines: &str, clock: Arc<dyn Clock>) -> Result<Self, JournalError> {
        let history = History::read(&store.place(), lines)?;
        Ok(Self::over(store, history, clock))
    }

    fn over(store: Box<dyn Store>, history: History, clock: Arc<dyn Clock>) -> Self {
        let (queue, entries) = mpsc::unbounded_channel();
        let (place, history) = (store.place(), Arc::new(Mutex::new(history)));
        tokio::spawn(write(store, entries, Arc::clone(&history), clock));
        Self { place, history, queue }
    }

    /// Where the journal is kept, for people.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The run so far, as far as it is kept.
    #[must_use]
    pub fn history(&self) -> History {
        self.read(History::clone)
    }

    /// Looks at the run so far without copying it.
    pub fn read<T>(&self, look: impl FnOnce(&History) -> T) -> T {
        look(&self.history.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes a record down. When this ends well, the record outlives this process.
    ///
    /// # Errors
    /// Where the store fails, now or at an earlier record: then nothing more may begin.
    pub async fn record(&self, record: Record) -> Result<(), JournalError> {
        let (kept, answer) = oneshot::channel();
        let gone = || JournalError::File {
            doing: "write",
            place: self.place.clone(),
            reason: "its writer has ended".into(),
        };
        self.queue.send(Entry { record, kept }).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

/// The pause after an append, in times of it.
const PAUSES: u32 = 4;
/// A timer is no more exact than this.
const SHORTEST: Duration = Duration::from_millis(1);

/// Writes what comes in until nobody is left who could record anything.
async fn write(
    mut store: Box<dyn Store>,
    mut entries: mpsc::UnboundedReceiver<Entry>,
    history: Arc<Mutex<History>>,
    clock: Arc<dyn Clock>,
) {
    let mut broken: Option<JournalError> = None;
    let longest = store.pause();
    while let Some(first) = entries.recv().await {
        let mut together = vec![first];
        while let Ok(next) = entries.try_recv() {
            together.push(next);
        }
        let start = clock.elapsed();
        let result = match &broken {
            Some(error) => Err(error.clone()),
            None => {
                let lines: String = together.iter().map(|entry| line(&entry.record)).collect();
                store.append(&lines).await
            }
        };
        if let Err(error) = &result {
            broken.get_or_insert_with(|| error.clone());
        }
        for entry in together {
            if result.is_ok() {
                history.lock().unwrap_or_else(PoisonError::into_inner).apply(&entry.record);
            }
            // Who has given up waiting needs no answer.
            let _ = entry.kept.send(result.clone());
        }
        let pause = longest.min(clock.elapsed().saturating_sub(start) * PAUSES);
        if pause >= SHORTEST {
            clock.sleep(pause).await;
        }
    }
}

fn line(record: &Record) -> String {
    let mut line = serde_json::json!(record).to_string();
    line.push('\n');
    line
}
