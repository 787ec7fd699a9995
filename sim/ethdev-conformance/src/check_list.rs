//! The list of checks, and the macro that makes tests of them.

/// Calls `$then` with every check: group, name, requirement, module.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_checks {
    ([$($then:tt)*] $($args:tt)*) => {
        $($then)* ! {
            $($args)*
            pull {
                recv_frame_nothing_pending_returns_none: DEVICE_1 in checks_rx;
                recv_frame_any_length_byte_exact: DEVICE_2 in checks_rx;
                recv_frame_bursts_in_order: DEVICE_2 in checks_rx;
                recv_frame_own_address_and_broadcast_delivered: DEVICE_2 in checks_rx;
                send_frame_any_length_byte_exact: DEVICE_2 in checks_tx;
                send_frame_bursts_in_order: DEVICE_2 in checks_tx;
                send_vectored_any_parts_concatenated: DEVICE_2 in checks_tx;
                send_frame_buffer_reused_frame_unchanged: DEVICE_2 in checks_tx;
                send_frame_queue_full_busy_nothing_lost: DEVICE_4 in checks_tx;
                recv_frame_tx_queue_full_delivered: DEVICE_5 in checks_rx;
                send_frame_rx_queue_full_accepted: DEVICE_5 in checks_tx;
                send_frame_illegal_length_rejected: DEVICE_6 in checks_tx;
                send_frame_illegal_length_queue_full_rejected: DEVICE_6 in checks_tx;
                send_frame_illegal_length_link_down_rejected: DEVICE_6 in checks_tx;
                send_frame_short_padded_with_zeros: DEVICE_6 in checks_tx;
                recv_frame_padded_padding_kept: DEVICE_6 in checks_rx;
                cached_values_read_no_access: DEVICE_7 in checks_link;
                link_no_service_unchanged: DEVICE_7 in checks_link;
                send_frame_link_down_rejected: DEVICE_7 in checks_link;
                recv_frame_link_down_pending_frames_delivered: DEVICE_7 in checks_link;
                recv_frame_after_flood_resumes: DEVICE_8 in checks_rx;
                recv_frame_bad_frames_dropped_and_counted: DEVICE_8 in checks_rx;
                recv_frame_invalid_chip_length_no_frame: DEVICE_8 in checks_rx;
                stats_random_traffic_every_frame_counted: DEVICE_9 in checks_rx;
                stats_link_lost_while_sending_every_frame_counted: DEVICE_9 in checks_link;
                any_call_chip_fault_returns_error: DEVICE_10 in checks_link;
                any_call_bus_failure_returns_error: DEVICE_10 in checks_link;
                error_from_any_kind_keeps_kind: ERROR in checks_link;
                capabilities_max_frame_len_covers_medium: CAPABILITIES in checks_rx;
                capabilities_rx_queue_frames_held: CAPABILITIES in checks_rx;
                capabilities_tx_queue_frames_accepted: CAPABILITIES in checks_tx;
                service_traffic_events_match_state: EVENTS in checks_link;
                service_link_changes_reported_once: EVENTS in checks_link;
            }
            caller {
                recv_frame_short_buffer_frame_kept: DEVICE_3 in checks_rx;
                discard_frame_pending_drops_one: DEVICE_3 in checks_rx;
                tx_ready_true_send_not_busy: DEVICE_4 in checks_tx;
            }
            lend {
                peek_not_released_lends_same_frame: LENDING_1 in checks_lending;
                peek_flood_lent_memory_unchanged: LENDING_1 in checks_lending;
                split_both_halves_independent: LENDING_2 in checks_lending;
                recv_frame_frame_lent_returns_same_frame: LENDING_2 in checks_lending;
                reserve_dropped_buffer_freed: LENDING_3 in checks_lending;
                commit_illegal_length_rejected: LENDING_4 in checks_lending;
                commit_link_down_rejected: LENDING_4 in checks_lending;
            }
            callback {
                poll_frames_pending_handler_called_once_each: CALLBACK_1 in checks_callback;
                set_handler_former_never_called_again: CALLBACK_2 in checks_callback;
                poll_budget_not_exceeded: CALLBACK_3 in checks_callback;
                poll_no_handler_frames_kept: CALLBACK_4 in checks_callback;
                handler_outside_poll_never_called: CALLBACK_5 in checks_callback;
                transmit_in_handler_reply_sent: CALLBACK_5 in checks_callback;
                transmit_in_handler_queue_full_busy: CALLBACK_5 in checks_callback;
            }
            control {
                stop_running_no_traffic: CONTROL_1 in checks_control;
                sleep_running_no_traffic: CONTROL_1 in checks_control;
                stop_frames_pending_counted: CONTROL_2 in checks_control;
                set_rx_filter_any_filter_applied: CONTROL_3 in checks_control;
                set_mac_address_new_address_received: CONTROL_3 in checks_control;
                settings_after_restart_kept: CONTROL_4 in checks_control;
                recover_frames_pending_resumes: CONTROL_5 in checks_control;
                recover_after_fault_resumes: CONTROL_5 in checks_control;
            }
            rearm {
                rearm_frame_after_armed_interrupts: REARM_1 in checks_rearm;
                rearm_tx_ready_after_armed_interrupts: REARM_1 in checks_rearm;
                rearm_link_change_after_armed_interrupts: REARM_1 in checks_rearm;
                rearm_frame_at_any_access_not_missed: REARM_1 in checks_rearm;
                rearm_interrupt_driven_host_no_frame_missed: REARM_1 in checks_rearm;
                rearm_frame_pending_returns_work_pending: REARM_2 in checks_rearm;
                rearm_tx_queue_free_returns_work_pending: REARM_2 in checks_rearm;
                disarm_frame_arrives_no_interrupt: REARM_3 in checks_rearm;
                rearm_other_source_no_interrupt: REARM_4 in checks_rearm;
                rearm_tx_only_frame_arrives_no_interrupt: REARM_4 in checks_rearm;
            }
            awaited {
                ready_dropped_frame_kept: ASYNC_1 in checks_async;
                ready_dropped_link_change_kept: ASYNC_1 in checks_async;
                any_future_not_polled_no_effect: ASYNC_2 in checks_async;
                recv_frame_dropped_frame_delivered_or_counted: ASYNC_3 in checks_async;
                send_frame_dropped_whole_or_nothing: ASYNC_4 in checks_async;
                ready_rx_completes_on_frame: ASYNC_5 in checks_async;
                ready_rx_frame_at_any_access_not_missed: ASYNC_5 in checks_async;
                ready_tx_completes_on_free_capacity: ASYNC_5 in checks_async;
                ready_link_completes_on_change: ASYNC_5 in checks_async;
                ready_none_never_completes: ASYNC_5 in checks_async;
                recv_and_send_nothing_possible_wait: ASYNC_5 in checks_async;
            }
            poll_ready {
                poll_ready_foreign_wake_no_access: POLL_READY in checks_async;
                poll_ready_new_waker_replaces_former: POLL_READY in checks_async;
            }
        }
    };
}

