//! The executors.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};

use ethdev_examples::sys_executor;

/// A task: not `Send`, because the simulation is not.
pub(crate) type Task = Pin<Box<dyn Future<Output = ()>>>;

/// Runs tasks to completion.
pub(crate) type Host = fn(Vec<Task>);

/// A minimal executor.
///
/// # Panics
///
/// If no task is woken: none could ever be.
pub(crate) fn minimal(tasks: Vec<Task>) {
    struct Flag(AtomicBool);

    impl Wake for Flag {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    let mut tasks: Vec<_> = tasks
        .into_iter()
        .map(|task| (task, Arc::new(Flag(AtomicBool::new(true)))))
        .collect();
    while !tasks.is_empty() {
        assert!(
            tasks.iter().any(|(_, woken)| woken.0.load(Ordering::SeqCst)),
            "no task is woken"
        );
        tasks.retain_mut(|(task, woken)| {
            let waker = Waker::from(woken.clone());
            !woken.0.swap(false, Ordering::SeqCst) || task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending()
        });
    }
}

/// embassy-executor on its `std` platform.
pub(crate) fn embassy(tasks: Vec<Task>) {
    #[embassy_executor::task(pool_size = 16)]
    async fn run(task: Task, left: Arc<std::sync::atomic::AtomicUsize>) {
        task.await;
        left.fetch_sub(1, Ordering::SeqCst);
    }

    let left = Arc::new(std::sync::atomic::AtomicUsize::new(tasks.len()));
    let executor = Box::leak(Box::new(embassy_executor::Executor::new()));
    executor.run_until(
        |spawner| {
            for task in tasks {
                spawner.spawn(run(task, left.clone()).expect("the task pool is not full"));
            }
        },
        || left.load(Ordering::SeqCst) == 0,
    );
}

/// tokio on one thread.
pub(crate) fn tokio(tasks: Vec<Task>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let mut running = tokio::task::JoinSet::new();
        for task in tasks {
            running.spawn_local(task);
        }
        while let Some(ended) = running.join_next().await {
            ended.expect("the task does not panic");
        }
    });
}

/// edge-executor.
pub(crate) fn edge(tasks: Vec<Task>) {
    let executor: edge_executor::LocalExecutor<'_> = edge_executor::LocalExecutor::new();
    let running: Vec<_> = tasks.into_iter().map(|task| executor.spawn(task)).collect();
    edge_executor::block_on(executor.run(async {
        for task in running {
            task.await;
        }
    }));
}

/// The executor of the examples, whose tasks are statics in firmware.
///
/// # Panics
///
/// If no task is ready: none could ever be.
pub(crate) fn statics(tasks: Vec<Task>) {
    let left = Rc::new(Cell::new(tasks.len()));
    let executor: &'static sys_executor::Executor = Box::leak(Box::default());
    let runtime = executor.take().expect("taken once");
    for task in tasks {
        let (left, place) = (left.clone(), Box::leak(Box::default()));
        let run: Task = Box::pin(async move {
            task.await;
            left.set(left.get() - 1);
        });
        runtime
            .spawn::<{ size_of::<Task>() }, _>(place, run)
            .expect("spawned once");
    }
    runtime.poll();
    assert_eq!(left.get(), 0, "no task is woken");
}
