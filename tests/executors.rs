//! The async API and the frame channel on five executors, with the same tasks.
//!
//! Time is virtual: a task advances it.

#[path = "executors/echo.rs"]
mod echo;
#[path = "executors/hosts.rs"]
mod hosts;
#[path = "executors/node.rs"]
mod node;
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
    crate::echo::with_interrupt as echo_with_interrupt_all_frames_returned,
    crate::echo::with_polling as echo_with_polling_all_frames_returned,
    crate::node::client_and_node as node_behind_channel_all_bytes_echoed,
}
