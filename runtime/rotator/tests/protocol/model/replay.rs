//! Runs an asynchronous function of the rotator one call at a time.
//!
//! A future cannot be copied, so a model cannot keep one in its states. What it keeps instead is the list of
//! answers that a run was given so far: run anew with these answers, the function comes to the same place,
//! since it knows nothing of the world but what calls answer. Its next call then has its effect, and the
//! answer joins the list.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::pending;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::world::{Answer, Answered, Driver, In, State};

/// The answers that a run was given, in order.
#[derive(Clone, Default)]
pub(crate) struct Answers(Vec<Kept>);

#[derive(Clone)]
struct Kept {
    answer: Arc<dyn Any + Send + Sync>,
    digest: u64,
    /// Time at which it was given: a run may look at the clock after every call.
    at: u64,
}

impl PartialEq for Answers {
    fn eq(&self, other: &Self) -> bool {
        let same = |(one, two): (&Kept, &Kept)| one.digest == two.digest && one.at == two.at;
        self.0.len() == other.0.len() && self.0.iter().zip(&other.0).all(same)
    }
}

impl Eq for Answers {}

impl Hash for Answers {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        for kept in &self.0 {
            (kept.digest, kept.at).hash(hasher);
        }
    }
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "after {} calls", self.0.len())
    }
}

/// Gives the recorded answers, lets one more call have its effect, and no other.
pub(crate) struct Replay {
    state: RefCell<State>,
    answers: RefCell<Answers>,
    next: Cell<usize>,
    now: Cell<u64>,
    done: Cell<bool>,
}

impl Driver for Replay {
    async fn call<T: Answer>(&self, effect: impl FnOnce(&mut State) -> Answered<T>) -> Answered<T> {
        let index = self.next.get();
        self.next.set(index + 1);
        let kept = self.answers.borrow().0.get(index).cloned();
        if let Some(kept) = kept {
            self.now.set(kept.at);
            return kept.answer.downcast_ref::<Answered<T>>().expect("the same call as before").clone();
        }
        if self.done.replace(true) {
            return pending().await;
        }
        let mut state = self.state.borrow_mut();
        let answer = effect(&mut state);
        let mut hasher = DefaultHasher::new();
        answer.hash(&mut hasher);
        let (digest, at) = (hasher.finish(), state.now);
        self.now.set(at);
        self.answers.borrow_mut().0.push(Kept { answer: Arc::new(answer.clone()), digest, at });
        answer
    }

    fn now(&self) -> u64 {
        self.now.get()
    }

    async fn sleep(&self, _seconds: u64) {
        unreachable!("runs of the model have no time to wait: they fail and are repeated later");
    }
}

/// What became of a run by one more call.
pub(crate) struct Advanced<T> {
    /// The world after it.
    pub(crate) state: State,
    /// The answers so far.
    pub(crate) answers: Answers,
    /// What the run returned, if it has ended.
    pub(crate) ended: Option<T>,
}

/// Lets `run` make its next call in the world `state`, after those that were answered by `answers`. `begun`
/// is the time at which the run was started.
pub(crate) fn advance<T>(
    state: State,
    answers: Answers,
    begun: u64,
    run: impl AsyncFnOnce(&In<Replay>) -> T,
) -> Advanced<T> {
    let world = In(Replay {
        state: RefCell::new(state),
        answers: RefCell::new(answers),
        next: Cell::new(0),
        now: Cell::new(begun),
        done: Cell::new(false),
    });
    let polled = pin!(run(&world)).as_mut().poll(&mut Context::from_waker(Waker::noop()));
    let ended = match polled {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    };
    let Replay { state, answers, .. } = world.0;
    Advanced { state: state.into_inner(), answers: answers.into_inner(), ended }
}
