//! An executor without a heap: tasks in statics, wakers by pointer.
//!
//! An [`Executor`] and its [`Task`]s are statics. Tasks that are ready form a queue through their
//! own `next` pointers, so that a wake-up allocates nothing, cannot fail, and may come from an
//! interrupt handler. Everything that a waker accesses is behind a critical section.
#![allow(unsafe_code)]

use core::cell::{Cell, UnsafeCell};
use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::pin::Pin;
use core::task::{Context, RawWaker, RawWakerVTable, Waker};

use critical_section::{CriticalSection, Mutex};

/// A future in the memory of its task.
type Stored = Pin<&'static mut dyn Future<Output = ()>>;
/// The first and the last of the tasks that are ready.
type Queue = Option<(&'static Header, &'static Header)>;

/// An executor in a static.
///
/// ```
/// use ethdev_examples::sys_executor::{Executor, Task, future_size};
///
/// static EXECUTOR: Executor = Executor::new();
/// static BLINK: Task<{ future_size(blink) }> = Task::new();
///
/// async fn blink(times: u32) {
///     for _ in 0..times {
///         // Toggle the pin, wait.
///     }
/// }
///
/// let runtime = EXECUTOR.take().expect("taken once");
/// runtime.spawn(&BLINK, blink(3))?;
/// loop {
///     runtime.poll();
///     // Here firmware masks interrupts, checks `runtime.is_ready()`, and sleeps until the next
///     // interrupt if it is `false`.
/// #   break;
/// }
/// # Ok::<(), ethdev_examples::sys_executor::AlreadySpawned>(())
/// ```
pub struct Executor {
    taken: Mutex<Cell<bool>>,
    ready: Mutex<Cell<Queue>>,
}

impl Executor {
    /// Creates an executor.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            taken: Mutex::new(Cell::new(false)),
            ready: Mutex::new(Cell::new(None)),
        }
    }

    /// Returns the right to run it on the first call, `None` afterwards.
    pub fn take(&'static self) -> Option<Runtime> {
        let taken = critical_section::with(|cs| self.taken.borrow(cs).replace(true));
        (!taken).then_some(Runtime {
            executor: self,
            not_send: PhantomData,
        })
    }

    fn push(&self, header: &'static Header, cs: CriticalSection<'_>) {
        let ready = self.ready.borrow(cs);
        let first = match ready.get() {
            None => header,
            Some((first, last)) => {
                last.next.borrow(cs).set(Some(header));
                first
            }
        };
        ready.set(Some((first, header)));
    }

    fn pop(&self) -> Option<&'static Header> {
        critical_section::with(|cs| {
            let ready = self.ready.borrow(cs);
            let (first, last) = ready.get()?;
            let next = first.next.borrow(cs).take();
            ready.set(next.map(|next| (next, last)));
            // A wake-up from now on, also by the task itself, queues it again.
            first.queued.borrow(cs).set(false);
            Some(first)
        })
    }
}

impl Default for Executor {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Executor").finish_non_exhaustive()
    }
}

/// The right to spawn tasks on an [`Executor`] and to run them. It stays on the thread that took
/// it, so that tasks need not be [`Send`]:
///
/// ```compile_fail
/// # use ethdev_examples::sys_executor::Executor;
/// # static EXECUTOR: Executor = Executor::new();
/// # let runtime = EXECUTOR.take().expect("taken once");
/// std::thread::spawn(move || runtime.poll());
/// ```
#[derive(Debug)]
pub struct Runtime {
    executor: &'static Executor,
    not_send: PhantomData<*const ()>,
}

