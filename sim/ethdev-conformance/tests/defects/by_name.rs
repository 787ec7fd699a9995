//! Each check fails on a device that has its defect.

use std::collections::BTreeSet;

use ethdev_conformance::Report;

use crate::broken::{Defect, DefectFixture};
use crate::{accounting, asynch, callback, error, filters, frames, lend, lifecycle, poll_ready, suite, wakeups};

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

fn layers<X: Defect>(requirement: &'static str) -> Report {
    suite::<DefectFixture<X>>().layers().only(requirement).run()
}

fn sleeping<X: Defect>(requirement: &'static str) -> Report {
    suite::<DefectFixture<X>>().rearm_layers().only(requirement).run()
}

fn waking<const DEFECT: u8>(requirement: &'static str) -> Report {
    suite::<poll_ready::WakingFixture<DEFECT>>()
        .poll_ready()
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

        const WITH_DEFECT: &[&str] = &[$(stringify!($check)),*];
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
    recv_frame_nothing_pending_returns_none: pull::<crate::pull::WaitsForAFrame>("device.1");
    recv_frame_any_length_byte_exact: pull::<crate::pull::CorruptsAByte>("device.2");
    recv_frame_bursts_in_order: pull::<crate::pull::Reorders>("device.2");
    recv_frame_own_address_and_broadcast_delivered: pull::<lifecycle::DropsBroadcasts>("device.2");
    send_frame_any_length_byte_exact: pull::<crate::pull::SendsTwice>("device.2");
    send_frame_bursts_in_order: pull::<crate::pull::DropsInsteadOfBusy>("device.2");
    send_frame_queue_full_busy_nothing_lost: pull::<crate::pull::DropsInsteadOfBusy>("device.4");
    recv_frame_tx_queue_full_delivered: pull::<crate::pull::NeedsTxCapacityToReceive>("device.5");
    send_frame_rx_queue_full_accepted: pull::<crate::pull::NeedsRxCapacityToSend>("device.5");
    send_frame_illegal_length_rejected: pull::<crate::pull::TruncatesOverlong>("device.6");
    send_frame_illegal_length_queue_full_rejected: pull::<crate::pull::TruncatesOverlong>("device.6");
    send_frame_illegal_length_link_down_rejected: pull::<crate::pull::TruncatesOverlong>("device.6");
    send_frame_short_padded_with_zeros: pull::<crate::pull::PadsWithGarbage>("device.6");
    recv_frame_padded_padding_kept: pull::<frames::TrimsToTheTypeField>("device.6");
    link_no_service_unchanged: pull::<crate::pull::CachesNoLink>("device.7");
    send_frame_link_down_rejected: pull::<crate::pull::SendsWithTheLinkDown>("device.7");
    recv_frame_link_down_pending_frames_delivered: pull::<lifecycle::EmptiesTheQueueOnLinkLoss>("device.7");
    recv_frame_after_flood_resumes: pull::<crate::pull::StopsReceivingAfterOverrun>("device.8");
    recv_frame_invalid_chip_length_no_frame: pull::<crate::pull::PanicsOnABadLength>("device.8");
    stats_random_traffic_every_frame_counted: pull::<crate::pull::LosesOnAShortBuffer>("device.9");
    stats_link_lost_while_sending_every_frame_counted: pull::<accounting::CountsBytesOfLostFrames>("device.9");
    any_call_bus_failure_returns_error: pull::<crate::pull::SwallowsErrors>("device.10");
    error_from_any_kind_keeps_kind: suite::<error::LossyErrorDevice>().pull().only("error").run();
    capabilities_max_frame_len_covers_medium: pull::<crate::pull::ReportsIpMtu>("capabilities");
    capabilities_rx_queue_frames_held: pull::<lifecycle::ReportsLongerRxQueue>("capabilities");
    capabilities_tx_queue_frames_accepted: pull::<crate::pull::ReportsLongerQueue>("capabilities");
    service_traffic_events_match_state: pull::<crate::pull::ReportsNothingPending>("events");
    recv_frame_short_buffer_frame_kept: pull::<crate::pull::LosesOnAShortBuffer>("device.3");
    discard_frame_pending_drops_one: pull::<crate::pull::LosesOnAShortBuffer>("device.3");
    tx_ready_true_send_not_busy: pull::<crate::pull::AlwaysReady>("device.4");
    peek_not_released_lends_same_frame: lending::<{ lend::RELEASES_ON_DROP }>("lending.1");
    peek_flood_lent_memory_unchanged: lending::<{ lend::RELEASES_ON_DROP }>("lending.1");
    split_both_halves_independent: lending::<{ lend::SHARES_ONE_BUFFER }>("lending.2");
    recv_frame_frame_lent_returns_same_frame: lending::<{ lend::PULLS_BESIDE_THE_HALVES }>("lending.2");
    reserve_dropped_buffer_freed: lending::<{ lend::LEAKS_RESERVATIONS }>("lending.3");
    commit_illegal_length_rejected: lending::<{ lend::COMMITS_ANYTHING }>("lending.4");
    commit_link_down_rejected: lending::<{ lend::COMMITS_WITH_LINK_DOWN }>("lending.4");
    poll_frames_pending_handler_called_once_each: calling::<{ callback::CALLS_TWICE }>("callback.1");
    set_handler_former_never_called_again: calling::<{ callback::CLEARS_LATE }>("callback.2");
    poll_budget_not_exceeded: calling::<{ callback::IGNORES_THE_BUDGET }>("callback.3");
    poll_no_handler_frames_kept: calling::<{ callback::DROPS_WITHOUT_HANDLER }>("callback.4");
    handler_outside_poll_never_called: calling::<{ callback::CALLS_OUTSIDE_POLL }>("callback.5");
    stop_running_no_traffic: control::<crate::pull::KeepsTheLinkUpWhenStopped>("control.1");
    sleep_running_no_traffic: control::<crate::pull::KeepsTheLinkUpWhenStopped>("control.1");
    stop_frames_pending_counted: control::<crate::pull::StopsWithoutCounting>("control.2");
    set_rx_filter_any_filter_applied: control::<crate::pull::FiltersNothing>("control.3");
    set_mac_address_new_address_received: control::<lifecycle::WritesNoAddress>("control.3");
    settings_after_restart_kept: control::<crate::pull::ForgetsTheFilter>("control.4");
    recover_frames_pending_resumes: control::<crate::pull::RecoversNothing>("control.5");
    recover_after_fault_resumes: control::<crate::pull::RecoversNothing>("control.5");
    rearm_frame_after_armed_interrupts: rearm::<wakeups::UnmasksNothing>("rearm.1");
    rearm_tx_ready_after_armed_interrupts: rearm::<wakeups::UnmasksNothing>("rearm.1");
    rearm_link_change_after_armed_interrupts: rearm::<wakeups::UnmasksNothing>("rearm.1");
    rearm_frame_at_any_access_not_missed: rearm::<crate::pull::ChecksBeforeUnmasking>("rearm.1");
    rearm_interrupt_driven_host_no_frame_missed: rearm::<wakeups::UnmasksNothing>("rearm.1");
    rearm_frame_pending_returns_work_pending: rearm::<crate::pull::ChecksNothingInRearm>("rearm.2");
    rearm_tx_queue_free_returns_work_pending: rearm::<crate::pull::ChecksNothingInRearm>("rearm.2");
    disarm_frame_arrives_no_interrupt: rearm::<crate::pull::DisarmsNothing>("rearm.3");
    rearm_other_source_no_interrupt: rearm::<crate::pull::UnmasksEverything>("rearm.4");
    rearm_tx_only_frame_arrives_no_interrupt: rearm::<crate::pull::UnmasksEverything>("rearm.4");
    ready_dropped_frame_kept: awaiting::<{ asynch::READY_TAKES_THE_FRAME }>("async.1");
    any_future_not_polled_no_effect: awaiting::<{ asynch::RECEIVES_EAGERLY }>("async.2");
    recv_frame_dropped_frame_delivered_or_counted: awaiting::<{ asynch::RECV_LOSES_WHEN_DROPPED }>("async.3");
    send_frame_dropped_whole_or_nothing: awaiting::<{ asynch::SENDS_HALVES }>("async.4");
    ready_rx_completes_on_frame: awaiting::<{ asynch::NEVER_WOKEN }>("async.5");
    ready_rx_frame_at_any_access_not_missed: sleeping::<crate::pull::ChecksBeforeUnmasking>("async.5");
    ready_tx_completes_on_free_capacity: awaiting::<{ asynch::NEVER_WOKEN }>("async.5");
    ready_link_completes_on_change: awaiting::<{ asynch::NEVER_WOKEN }>("async.5");
    ready_none_never_completes: awaiting::<{ asynch::READY_FOR_NOTHING }>("async.5");
    recv_and_send_nothing_possible_wait: awaiting::<{ asynch::NEVER_WOKEN }>("async.5");
    poll_ready_foreign_wake_no_access: waking::<{ poll_ready::CHECKS_EVERY_POLL }>("poll_ready");
    poll_ready_new_waker_replaces_former: waking::<{ poll_ready::KEEPS_FIRST_WAKER }>("poll_ready");
    transmit_in_handler_queue_full_busy: layers::<lifecycle::DropsReplies>("callback.5");
}

/// The checks without a defective device, and why.
const WITHOUT_DEFECT: &[&str] = &[
    // Its defect is a reference to the buffer of the caller, which safe code cannot keep.
    "send_frame_buffer_reused_frame_unchanged",
];

macro_rules! names {
    ($($group:ident {
        $($(#[doc = $doc:literal])* $name:ident: $requirement:ident in $module:ident [$($needs:ident),*];)*
    })*) => {
        const CHECKS: &[&str] = &[$($(stringify!($name)),*),*];
    };
}

ethdev_conformance::__conformance_checks!([names]);

#[test]
fn checks_all_have_defect() {
    let checks = BTreeSet::from_iter(CHECKS);
    let named: BTreeSet<_> = WITH_DEFECT.iter().chain(WITHOUT_DEFECT).collect();
    assert_eq!(named, checks);
}
