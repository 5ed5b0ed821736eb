//! Runs tasks on one thread, in an order that a seed decides.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use fastrand::Rng;

/// Names a task for the whole run.
pub(crate) type TaskId = u64;

type Work<T> = Pin<Box<dyn Future<Output = T>>>;

/// Tasks that are polled one at a time, whichever the seed picks.
///
/// Every task that is not asleep counts as ready: a task says that it waits by going to sleep, and
/// its waker does nothing.
pub(crate) struct Scheduler<T> {
    ready: Vec<(TaskId, Work<T>)>,
    asleep: BTreeMap<TaskId, Work<T>>,
    started: TaskId,
}

/// What polling a task came to.
pub(crate) enum Polled<T> {
    /// It gave way to others.
    Pending,
    /// It is done.
    Done(T),
}

impl<T> Scheduler<T> {
    pub(crate) fn new() -> Self {
        Self { ready: vec![], asleep: BTreeMap::new(), started: 0 }
    }

    /// Adds a task.
    pub(crate) fn spawn(&mut self, work: impl Future<Output = T> + 'static) -> TaskId {
        self.started += 1;
        self.ready.push((self.started, Box::pin(work)));
        self.started
    }

    /// What the next task will be called.
    pub(crate) fn next_task(&self) -> TaskId {
        self.started + 1
    }

    /// Picks one of the tasks that are ready.
    pub(crate) fn pick(&self, rng: &mut Rng) -> Option<Picked> {
        let count = self.ready.len();
        let nth = (count > 0).then(|| rng.usize(0..count))?;
        Some(Picked { nth, task: self.ready[nth].0 })
    }

    /// Lets the task that was picked go on until it gives way.
    pub(crate) fn poll(&mut self, picked: &Picked) -> Polled<T> {
        let mut context = Context::from_waker(Waker::noop());
        match self.ready[picked.nth].1.as_mut().poll(&mut context) {
            Poll::Pending => Polled::Pending,
            Poll::Ready(outcome) => {
                drop(self.ready.swap_remove(picked.nth));
                Polled::Done(outcome)
            }
        }
    }

    /// Lets the task that was picked sleep until it is woken.
    pub(crate) fn sleep(&mut self, picked: &Picked) {
        let (task, work) = self.ready.swap_remove(picked.nth);
        self.asleep.insert(task, work);
    }

    /// Wakes a task, unless it was killed.
    pub(crate) fn wake(&mut self, task: TaskId) {
        if let Some(work) = self.asleep.remove(&task) {
            self.ready.push((task, work));
        }
    }

    /// Drops tasks wherever they are: they never run again.
    pub(crate) fn kill(&mut self, tasks: &BTreeSet<TaskId>) {
        self.ready.retain(|(task, _)| !tasks.contains(task));
        self.asleep.retain(|task, _| !tasks.contains(task));
    }
}

/// A task that is to go on next.
#[derive(Debug)]
pub(crate) struct Picked {
    nth: usize,
    pub(crate) task: TaskId,
}

impl<T> fmt::Debug for Scheduler<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ready, asleep) = (self.ready.len(), self.asleep.len());
        f.debug_struct("Scheduler").field("ready", &ready).field("asleep", &asleep).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    async fn give_way() {
        let mut was_here = false;
        std::future::poll_fn(|_| match std::mem::replace(&mut was_here, true) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
    }

    /// The order in which three tasks of three steps each are done.
    fn order(seed: u64) -> Vec<u32> {
        let (mut scheduler, mut rng) = (Scheduler::new(), Rng::with_seed(seed));
        for name in 0..3 {
            scheduler.spawn(async move {
                give_way().await;
                give_way().await;
                name
            });
        }
        let mut done = vec![];
        while let Some(picked) = scheduler.pick(&mut rng) {
            if let Polled::Done(name) = scheduler.poll(&picked) {
                done.push(name);
            }
        }
        done
    }

    #[test]
    fn a_seed_decides_the_order_and_always_the_same() {
        assert!((0..50).all(|seed| order(seed) == order(seed)));
        let orders: BTreeSet<_> = (0..50).map(order).collect();
        assert_eq!(orders.len(), 6, "all orders of three tasks come up");
    }

    #[test]
    fn a_task_that_was_killed_never_goes_on() {
        let (mut scheduler, mut rng) = (Scheduler::new(), Rng::with_seed(0));
        let steps = Arc::new(AtomicU32::new(0));
        let counted = steps.clone();
        let task = scheduler.spawn(async move {
            loop {
                counted.fetch_add(1, Ordering::Relaxed);
                give_way().await;
            }
        });
        let picked = scheduler.pick(&mut rng).unwrap();
        assert!(matches!(scheduler.poll(&picked), Polled::Pending));
        scheduler.kill(&BTreeSet::from([task]));
        assert!(scheduler.pick(&mut rng).is_none());
        assert_eq!(Arc::strong_count(&steps), 1, "what it held is gone");
    }

    #[test]
    fn a_task_asleep_is_not_picked_until_it_is_woken() {
        let (mut scheduler, mut rng) = (Scheduler::new(), Rng::with_seed(0));
        let task = scheduler.spawn(give_way());
        let picked = scheduler.pick(&mut rng).unwrap();
        scheduler.sleep(&picked);
        assert!(scheduler.pick(&mut rng).is_none());
        scheduler.wake(task);
        assert_eq!(scheduler.pick(&mut rng).unwrap().task, task);
    }
}