impl Runtime {
    /// Moves `future` into the memory of `task`, and makes the task ready.
    ///
    /// A future that does not fit does not compile:
    ///
    /// ```compile_fail
    /// # use ethdev_examples::sys_executor::{Executor, Task, future_size};
    /// # async fn blink(_: [u8; 16]) { core::future::pending::<()>().await }
    /// # static EXECUTOR: Executor = Executor::new();
    /// # let runtime = EXECUTOR.take().expect("taken once");
    /// static BLINK: Task<{ future_size(blink) - 1 }> = Task::new();
    /// runtime.spawn(&BLINK, blink([0; 16]));
    /// ```
    ///
    /// # Errors
    ///
    /// The task was spawned before, on this executor or another. `future` is dropped.
    pub fn spawn<const SIZE: usize, F: Future<Output = ()> + 'static>(
        &self,
        task: &'static Task<SIZE>,
        future: F,
    ) -> Result<(), AlreadySpawned> {
        const {
            assert!(size_of::<F>() <= SIZE, "the task is smaller than the future");
            assert!(align_of::<F>() <= align_of::<Memory<0>>());
        }
        critical_section::with(|cs| {
            let executor = task.header.executor.borrow(cs);
            if executor.get().is_some() {
                return Err(AlreadySpawned);
            }
            executor.set(Some(self.executor));
            Ok(())
        })?;
        // SAFETY: the memory is large enough and aligned (asserted above), and never accessed
        // before or after: `executor` was `None`, is set now, and never becomes `None` again. The
        // static is not moved, and its memory is not used again, so that the future is pinned.
        let stored: Stored =
            unsafe { Pin::new_unchecked((*task.memory.0.get().cast::<MaybeUninit<F>>()).write(future)) };
        task.header.future.0.set(Some(stored));
        task.header.wake();
        Ok(())
    }

    /// Polls the tasks that are ready, in the order of their wake-ups, until none is.
    pub fn poll(&self) {
        while let Some(header) = self.executor.pop() {
            // Not in its cell while it is polled. A task that has ended has none.
            if let Some(mut future) = header.future.0.take() {
                let waker = header.waker();
                if future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
                    header.future.0.set(Some(future));
                }
            }
        }
    }

    /// Returns whether a task is ready.
    ///
    /// Before a sleep, call it with interrupts masked: a wake-up after it is then pending as an
    /// interrupt, which ends the sleep.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        critical_section::with(|cs| self.executor.ready.borrow(cs).get().is_some())
    }
}

/// A task in a static, with memory for a future of `SIZE` bytes (see [`future_size`]). It is
/// spawned once.
pub struct Task<const SIZE: usize> {
    header: Header,
    memory: Memory<SIZE>,
}

impl<const SIZE: usize> Task<SIZE> {
    /// Creates an empty task.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            header: Header {
                executor: Mutex::new(Cell::new(None)),
                next: Mutex::new(Cell::new(None)),
                queued: Mutex::new(Cell::new(false)),
                future: Local(Cell::new(None)),
            },
            memory: Memory(UnsafeCell::new(MaybeUninit::uninit())),
        }
    }
}

impl<const SIZE: usize> Default for Task<SIZE> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const SIZE: usize> fmt::Debug for Task<SIZE> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("size", &SIZE).finish_non_exhaustive()
    }
}

/// Returns the size in bytes of the future that an async function returns.
#[must_use]
pub const fn future_size<A, F: Future>(_: fn(A) -> F) -> usize {
    size_of::<F>()
}

/// The part of a task that does not depend on its size.
struct Header {
    /// Set by the first `spawn`.
    executor: Mutex<Cell<Option<&'static Executor>>>,
    /// The next task of the queue.
    next: Mutex<Cell<Option<&'static Header>>>,
    queued: Mutex<Cell<bool>>,
    /// `None` before `spawn`, during `poll`, and after the end.
    future: Local<Cell<Option<Stored>>>,
}

impl Header {
    fn wake(&'static self) {
        critical_section::with(|cs| {
            if let Some(executor) = self.executor.borrow(cs).get()
                && !self.queued.borrow(cs).replace(true)
            {
                executor.push(self, cs);
            }
        });
    }

    fn waker(&'static self) -> Waker {
        // A static has one address, so that `will_wake` recognises clones.
        static VTABLE: RawWakerVTable = RawWakerVTable::new(
            |header| RawWaker::new(header, &VTABLE),
            wake,
            wake,
            // Nothing is counted: the task is never freed.
            |_| {},
        );

        fn wake(header: *const ()) {
            // SAFETY: only `waker` creates pointers with this table, from a `&'static Header`.
            let header: &'static Header = unsafe { &*header.cast() };
            header.wake();
        }

        // SAFETY: the functions of the table accept the pointer at any time and from any thread:
        // the header is a static, and `wake` accesses it in critical sections.
        unsafe { Waker::new(core::ptr::from_ref(self).cast(), &VTABLE) }
    }
}

/// Memory for a future. The alignment is enough for 64-bit integers on all targets.
#[repr(align(8))]
struct Memory<const SIZE: usize>(UnsafeCell<MaybeUninit<[u8; SIZE]>>);

// SAFETY: accessed by `Runtime::spawn` only, once, after a critical section that admits one call.
unsafe impl<const SIZE: usize> Sync for Memory<SIZE> {}

/// A value that one thread accesses.
struct Local<T>(T);

// SAFETY: `Header::future` is accessed by `spawn`, once it has set the executor of the task, and by
// `poll` for tasks in the queue of its executor, which `spawn` puts there. Both are methods of the
// `Runtime` of that executor, and there is one, which is not `Send`.
unsafe impl<T> Sync for Local<T> {}

