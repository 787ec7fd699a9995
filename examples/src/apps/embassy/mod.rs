//! The host on embassy-net: each service is an async function, for a task or a join of its own.

mod echo;
mod http;
mod report;

pub use echo::{tcp_echo, udp_echo};
pub use report::report;

use embassy_futures::join::{join_array, join4};
use embassy_net::driver::Driver;
use embassy_net::{Runner, Stack};

use super::{Status, Storage};
use http::http;

/// A small host on embassy-net, as [`Node`](super::Node) on smoltcp: runs the stack, replies to
/// pings, echoes UDP and TCP on port 7, and serves a page about its device on port 80.
///
/// `name` is the title of the page; `status` returns the status of the device. The stack needs one
/// socket for each of [`socket_slots`](super::socket_slots).
pub async fn host<D: Driver, const TCP: usize, const HTTP: usize>(
    (stack, mut runner): (Stack<'_>, Runner<'_, D>),
    name: &str,
    status: impl Fn() -> Status,
    storage: &mut Storage<TCP, HTTP>,
) -> ! {
    let status = &status;
    let tcp = storage.echo.each_mut().map(|memory| tcp_echo(stack, memory));
    let web = storage.http.each_mut().map(|memory| http(stack, name, status, memory));
    let udp = udp_echo(stack, &mut storage.udp, &mut storage.scratch);
    join4(runner.run(), udp, join_array(tcp), join_array(web)).await.0
}
