//! The async API, the frame channel and two stacks on five executors, with the same tasks.
//!
//! Time is virtual: a task advances it.

#[path = "executors/daemon.rs"]
mod daemon;
#[path = "executors/echo.rs"]
mod echo;
#[path = "executors/hosts.rs"]
mod hosts;
#[path = "executors/mac_address.rs"]
mod mac_address;
#[path = "executors/node.rs"]
mod node;
#[path = "executors/reporting_peer.rs"]
mod reporting_peer;
#[path = "executors/tasks.rs"]
mod tasks;

/// Defines a test per executor for each scenario.
macro_rules! on_each_executor {
    ($($scenario:path as $name:ident),* $(,)?) => {
        $(mod $name {
            #[test]
            fn minimal() {
                $scenario(crate::hosts::minimal);
            }

            #[test]
            fn embassy() {
                $scenario(crate::hosts::embassy);
            }

            #[test]
            fn tokio() {
                $scenario(crate::hosts::tokio);
            }

            #[test]
            fn edge() {
                $scenario(crate::hosts::edge);
            }

            #[test]
            fn statics() {
                $scenario(crate::hosts::statics);
            }
        })*
    };
}

on_each_executor! {
    crate::daemon::embassy_net_silence as embassy_net_silence_same_transcript,
    crate::daemon::embassy_net_link_down as embassy_net_link_down_same_transcript,
    crate::daemon::smoltcp_silence as smoltcp_silence_same_transcript,
    crate::daemon::smoltcp_link_down as smoltcp_link_down_same_transcript,
    crate::echo::with_interrupt as echo_with_interrupt_all_frames_returned,
    crate::echo::with_polling as echo_with_polling_all_frames_returned,
    crate::node::client_and_node as node_behind_channel_all_bytes_echoed,
}