/// The task was spawned before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlreadySpawned;

impl fmt::Display for AlreadySpawned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("task spawned before")
    }
}

impl core::error::Error for AlreadySpawned {}

#[cfg(test)]
mod tests {
    use core::cell::RefCell;
    use core::future::poll_fn;
    use core::panic::AssertUnwindSafe;
    use core::sync::atomic::{AtomicUsize, Ordering};
    use core::task::Poll;
    use std::rc::Rc;
    use std::sync::{Arc, mpsc};
    use std::time::{Duration, Instant};
    use std::{panic, thread};

    use super::*;

    /// Tasks note here in which order they were polled, and their waker.
    #[derive(Clone, Default)]
    struct Log(Rc<RefCell<Vec<u32>>>);

    impl Log {
        fn take(&self) -> Vec<u32> {
            self.0.take()
        }
    }

    /// Number, wake-ups to wait for, log, wakers.
    type Sleeper = (u32, u32, Log, Rc<RefCell<Vec<Waker>>>);

    /// Waits for wake-ups, and stores a waker for each.
    async fn sleeper((number, times, log, wakers): Sleeper) {
        for left in (0..times).rev() {
            let mut first = true;
            poll_fn(|cx| {
                if core::mem::take(&mut first) {
                    wakers.borrow_mut().push(cx.waker().clone());
                    return Poll::Pending;
                }
                Poll::Ready(())
            })
            .await;
            log.0.borrow_mut().push(number * 10 + left);
        }
    }

    const SIZE: usize = future_size(sleeper);

    fn runtime() -> Runtime {
        Box::leak(Box::new(Executor::new())).take().unwrap()
    }

