//! Checks that share their requirement with others: each fails on a device that has its defect.

use ethdev_conformance::Report;

use crate::broken::{Defect, DefectFixture};
use crate::{accounting, asynch, callback, filters, frames, lend, lifecycle, suite, wakeups};

fn pull<X: Defect>(requirement: &'static str) -> Report {
    suite::<DefectFixture<X>>().pull().only(requirement).run()
}

fn control<X: Defect>(requirement: &'static str) -> Report {
    suite::<DefectFixture<X>>().control().only(requirement).run()
}

fn rearm<X: Defect>(requirement: &'static str) -> Report {
    suite::<DefectFixture<X>>().rearm().only(requirement).run()
}

fn lending<const DEFECT: u8>(requirement: &'static str) -> Report {
    suite::<lend::LendFixture<DEFECT>>().lending().only(requirement).run()
}

fn calling<const DEFECT: u8>(requirement: &'static str) -> Report {
    suite::<callback::CallFixture<DEFECT>>()
        .callback_own()
        .only(requirement)
        .run()
}

fn awaiting<const DEFECT: u8>(requirement: &'static str) -> Report {
    suite::<asynch::AsyncFixture<DEFECT>>().asynch().only(requirement).run()
}

fn awaiting_control<const DEFECT: u8>(requirement: &'static str) -> Report {
    suite::<asynch::AsyncFixture<DEFECT>>()
        .asynch_control()
        .only(requirement)
        .run()
}

/// One test for each check: name, a run on a device with its defect.
macro_rules! failed_checks {
    ($($check:ident: $run:expr;)*) => {
        $(
            #[test]
            fn $check() {
                let report: Report = $run;
                assert!(report.failures().any(|entry| entry.check == stringify!($check)), "{report}");
            }
        )*
    };
}

failed_checks! {
    send_vectored_any_parts_concatenated: pull::<frames::GathersTwelveParts>("device.2");
    tx_ready_long_run_send_not_busy: pull::<accounting::BusyOnceInAWhile>("device.4");
    cached_values_read_no_access: pull::<accounting::ReadsTheBusForALostLink>("device.7");
    recv_frame_bad_frames_dropped_and_counted: pull::<accounting::ForgetsRuntsDeclaresBadFcs>("device.8");
    any_call_chip_fault_returns_error: pull::<accounting::CountsFaultsPerCall>("device.10");
    service_link_changes_reported_once: pull::<accounting::CountsLinkChangesTwice>("events");
    service_link_change_seen_by_traffic_reported: pull::<accounting::ForgetsLinkChangesOfTraffic>("events");
    pending_and_ready_match_next_call: lending::<{ lend::PENDING_IGNORES_LENT_FRAME }>("lending.1");
    split_link_lost_frame_lent_again: lending::<{ lend::RELEASES_ON_LINK_CHANGE }>("lending.1");
    split_again_reservation_ended: lending::<{ lend::KEEPS_RESERVATIONS }>("lending.3");
    commit_less_than_reserved_sends_first_bytes: lending::<{ lend::COMMITS_WORDS }>("lending.4");
    handler_writes_frame_next_frame_intact: calling::<{ callback::DELIVERS_WRITTEN_FRAMES_AGAIN }>("callback.1");
    poll_bus_failure_returns_error: calling::<{ callback::SWALLOWS_ERRORS }>("callback.1");
    poll_link_and_replies_events_returned: calling::<{ callback::SWALLOWS_EVENTS }>("callback.1");
    transmit_in_handler_reply_sent: calling::<{ callback::REPLIES_FROM_OTHER_ADDRESS }>("callback.5");
    transmit_in_handler_second_reply_sent: calling::<{ callback::REPLIES_ONCE }>("callback.5");
    transmit_in_handler_illegal_length_rejected: calling::<{ callback::REPLIES_OF_ANY_LENGTH }>("callback.5");
    transmit_in_handler_link_down_rejected: calling::<{ callback::REPLIES_WITH_LINK_DOWN }>("callback.5");
    set_rx_filter_many_groups_exact_is_exact: control::<filters::HashesGroups>("control.3");
    set_rx_filter_after_any_other_applied: control::<filters::StaysPromiscuous>("control.3");
    set_rx_filter_frames_pending_delivered_or_counted: control::<filters::DropsPendingFramesForTheFilter>("control.3");
    rearm_any_interest_each_event_interrupts: rearm::<wakeups::UnmasksOneSource>("rearm.1");
    rearm_tx_link_down_interrupts_when_up: rearm::<wakeups::MasksTheLinkForTx>("rearm.1");
    rearm_link_change_while_masked_not_missed: rearm::<wakeups::ReadsTheLinkWhenArmed>("rearm.1");
    rearm_link_change_at_any_access_not_missed: rearm::<wakeups::ChecksTheLinkBeforeUnmasking>("rearm.1");
    rearm_tx_completion_at_any_time_not_missed: rearm::<crate::pull::ChecksNothingInRearm>("rearm.1");
    rearm_in_fault_not_armed: rearm::<wakeups::ArmsInFault>("rearm.2");
    ready_dropped_link_change_kept: awaiting::<{ asynch::READY_TAKES_LINK_CHANGE }>("async.1");
    ready_any_interest_returns_what_holds: awaiting::<{ asynch::READY_RETURNS_MORE }>("async.5");
    ready_tx_link_down_completes_when_up: awaiting::<{ asynch::READY_TX_WITHOUT_LINK }>("async.5");
    ready_in_fault_returns_error: awaiting::<{ asynch::WAITS_IN_FAULT }>("async.5");
    any_wait_new_waker_replaces_former: awaiting::<{ asynch::WAKES_FIRST_WAKER }>("async.5");
    control_any_sequence_state_as_in_table: control::<lifecycle::SleepForgetsRunning>("control.1");
    settings_while_stopped_applied: control::<lifecycle::IgnoresTheFilterWhenStopped>("control.4");
    start_running_pending_frames_kept: control::<lifecycle::StartResets>("control.1");
    control_frames_pending_delivered_or_counted: control::<crate::pull::StopsWithoutCounting>("control.2");
    recover_after_fault_settings_and_state_kept: control::<lifecycle::ForgetsTheFilterInFault>("control.4");
    recover_after_bus_failure_settings_and_state_kept: control::<lifecycle::RestoresTheResetState>("control.4");
    control_access_fails_retry_has_whole_effect: control::<lifecycle::ComparesTheRequestedAddress>("control.6");
    any_call_access_fails_nothing_lost_or_repeated: control::<lifecycle::LosesTheFrameWithTheLastAccess>("device.10");
    control_frame_arrives_inside_delivered_or_counted: control::<lifecycle::AddressDropsArrivals>("control.2");
    any_call_frame_arrives_inside_delivered: pull::<lifecycle::ServiceDropsArrivals>("device.2");
    recv_frame_queue_full_frame_arrives_inside_exact: pull::<lifecycle::FreesBeforeItCopies>("device.2");
    any_call_overrun_inside_counted: pull::<lifecycle::ClearsOverrunsUnread>("device.9");
    any_call_link_change_inside_reported_once: pull::<lifecycle::ReadsTheLinkTwice>("events");
    control_future_dropped_retry_has_whole_effect: awaiting_control::<{ asynch::STORES_THE_STATE_FIRST }>("control.6");
    any_call_future_dropped_nothing_lost_or_repeated: awaiting_control::<{ asynch::RECV_LOSES_WHEN_DROPPED }>("async.3");
}
