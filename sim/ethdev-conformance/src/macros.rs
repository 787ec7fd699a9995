//! The list of checks, and the macro that makes tests of them.

/// Calls `$then` with every check: group, name, line of the contract, module.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_checks {
    ([$($then:tt)*] $($args:tt)*) => {
        $($then)* ! {
            $($args)*
            pull {
                rx_idle_is_none: DEVICE_1 in checks_rx;
                rx_every_length: DEVICE_2 in checks_rx;
                rx_bursts_in_order: DEVICE_2 in checks_rx;
                rx_own_address_and_broadcast: DEVICE_2 in checks_rx;
                tx_every_length: DEVICE_2 in checks_tx;
                tx_bursts_in_order: DEVICE_2 in checks_tx;
                tx_gathers_parts: DEVICE_2 in checks_tx;
                tx_owns_the_bytes: DEVICE_2 in checks_tx;
                tx_busy_loses_nothing: DEVICE_4 in checks_tx;
                rx_while_tx_full: DEVICE_5 in checks_rx;
                tx_while_rx_full: DEVICE_5 in checks_tx;
                tx_illegal_lengths: DEVICE_6 in checks_tx;
                tx_illegal_lengths_when_full: DEVICE_6 in checks_tx;
                tx_illegal_lengths_link_down: DEVICE_6 in checks_tx;
                tx_pads_with_zeros: DEVICE_6 in checks_tx;
                rx_padding_as_it_came: DEVICE_6 in checks_rx;
                cached_values_cost_nothing: DEVICE_7 in checks_link;
                link_is_cached: DEVICE_7 in checks_link;
                link_down_refuses: DEVICE_7 in checks_link;
                link_down_keeps_what_arrived: DEVICE_7 in checks_link;
                rx_flood: DEVICE_8 in checks_rx;
                rx_bad_frames: DEVICE_8 in checks_rx;
                rx_forged_lengths: DEVICE_8 in checks_rx;
                every_frame_is_counted: DEVICE_9 in checks_rx;
                link_cut_while_sending: DEVICE_9 in checks_link;
                fault_is_an_error: DEVICE_10 in checks_link;
                bus_error_is_an_error: DEVICE_10 in checks_link;
                frame_lengths: CAPABILITIES in checks_rx;
                rx_capacity: CAPABILITIES in checks_rx;
                tx_capacity: CAPABILITIES in checks_tx;
                events_are_true: EVENTS in checks_link;
                link_changes_are_told: EVENTS in checks_link;
            }
            caller {
                rx_short_buffer: DEVICE_3 in checks_rx;
                discard_skips_one: DEVICE_3 in checks_rx;
                tx_ready_keeps_its_word: DEVICE_4 in checks_tx;
            }
            lend {
                lent_again_until_released: LEND_1 in checks_lend;
                lent_memory_is_not_overwritten: LEND_1 in checks_lend;
                halves_are_independent: LEND_2 in checks_lend;
                pull_sees_what_is_lent: LEND_2 in checks_lend;
                reservations_cost_nothing: LEND_3 in checks_lend;
                commit_is_checked: LEND_4 in checks_lend;
                commit_refuses_link_down: LEND_4 in checks_lend;
            }
            callback {
                each_frame_once: CALLBACK_1 in checks_callback;
                former_handlers_are_quiet: CALLBACK_2 in checks_callback;
                budget_is_kept: CALLBACK_3 in checks_callback;
                without_handler_frames_stay: CALLBACK_4 in checks_callback;
                only_inside_poll: CALLBACK_5 in checks_callback;
                answers_from_the_handler: CALLBACK_5 in checks_callback;
                answers_without_room: CALLBACK_5 in checks_callback;
            }
            control {
                stopped_is_silent: CONTROL_1 in checks_control;
                asleep_is_silent: CONTROL_1 in checks_control;
                a_stop_counts_what_it_loses: CONTROL_2 in checks_control;
                the_filter_filters: CONTROL_3 in checks_control;
                the_address_is_received_on: CONTROL_3 in checks_control;
                settings_survive: CONTROL_4 in checks_control;
                recover_recovers: CONTROL_5 in checks_control;
                recover_ends_a_fault: CONTROL_5 in checks_control;
            }
            rearm {
                a_frame_after_armed_rings: REARM_1 in checks_rearm;
                room_after_armed_rings: REARM_1 in checks_rearm;
                a_link_change_after_armed_rings: REARM_1 in checks_rearm;
                no_frame_falls_between: REARM_1 in checks_rearm;
                a_host_by_interrupt_misses_nothing: REARM_1 in checks_rearm;
                rearm_sees_what_is_there: REARM_2 in checks_rearm;
                rearm_sees_room: REARM_2 in checks_rearm;
                disarmed_is_silent: REARM_3 in checks_rearm;
                only_what_is_of_interest_rings: REARM_4 in checks_rearm;
                frames_do_not_ring_for_room: REARM_4 in checks_rearm;
            }
            awaited {
                a_dropped_ready_takes_nothing: ASYNC_1 in checks_async;
                a_dropped_ready_keeps_the_link_change: ASYNC_1 in checks_async;
                unpolled_futures_do_nothing: ASYNC_2 in checks_async;
                a_dropped_recv_is_accounted: ASYNC_3 in checks_async;
                a_dropped_send_is_whole_or_nothing: ASYNC_4 in checks_async;
                ready_waits_for_a_frame: ASYNC_5 in checks_async;
                ready_misses_no_frame: ASYNC_5 in checks_async;
                ready_waits_for_room: ASYNC_5 in checks_async;
                ready_waits_for_the_link: ASYNC_5 in checks_async;
                ready_for_nothing_waits_for_ever: ASYNC_5 in checks_async;
                recv_and_send_wait: ASYNC_5 in checks_async;
            }
        }
    };
}