/// Generates a module of tests: one for each check on each API of a device.
///
/// ```text
/// conformance!(my_nic, MyNic);                               // the device and the layers of ethdev-util
/// conformance!(my_nic, MyNic; lending, control, rearm);      // also its optional traits
/// conformance!(async my_nic, MyAsyncNic);                    // a device of `ethdev::asynch`
/// conformance!(async my_nic, MyAsyncNic; control);
/// conformance!(callback my_nic, MyCallbackNic);              // a driver's own `CallbackDevice<'static>`
/// ```
///
/// The second argument is a [`Fixture`](crate::Fixture). Tests are named `my_nic::api::check`.
/// Failures and skips name the requirement. See [the module](mod@crate) for an example.
#[macro_export]
macro_rules! conformance {
    (async $name:ident, $fixture:ty $(; $($also:ident),+ $(,)?)?) => {
        #[cfg(test)]
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            type UnderTest = $fixture;
            $crate::__conformance_checks!([$crate::__conformance_select] awaiting asynch asynch);
            $($($crate::__conformance_also!(async $also);)+)?
        }
    };
    (callback $name:ident, $fixture:ty) => {
        #[cfg(test)]
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            type UnderTest = $fixture;
            $crate::__conformance_checks!([$crate::__conformance_select] callback callback_own callback_own);
        }
    };
    ($name:ident, $fixture:ty $(; $($also:ident),+ $(,)?)?) => {
        #[cfg(test)]
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            type UnderTest = $fixture;
            $crate::__conformance_checks!([$crate::__conformance_select] direct pull pull);
            $crate::__conformance_checks!([$crate::__conformance_select] direct erased layers);
            $crate::__conformance_checks!([$crate::__conformance_select] direct buffered layers);
            $crate::__conformance_checks!([$crate::__conformance_select] lending buffered_halves layers);
            $crate::__conformance_checks!([$crate::__conformance_select] calling callback layers);
            $crate::__conformance_checks!([$crate::__conformance_select] awaiting blocking_async layers);
            $($($crate::__conformance_also!($also);)+)?
        }
    };
}