    fn task<const SIZE: usize>() -> &'static Task<SIZE> {
        Box::leak(Box::new(Task::new()))
    }

    #[test]
    fn take_second_call_is_none() {
        static EXECUTOR: Executor = Executor::new();
        assert!(EXECUTOR.take().is_some());
        assert!(EXECUTOR.take().is_none());
    }

    #[test]
    fn poll_tasks_run_in_order_of_wake_ups() {
        static FIRST: Task<SIZE> = Task::new();
        static SECOND: Task<SIZE> = Task::new();
        static THIRD: Task<SIZE> = Task::new();
        let (runtime, log, wakers) = (runtime(), Log::default(), Rc::new(RefCell::default()));
        for (number, task) in [(1, &FIRST), (2, &SECOND), (3, &THIRD)] {
            runtime
                .spawn(task, sleeper((number, 2, log.clone(), wakers.clone())))
                .unwrap();
        }
        assert!(runtime.is_ready());
        runtime.poll();
        assert!(!runtime.is_ready());
        assert_eq!(log.take(), []);
        let woken: Vec<_> = wakers.take();
        for n in [2, 0, 1] {
            woken[n].wake_by_ref();
        }
        assert!(runtime.is_ready());
        runtime.poll();
        assert_eq!(log.take(), [31, 11, 21]);
        assert!(!runtime.is_ready());
    }

    #[test]
    fn wake_repeated_polls_once() {
        let (runtime, log, wakers) = (runtime(), Log::default(), Rc::new(RefCell::default()));
        let task = task::<SIZE>();
        runtime
            .spawn(task, sleeper((1, 3, log.clone(), wakers.clone())))
            .unwrap();
        runtime.poll();
        let waker = wakers.borrow()[0].clone();
        waker.wake_by_ref();
        waker.wake_by_ref();
        waker.wake();
        runtime.poll();
        assert_eq!(log.take(), [12]);
    }

    #[test]
    fn waker_of_every_poll_will_wake_its_task_only() {
        let (runtime, log, wakers) = (runtime(), Log::default(), Rc::new(RefCell::default()));
        for number in [1, 2] {
            runtime
                .spawn(task::<SIZE>(), sleeper((number, 3, log.clone(), wakers.clone())))
                .unwrap();
        }
        runtime.poll();
        wakers.borrow()[0].wake_by_ref();
        runtime.poll();
        let [first, second, again] = wakers.take().try_into().unwrap();
        assert!(again.will_wake(&first) && again.will_wake(&again.clone()));
        assert!(!first.will_wake(&second));
    }

    #[test]
    fn wake_after_end_does_nothing() {
        let (runtime, log, wakers) = (runtime(), Log::default(), Rc::new(RefCell::default()));
        let task = task::<SIZE>();
        runtime
            .spawn(task, sleeper((1, 1, log.clone(), wakers.clone())))
            .unwrap();
        runtime.poll();
        let waker = wakers.borrow()[0].clone();
        waker.wake_by_ref();
        runtime.poll();
        assert_eq!(log.take(), [10]);
        assert_eq!(Rc::strong_count(&log.0), 1, "the future has released what it owned");
        waker.wake();
        runtime.poll();
        assert_eq!(log.take(), []);
        assert!(!runtime.is_ready());
    }

    #[test]
    fn wake_by_itself_polls_others_in_between() {
        async fn count((number, log): (u32, Log)) {
            for _ in 0..3 {
                log.0.borrow_mut().push(number);
                let mut first = true;
                poll_fn(|cx| {
                    cx.waker().wake_by_ref();
                    if core::mem::take(&mut first) {
                        Poll::Pending
                    } else {
                        Poll::Ready(())
                    }
                })
                .await;
            }
        }
        const SIZE: usize = future_size(count);
        let (runtime, log) = (runtime(), Log::default());
        for number in [1, 2] {
            runtime.spawn(task::<SIZE>(), count((number, log.clone()))).unwrap();
        }
        runtime.poll();
        assert_eq!(log.take(), [1, 2, 1, 2, 1, 2]);
    }

    #[test]
    fn spawn_twice_is_refused_and_first_future_runs() {
        let (first, second, log) = (runtime(), runtime(), Log::default());
        let wakers = Rc::new(RefCell::default());
        let task = task::<SIZE>();
        let spawn = |on: &Runtime, number| on.spawn(task, sleeper((number, 1, log.clone(), wakers.clone())));
        assert_eq!(spawn(&first, 1), Ok(()));
        assert_eq!(spawn(&first, 2), Err(AlreadySpawned));
        assert_eq!(spawn(&second, 3), Err(AlreadySpawned));
        assert!(!second.is_ready());
        first.poll();
        wakers.take().pop().unwrap().wake();
        second.poll();
        assert_eq!(log.take(), [], "the task belongs to the first executor");
        first.poll();
        assert_eq!(log.take(), [10]);
    }

    #[test]
    fn poll_panicking_task_ends_others_run() {
        async fn panics((): ()) {
            panic!("of the test");
        }
        const PANICS: usize = future_size(panics);
        let (runtime, log, wakers) = (runtime(), Log::default(), Rc::new(RefCell::default()));
        runtime.spawn(task::<PANICS>(), panics(())).unwrap();
        runtime
            .spawn(task::<SIZE>(), sleeper((1, 1, log.clone(), wakers.clone())))
            .unwrap();
        let polled = panic::catch_unwind(AssertUnwindSafe(|| runtime.poll()));
        assert!(polled.is_err());
        runtime.poll();
        wakers.take().pop().unwrap().wake();
        runtime.poll();
        assert_eq!(log.take(), [10]);
    }

    /// Threads wake the task as interrupt handlers do, at any time.
    #[test]
    fn wake_from_other_threads_none_is_lost() {
        const WAKES: usize = if cfg!(miri) { 50 } else { 2000 };

        struct Source {
            wakers: mpsc::Sender<Waker>,
            events: Arc<AtomicUsize>,
            seen: Rc<Cell<usize>>,
        }

        async fn wait(source: Source) {
            for n in 1..=WAKES {
                let mut registered = false;
                poll_fn(|cx| {
                    if !core::mem::replace(&mut registered, true) {
                        source.wakers.send(cx.waker().clone()).unwrap();
                    }
                    if source.events.load(Ordering::SeqCst) >= n {
                        Poll::Ready(())
                    } else {
                        Poll::Pending
                    }
                })
                .await;
                source.seen.set(n);
            }
        }

        let (wakers, received) = mpsc::channel::<Waker>();
        let (events, seen) = (Arc::new(AtomicUsize::new(0)), Rc::new(Cell::new(0)));
        let runtime = runtime();
        let source = Source {
            wakers,
            events: events.clone(),
            seen: seen.clone(),
        };
        runtime.spawn(task::<{ future_size(wait) }>(), wait(source)).unwrap();
        let interrupts = thread::spawn(move || {
            for waker in received {
                events.fetch_add(1, Ordering::SeqCst);
                waker.wake();
            }
        });
        let began = Instant::now();
        while seen.get() < WAKES {
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "wake-up {} is lost",
                seen.get() + 1
            );
            if runtime.is_ready() {
                runtime.poll();
            } else {
                thread::yield_now();
            }
        }
        interrupts.join().unwrap();
    }
}