/// Makes a module of tests: one for each check on each surface of a device.
///
/// ```text
/// conformance!(my_nic, MyNic);                               // the device itself and every layer around it
/// conformance!(my_nic, MyNic; lending, control, rearm);      // also the traits that it implements besides
/// conformance!(async my_nic, MyAsyncNic);                    // a device of `ethdev::asynch`
/// conformance!(async my_nic, MyAsyncNic; control);
/// conformance!(callback my_nic, MyCallbackNic);              // a driver's own `CallbackDevice<'static>`
/// ```
///
/// The second argument is a [`Fixture`](crate::Fixture). Tests are named `my_nic::surface::check`; a failure and a skip name the line of the
/// contract. See [the module](mod@crate) for an example.
#[macro_export]
macro_rules! conformance {
    (async $name:ident, $fixture:ty $(; $($also:ident),+ $(,)?)?) => {
        #[cfg(test)]
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            type UnderTest = $fixture;
            $crate::__conformance_checks!([$crate::__conformance_select] awaiting awaited_own awaited_own);
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
            $crate::__conformance_checks!([$crate::__conformance_select] awaiting awaited layers);
            $($($crate::__conformance_also!($also);)+)?
        }
    };
}

/// The surfaces of one optional trait.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_also {
    (lending) => {
        $crate::__conformance_checks!([$crate::__conformance_select] lending lent lending);
        $crate::__conformance_checks!([$crate::__conformance_select] calling callback_lent lending);
    };
    (control) => {
        $crate::__conformance_checks!([$crate::__conformance_select] control control control);
        $crate::__conformance_checks!([$crate::__conformance_select] control control_erased control_layers);
        $crate::__conformance_checks!([$crate::__conformance_select] control control_buffered control_layers);
    };
    (rearm) => {
        $crate::__conformance_checks!([$crate::__conformance_select] rearm rearm rearm);
        $crate::__conformance_checks!([$crate::__conformance_select] rearm rearm_buffered rearm_layers);
        $crate::__conformance_checks!([$crate::__conformance_select] awaiting awaited_interrupt rearm_layers);
    };
    (async control) => {
        $crate::__conformance_checks!([$crate::__conformance_select] control control_awaited control_awaited);
    };
}

/// The checks of the groups that a surface has: which groups, the name of the surface, the method of `Suite` that adds it.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_select {
    (@ $surface:ident $method:ident $($name:ident: $line:ident in $module:ident;)*) => {
        mod $surface {
            $(
                #[test]
                fn $name() {
                    $crate::Suite::<super::UnderTest>::new()
                        .$method()
                        .test(stringify!($surface), stringify!($name));
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
        control { $($_o:tt)* } rearm { $($_r:tt)* } awaited { $($awaited:tt)* }
    ) => {
        $crate::__conformance_select!(@ $s $m $($pull)* $($caller)* $($awaited)*);
    };
}
