//! The async surface and the pump on executors that have nothing in common: the tasks are the same to the letter.
//!
//! Time is virtual; a task of its own moves it.

#[path = "executors/echo.rs"]
mod echo;
#[path = "executors/hosts.rs"]
mod hosts;
#[path = "executors/node.rs"]
mod node;
#[path = "executors/tasks.rs"]
mod tasks;

/// One scenario on each executor.
macro_rules! on_each_executor {
    ($($scenario:path as $name:ident),* $(,)?) => {
        $(mod $name {
            #[test]
            fn by_hand() {
                $scenario(crate::hosts::by_hand);
            }

            #[test]
            fn embassy() {
                $scenario(crate::hosts::embassy);
            }

            #[test]
            fn tokio() {
                $scenario(crate::hosts::tokio);
            }
        })*
    };
}

on_each_executor! {
    crate::echo::with_interrupt as echo_by_interrupt,
    crate::echo::with_polling as echo_by_polling,
    crate::node::a_client_behind_a_pump_talks_to_a_node_behind_another as node_behind_a_pump,
}
