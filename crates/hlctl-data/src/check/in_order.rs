//! Work that is done by several threads, with results in the order of the work.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, mpsc};

/// Results that wait for an earlier one, for each thread. They take memory.
const AHEAD: u64 = 2;

/// Does the work in `workers` threads, and takes the results one by one in its order, in this thread. No more than a few
/// results wait at a time.
///
/// # Errors
/// The first of `take`, which ends the work.
pub(super) fn in_order<W: Send, R: Send, E>(
    work: impl Iterator<Item = W> + Send,
    workers: u32,
    run: impl Fn(W) -> R + Sync,
    mut take: impl FnMut(R) -> Result<(), E>,
) -> Result<(), E> {
    if workers <= 1 {
        return work.map(run).try_for_each(take);
    }
    let most = AHEAD * u64::from(workers);
    let queue =
        Queue { state: Mutex::new(State { work, given: 0, taken: 0, is_over: false }), changed: Condvar::new() };
    std::thread::scope(|scope| {
        let (sender, results) = mpsc::channel();
        for _ in 0..workers {
            let (sender, queue, run) = (sender.clone(), &queue, &run);
            scope.spawn(move || {
                let _closing = Closing(queue);
                while let Some((number, work)) = queue.next(most) {
                    if sender.send((number, run(work))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        // However this ends, nobody is left waiting.
        let _closing = Closing(&queue);
        let mut waiting = BTreeMap::new();
        let mut taken = 0;
        for (number, result) in results {
            waiting.insert(number, result);
            while let Some(result) = waiting.remove(&taken) {
                take(result)?;
                taken += 1;
            }
            queue.lock().taken = taken;
            queue.changed.notify_all();
        }
        Ok(())
    })
}

/// The work that is left, shared by the threads.
struct Queue<I> {
    state: Mutex<State<I>>,
    changed: Condvar,
}

struct State<I> {
    work: I,
    given: u64,
    taken: u64,
    is_over: bool,
}

impl<W, I: Iterator<Item = W>> Queue<I> {
    /// The next work and its number, once few enough results wait.
    fn next(&self, most: u64) -> Option<(u64, W)> {
        let mut state = self.lock();
        loop {
            if state.is_over {
                return None;
            }
            if state.given - state.taken < most {
                let Some(work) = state.work.next() else {
                    state.is_over = true;
                    self.changed.notify_all();
                    return None;
                };
                state.given += 1;
                return Some((state.given - 1, work));
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl<I> Queue<I> {
    fn lock(&self) -> MutexGuard<'_, State<I>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes the queue where its work cannot go on: at an error, and where a thread panics, for whose result the others would wait
/// for ever.
struct Closing<'a, I>(&'a Queue<I>);

impl<I> Drop for Closing<'_, I> {
    fn drop(&mut self) {
        self.0.lock().is_over = true;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_work_and_few_of_them_wait() {
        for workers in [1, 2, 5] {
            let (begun, mut taken) = (AtomicU64::new(0), 0);
            let run = |number: u64| {
                begun.fetch_add(1, Ordering::SeqCst);
                // Some take longer than others.
                (0..number * 7919 % 101 * 100).fold(number, |sum, more| std::hint::black_box(sum ^ more ^ more))
            };
            let result = in_order(0..500, workers, run, |number| {
                assert_eq!(number, taken);
                assert!(begun.load(Ordering::SeqCst) <= taken + AHEAD * u64::from(workers));
                taken += 1;
                Ok::<_, ()>(())
            });
            assert_eq!((result, taken), (Ok(()), 500));
        }
    }

    #[test]
    fn the_first_error_ends_the_work() {
        for workers in [1, 3] {
            let begun = AtomicU64::new(0);
            let run = |number: u64| {
                begun.fetch_add(1, Ordering::SeqCst);
                number
            };
            let result = in_order(0.., workers, run, |number| if number == 40 { Err(number) } else { Ok(()) });
            assert_eq!(result, Err(40));
            assert!(begun.load(Ordering::SeqCst) <= 41 + AHEAD * u64::from(workers));
        }
    }

    #[test]
    #[should_panic(expected = "a scoped thread panicked")]
    fn a_thread_that_panics_is_not_waited_for() {
        let _ = in_order(0..1000, 2, |number| assert_ne!(number, 10), |()| Ok::<_, ()>(()));
    }
}