/// The APIs of one optional trait.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_also {
    (lending) => {
        $crate::__conformance_checks!([$crate::__conformance_select] lending lending lending);
        $crate::__conformance_checks!([$crate::__conformance_select] calling callback_lending lending);
    };
    (control) => {
        $crate::__conformance_checks!([$crate::__conformance_select] control control control);
        $crate::__conformance_checks!([$crate::__conformance_select] control control_erased control_layers);
        $crate::__conformance_checks!([$crate::__conformance_select] control control_buffered control_layers);
    };
    (rearm) => {
        $crate::__conformance_checks!([$crate::__conformance_select] rearm rearm rearm);
        $crate::__conformance_checks!([$crate::__conformance_select] rearm rearm_buffered rearm_layers);
        $crate::__conformance_checks!([$crate::__conformance_select] awaiting blocking_async_interrupt rearm_layers);
        $crate::__conformance_checks!([$crate::__conformance_select] waking irq_device rearm_layers);
    };
    (poll_ready) => {
        $crate::__conformance_checks!([$crate::__conformance_select] waking poll_ready poll_ready);
    };
    (async control) => {
        $crate::__conformance_checks!([$crate::__conformance_select] control asynch_control asynch_control);
    };
}

/// The checks of the groups of an API: groups, name of the API, method of `Suite` that adds it.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_select {
    (@ $api:ident $method:ident $($name:ident: $requirement:ident in $module:ident;)*) => {
        mod $api {
            $(
                #[test]
                fn $name() {
                    $crate::Suite::<super::UnderTest>::new()
                        .$method()
                        .test(stringify!($api), stringify!($name));
                }
            )*
        }
    };
    (direct $s:ident $m:ident pull { $($pull:tt)* } caller { $($caller:tt)* } $($rest:tt)*) => {
        $crate::__conformance_select!(@ $s $m $($pull)* $($caller)*);
    };
    (lending $s:ident $m:ident pull { $($pull:tt)* } caller { $($caller:tt)* } lend { $($lend:tt)* } $($rest:tt)*) => {
        $crate::__conformance_select!(@ $s $m $($pull)* $($caller)* $($lend)*);
    };
    (
        calling $s:ident $m:ident
        pull { $($pull:tt)* } caller { $($_c:tt)* } lend { $($_l:tt)* } callback { $($callback:tt)* } $($rest:tt)*
    ) => {
        $crate::__conformance_select!(@ $s $m $($pull)* $($callback)*);
    };
    (
        callback $s:ident $m:ident
        pull { $($_p:tt)* } caller { $($_c:tt)* } lend { $($_l:tt)* } callback { $($callback:tt)* } $($rest:tt)*
    ) => {
        $crate::__conformance_select!(@ $s $m $($callback)*);
    };
    (
        control $s:ident $m:ident
        pull { $($_p:tt)* } caller { $($_c:tt)* } lend { $($_l:tt)* } callback { $($_b:tt)* }
        control { $($control:tt)* } $($rest:tt)*
    ) => {
        $crate::__conformance_select!(@ $s $m $($control)*);
    };
    (
        rearm $s:ident $m:ident
        pull { $($_p:tt)* } caller { $($_c:tt)* } lend { $($_l:tt)* } callback { $($_b:tt)* }
        control { $($_o:tt)* } rearm { $($rearm:tt)* } $($rest:tt)*
    ) => {
        $crate::__conformance_select!(@ $s $m $($rearm)*);
    };
    (
        awaiting $s:ident $m:ident
        pull { $($pull:tt)* } caller { $($caller:tt)* } lend { $($_l:tt)* } callback { $($_b:tt)* }
        control { $($_o:tt)* } rearm { $($_r:tt)* } awaited { $($awaited:tt)* } $($rest:tt)*
    ) => {
        $crate::__conformance_select!(@ $s $m $($pull)* $($caller)* $($awaited)*);
    };
    (
        waking $s:ident $m:ident
        pull { $($pull:tt)* } caller { $($caller:tt)* } lend { $($_l:tt)* } callback { $($_b:tt)* }
        control { $($_o:tt)* } rearm { $($_r:tt)* } awaited { $($awaited:tt)* } poll_ready { $($poll_ready:tt)* }
    ) => {
        $crate::__conformance_select!(@ $s $m $($pull)* $($caller)* $($awaited)* $($poll_ready)*);
    };
}
