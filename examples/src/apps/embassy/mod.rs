//! The host on embassy-net: each service is an async function, for a task or a join of its own.

mod echo;
mod http;
mod report;
mod service;

pub use echo::{tcp_echo, udp_echo};
pub use report::report;
pub use service::service;

use embassy_futures::join::{join, join_array, join3};
use embassy_net::driver::Driver;
use embassy_net::{Runner, Stack};

use super::{Status, Storage};
use http::http;

/// A small host on embassy-net, as [`Node`](super::Node) on smoltcp: runs the stack, and the
/// [`services`].
///
/// **It never sleeps**: embassy-net 0.9 wakes the task of the stack on each access to a socket,
/// also by a future that is only polled. That is enough for a simulation. To sleep, run the stack
/// in a task of its own.
pub async fn host<D: Driver, const TCP: usize, const HTTP: usize>(
    (stack, mut runner): (Stack<'_>, Runner<'_, D>),
    name: &str,
    status: impl Fn() -> Status,
    storage: &mut Storage<TCP, HTTP>,
) -> ! {
    join(runner.run(), services(stack, name, status, storage)).await.0
}

/// Echoes UDP and TCP on port 7, and serves a page about the device on port 80. The stack replies
/// to pings.
///
/// `name` is the title of the page; `status` returns the status of the device. The stack needs one
/// socket for each of [`socket_slots`](super::socket_slots).
pub async fn services<const TCP: usize, const HTTP: usize>(
    stack: Stack<'_>,
    name: &str,
    status: impl Fn() -> Status,
    storage: &mut Storage<TCP, HTTP>,
) -> ! {
    let status = &status;
    let tcp = storage.echo.each_mut().map(|memory| tcp_echo(stack, memory));
    let web = storage.http.each_mut().map(|memory| http(stack, name, status, memory));
    let udp = udp_echo(stack, &mut storage.udp, &mut storage.scratch);
    join3(udp, join_array(tcp), join_array(web)).await.0
}
