//! The list of checks, and the macro that makes tests of them.

/// Calls `$then` with every check: documentation, name, requirement, module, and what it needs: hooks
/// of the fixture, methods of `Control` and capabilities without which it is skipped.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_checks {
    ([$($then:tt)*] $($args:tt)*) => {
        $($then)* ! {
            $($args)*
            pull {
                /// Receives from an idle device into buffers of several lengths, an empty one
                /// included: `Ok(None)` at once.
                /// Typical defect: the driver waits for a frame, or returns an error for an empty
                /// buffer.
                recv_frame_nothing_pending_returns_none: DEVICE_1 in checks_rx [];
                /// Receives a frame of every length from the shortest to the longest and compares
                /// each byte.
                /// Typical defect: the driver passes on the FCS; is wrong at lengths that are no
                /// multiple of the bus word.
                recv_frame_any_length_byte_exact: DEVICE_2 in checks_rx [];
                /// Receives bursts of random lengths, as long as the receive queue.
                /// Typical defect: the driver reorders or repeats frames where a ring wraps.
                recv_frame_bursts_in_order: DEVICE_2 in checks_rx [];
                /// Receives frames to the own address and to the broadcast address with the default
                /// filter.
                /// Typical defect: the driver does not receive broadcasts.
                recv_frame_own_address_and_broadcast_delivered: DEVICE_2 in checks_rx [];
                /// Sends a frame of every length from a bare header to the longest and compares
                /// each byte at the peer.
                /// Typical defect: the driver is wrong at lengths that are no multiple of the bus
                /// word.
                send_frame_any_length_byte_exact: DEVICE_2 in checks_tx [];
                /// Sends more frames than the transmit queue holds, and repeats each that is
                /// `Busy`.
                /// Typical defect: the driver drops or repeats frames when its queue is full.
                send_frame_bursts_in_order: DEVICE_2 in checks_tx [];
                /// Sends frames in parts of many sizes, with empty parts and an empty list.
                /// Typical defect: the driver leaves gaps between parts whose length is no multiple
                /// of the bus word.
                send_vectored_any_parts_concatenated: DEVICE_2 in checks_tx [];
                /// Overwrites the caller's buffer after `send_frame` returned, before the frame is
                /// sent.
                /// Typical defect: the driver keeps a reference to the buffer instead of a copy.
                send_frame_buffer_reused_frame_unchanged: DEVICE_2 in checks_tx [stall_tx];
                /// Sends until `Busy` while the transmitter is stalled; all accepted frames are
                /// sent later, the rejected ones never.
                /// Typical defect: the driver returns `Ok` and drops the frame.
                send_frame_queue_full_busy_nothing_lost: DEVICE_4 in checks_tx [stall_tx];
                /// Receives while the transmit queue is full.
                /// Typical defect: the driver needs a transmit buffer to receive.
                recv_frame_tx_queue_full_delivered: DEVICE_5 in checks_rx [stall_tx];
                /// Sends while the receive queue is full.
                /// Typical defect: the driver handles received frames before it sends.
                send_frame_rx_queue_full_accepted: DEVICE_5 in checks_tx [];
                /// Sends frames that are shorter than a header and longer than the maximum:
                /// `FrameTooShort`, `FrameTooLong`, and nothing is sent.
                /// Typical defect: the driver truncates long frames.
                send_frame_illegal_length_rejected: DEVICE_6 in checks_tx [];
                /// The same with a full transmit queue.
                /// Typical defect: the driver returns `Busy`, so that the caller repeats the call
                /// for ever.
                send_frame_illegal_length_queue_full_rejected: DEVICE_6 in checks_tx [stall_tx];
                /// The same with the link down.
                /// Typical defect: the driver returns `LinkDown`.
                send_frame_illegal_length_link_down_rejected: DEVICE_6 in checks_tx [set_link];
                /// Sends short frames after long ones: padding to the minimum of the medium is
                /// zeros.
                /// Typical defect: the driver sends remains of former frames as padding.
                send_frame_short_padded_with_zeros: DEVICE_6 in checks_tx [];
                /// Receives frames whose 802.3 length field is shorter than the frame.
                /// Typical defect: the driver removes the padding.
                recv_frame_padded_padding_kept: DEVICE_6 in checks_rx [];
                /// Calls the cached methods and counts the accesses to the chip: none.
                /// Typical defect: the driver reads the link from the PHY in `link()`.
                cached_values_read_no_access: DEVICE_7 in checks_link [accesses];
                /// Disconnects the link: `link()` stays up until `service`, `recv_frame` or
                /// `send_frame` is called.
                /// Typical defect: the driver reads the link in an interrupt handler.
                link_no_service_unchanged: DEVICE_7 in checks_link [set_link];
                /// Sends with the link down: `LinkDown`, and nothing is sent when the link returns.
                /// Typical defect: the driver queues the frame.
                send_frame_link_down_rejected: DEVICE_7 in checks_link [set_link];
                /// Receives frames that had arrived when the link went down.
                /// Typical defect: the driver empties the receive queue on link loss.
                recv_frame_link_down_pending_frames_delivered: DEVICE_7 in checks_link [set_link];
                /// Sends more frames than the receive queue holds, and good frames after that.
                /// Overruns are counted.
                /// Typical defect: the driver does not clear the overrun condition; counts one
                /// overrun for several frames.
                recv_frame_after_flood_resumes: DEVICE_8 in checks_rx [];
                /// Sends wrong check sequences, runts, giants and noise: each is counted, and good
                /// frames are received after it.
                /// Typical defect: the driver delivers bad frames, or counts one twice.
                recv_frame_bad_frames_dropped_and_counted: DEVICE_8 in checks_rx [peer_send_raw];
                /// The chip reports frame lengths that are out of range: no frame is delivered, and
                /// reception goes on.
                /// Typical defect: the driver panics on a slice; loops.
                recv_frame_invalid_chip_length_no_frame: DEVICE_8 in checks_rx [override_rx_len];
                /// Runs 1500 random operations and compares the counters with the frames at the
                /// peer.
                /// Typical defect: the driver counts a frame before it is accepted.
                stats_random_traffic_every_frame_counted: DEVICE_9 in checks_rx [];
                /// Disconnects the link with frames in the transmit queue: they are sent later or
                /// counted.
                /// Typical defect: the driver clears the queue without counting.
                stats_link_lost_while_sending_every_frame_counted: DEVICE_9 in checks_link [set_link, stall_tx];
                /// Injects a chip fault: calls return a device error, or the device reports its
                /// recovery.
                /// Typical defect: the driver returns `Ok(None)` for ever.
                any_call_chip_fault_returns_error: DEVICE_10 in checks_link [inject_fault];
                /// Fails every access: each call returns a device error, and works again afterwards
                /// or returns `Fault`.
                /// Typical defect: the driver takes a failed read for zeros.
                any_call_bus_failure_returns_error: DEVICE_10 in checks_link [fail_bus];
                /// Compares `E::from(kind).kind()` with `kind`, for every kind.
                /// Typical defect: the driver maps several kinds to `Other`.
                error_from_any_kind_keeps_kind: ERROR in checks_link [];
                /// Compares the declared frame lengths with the longest frame of the medium.
                /// Typical defect: the driver declares the IP MTU.
                capabilities_max_frame_len_covers_medium: CAPABILITIES in checks_rx [];
                /// As many frames of maximum length as declared are queued.
                /// Typical defect: the driver declares buffers that the hardware keeps for itself.
                capabilities_rx_queue_frames_held: CAPABILITIES in checks_rx [rx_queue_frames];
                /// As many frames of maximum length as declared are accepted while the transmitter
                /// is stalled.
                /// Typical defect: the driver declares one more than its ring holds.
                capabilities_tx_queue_frames_accepted: CAPABILITIES in checks_tx [stall_tx, tx_queue_frames];
                /// Compares `rx_pending`, `tx_ready` and `tx_completed` with the traffic.
                /// Typical defect: the driver reports a completion twice.
                service_traffic_events_match_state: EVENTS in checks_link [];
                /// Compares `link_changed` with `link()` for each change.
                /// Typical defect: the driver reports a change twice or, when another call noticed
                /// it, never.
                service_link_changes_reported_once: EVENTS in checks_link [set_link];
                /// Sends and receives while the link changes, then calls `service`: it reports
                /// the change, whichever call saw it first.
                /// Typical defect: the driver reports only the changes that `service` itself
                /// finds.
                service_link_change_seen_by_traffic_reported: EVENTS in checks_link [set_link];
            }
            caller {
                /// Receives into a buffer that is too short, repeatedly: `BufferTooSmall` with the
                /// right length, then the frame.
                /// Typical defect: the driver drops the frame.
                recv_frame_short_buffer_frame_kept: DEVICE_3 in checks_rx [];
                /// Discards frames: one each, counted in `rx_discarded`.
                /// Typical defect: the driver counts a discard of nothing.
                discard_frame_pending_drops_one: DEVICE_3 in checks_rx [];
                /// Sends after each `Ok(true)` of `tx_ready` while the transmitter is stalled.
                /// Typical defect: the driver compares with another limit than `send_frame` does.
                tx_ready_true_send_not_busy: DEVICE_4 in checks_tx [stall_tx];
                /// Sends 3000 frames, each after `tx_ready` returned `true`, while the peer
                /// takes them.
                /// Typical defect: `tx_ready` and `send_*` compute the free capacity in two
                /// ways that differ where a ring wraps.
                tx_ready_long_run_send_not_busy: DEVICE_4 in checks_tx [];
            }
            lend {
                /// Drops lent frames without release: the same frame is lent again.
                /// Typical defect: the driver releases on drop.
                peek_not_released_lends_same_frame: LENDING_1 in checks_lending [];
                /// Sends a flood while a frame is lent: its bytes do not change.
                /// Typical defect: the driver gives the buffer back to the chip too early.
                peek_flood_lent_memory_unchanged: LENDING_1 in checks_lending [];
                /// Compares `RxHalf::pending` with the next `peek`, for each number of pending
                /// frames, and `TxHalf::ready` with the next `reserve`, until the transmit
                /// queue is full.
                /// Typical defect: an override of `pending` ignores the frame that is lent.
                pending_and_ready_match_next_call: LENDING_1 in checks_lending [stall_tx];
                /// Loses the link while a frame is lent and memory is reserved: the frame is
                /// lent again in a later split, and the buffers are free when the link returns.
                /// Typical defect: the driver empties its rings when the link is lost, with the
                /// lent frame in them.
                split_link_lost_frame_lent_again: LENDING_1 in checks_lending [set_link];
                /// Uses both halves at once, in every order of peek, reserve, commit and release.
                /// Typical defect: the driver shares one buffer.
                split_both_halves_independent: LENDING_2 in checks_lending [];
                /// The pull API returns the frame that is lent.
                /// Typical defect: the driver takes the next frame from the chip.
                recv_frame_frame_lent_returns_same_frame: LENDING_2 in checks_lending [];
                /// Drops more reservations than there are buffers.
                /// Typical defect: the driver leaks the buffer.
                reserve_dropped_buffer_freed: LENDING_3 in checks_lending [stall_tx];
                /// Reserves memory, drops the halves, splits again: `commit` fails and nothing
                /// is sent, and a lent frame is still lent.
                /// Typical defect: the reservation is kept in the device, and `commit` sends
                /// what is in the memory.
                split_again_reservation_ended: LENDING_3 in checks_lending [];
                /// Commits too little, more than reserved, and without a reservation.
                /// Typical defect: the driver sends what is in the buffer.
                commit_illegal_length_rejected: LENDING_4 in checks_lending [];
                /// Commits many lengths, multiples of four or not, of longer reservations.
                /// Typical defect: the driver sends the reserved length, or rounds the length
                /// to words.
                commit_less_than_reserved_sends_first_bytes: LENDING_4 in checks_lending [];
                /// Commits with the link down: `LinkDown`, and the reservation ends.
                /// Typical defect: the driver keeps the reservation.
                commit_link_down_rejected: LENDING_4 in checks_lending [set_link];
            }
            callback {
                /// Polls with pending frames: the handler gets each once, in order.
                /// Typical defect: the driver delivers a frame again if the handler sends.
                poll_frames_pending_handler_called_once_each: CALLBACK_1 in checks_callback [];
                /// The handler writes over each frame: it is delivered once, and the next
                /// frames are intact.
                /// Typical defect: the device delivers from its memory again after the handler
                /// wrote to it.
                handler_writes_frame_next_frame_intact: CALLBACK_1 in checks_callback [];
                /// Polls while the bus fails, with and without a handler and with several
                /// budgets: each `poll` returns the error.
                /// Typical defect: the loop over the frames ends at the first error and drops
                /// it.
                poll_bus_failure_returns_error: CALLBACK_1 in checks_callback [fail_bus];
                /// Adds up `tx_completed` of the replies, then changes the link: `poll` returns
                /// the events.
                /// Typical defect: the driver drops the events that the housekeeping inside
                /// `poll` found.
                poll_link_and_replies_events_returned: CALLBACK_1 in checks_callback [set_link];
                /// Replaces and clears the handler: the former one is returned and is not called
                /// again.
                /// Typical defect: the driver keeps it for one more frame.
                set_handler_former_never_called_again: CALLBACK_2 in checks_callback [];
                /// Polls with budgets from 0: at most that many frames, and `more` says whether
                /// frames are pending.
                /// Typical defect: the driver reports `more = false` at the budget.
                poll_budget_not_exceeded: CALLBACK_3 in checks_callback [];
                /// Polls without a handler: frames stay pending.
                /// Typical defect: the driver drops them.
                poll_no_handler_frames_kept: CALLBACK_4 in checks_callback [];
                /// Calls all other methods with pending frames: the handler does not run.
                /// Typical defect: the driver delivers in `set_handler`.
                handler_outside_poll_never_called: CALLBACK_5 in checks_callback [];
                /// Sends replies from inside the handler.
                /// Typical defect: the driver loses the reply, or the next frame.
                transmit_in_handler_reply_sent: CALLBACK_5 in checks_callback [];
                /// Sends three replies to one frame from the handler: as many as the queue
                /// holds are accepted and sent in order.
                /// Typical defect: the handle can be used once only.
                transmit_in_handler_second_reply_sent: CALLBACK_5 in checks_callback [];
                /// Sends replies of illegal lengths from the handler: typed errors, and nothing
                /// is sent.
                /// Typical defect: the handle writes to the queue without validation.
                transmit_in_handler_illegal_length_rejected: CALLBACK_5 in checks_callback [];
                /// Sends a reply from the handler to a frame that arrived before the link was
                /// lost: `LinkDown`, and nothing is sent when the link returns.
                /// Typical defect: the handle queues without a check of the link.
                transmit_in_handler_link_down_rejected: CALLBACK_5 in checks_callback [set_link];
                /// Sends from inside the handler with a full transmit queue: `Busy`, and reception
                /// continues.
                /// Typical defect: the driver stops delivery.
                transmit_in_handler_queue_full_busy: CALLBACK_5 in checks_callback [stall_tx, send_outside_handler];
            }
            control {
                /// Stops and starts twice each: while stopped no frame is sent or received, and the
                /// link is down.
                /// Typical defect: the driver receives while stopped.
                stop_running_no_traffic: CONTROL_1 in checks_control [start, stop];
                /// The same for sleep and wake.
                /// Typical defect: the driver keeps the link up.
                sleep_running_no_traffic: CONTROL_1 in checks_control [sleep, wake];
                /// Stops and sleeps with pending frames in both directions: they are counted in
                /// `rx_reset` and `tx_reset`.
                /// Typical defect: the driver clears its queues without counting.
                stop_frames_pending_counted: CONTROL_2 in checks_control [start, stop];
                /// Sets nine filters and sends to seven destinations. `Exact` is exact.
                /// Typical defect: the driver calls a hash filter `Exact`.
                set_rx_filter_any_filter_applied: CONTROL_3 in checks_control [set_rx_filter];
                /// Sets lists of up to 130 groups: each listed group passes. If the answer is
                /// `Exact`, no other does, neither one that the usual CRC hashes cannot tell
                /// from a listed one, nor one that differs in one bit.
                /// Typical defect: the driver answers `Exact` for a hash table, or for a list
                /// that it truncated.
                set_rx_filter_many_groups_exact_is_exact: CONTROL_3 in checks_filter [set_rx_filter];
                /// Sets each filter after each other one and sends to four addresses: nothing
                /// of the former filter is left.
                /// Typical defect: the driver never leaves promiscuous or all-multicast mode.
                set_rx_filter_after_any_other_applied: CONTROL_3 in checks_filter [set_rx_filter];
                /// Sets filters with frames pending and queued: each is delivered, or counted
                /// in `rx_reset` or `tx_reset`.
                /// Typical defect: the receiver is reset for the change, and its queue is lost
                /// uncounted.
                set_rx_filter_frames_pending_delivered_or_counted: CONTROL_3 in checks_filter [set_rx_filter];
                /// Sets another address: frames to it are received, to the former one not; group
                /// addresses are `InvalidInput`.
                /// Typical defect: the driver changes only what `mac_address()` returns.
                set_mac_address_new_address_received: CONTROL_3 in checks_control [set_mac_address];
                /// Compares address and filter after stop, sleep and recovery.
                /// Typical defect: the driver resets the filter.
                settings_after_restart_kept: CONTROL_4 in checks_control [set_rx_filter];
                /// Recovers a working device with pending frames: they are counted or delivered,
                /// and so is the recovery.
                /// Typical defect: the driver clears the counters.
                recover_frames_pending_resumes: CONTROL_5 in checks_control [recover];
                /// Recovers after an injected fault; faults are counted.
                /// Typical defect: the driver does not clear the fault at the chip.
                recover_after_fault_resumes: CONTROL_5 in checks_control [inject_fault, recover];
            }
            rearm {
                /// A frame that arrives after `Armed` causes an interrupt.
                /// Typical defect: the driver unmasks another source.
                rearm_frame_after_armed_interrupts: REARM_1 in checks_rearm [irq_signal];
                /// Transmit capacity that returns after `Armed` causes an interrupt.
                /// Typical defect: the driver does not enable the transmit interrupt.
                rearm_tx_ready_after_armed_interrupts: REARM_1 in checks_rearm [irq_signal, stall_tx];
                /// A link change after `Armed` causes an interrupt.
                /// Typical defect: the driver does not unmask the PHY.
                rearm_link_change_after_armed_interrupts: REARM_1 in checks_rearm [irq_signal, set_link, link_interrupts];
                /// A frame arrives before each access of `rearm`: it causes an interrupt or
                /// `WorkPending`.
                /// Typical defect: the driver looks for frames before it unmasks.
                rearm_frame_at_any_access_not_missed: REARM_1 in checks_rearm [irq_signal, accesses, peer_send_before_access];
                /// A host that works only after interrupts receives random traffic.
                /// Typical defect: the driver loses an edge between drain and unmask.
                rearm_interrupt_driven_host_no_frame_missed: REARM_1 in checks_rearm [irq_signal];
                /// Arms for each set of conditions, then causes one event of it: an interrupt.
                /// Typical defect: the driver unmasks only one source of a set.
                rearm_any_interest_each_event_interrupts: REARM_1 in checks_rearm [irq_signal, stall_tx];
                /// Arms for transmit capacity while the link is down, alone and with other
                /// conditions: an interrupt when it comes up.
                /// Typical defect: armed for TX, the driver masks the interrupt of the link.
                rearm_tx_link_down_interrupts_when_up: REARM_1 in checks_rearm [irq_signal, set_link, link_interrupts];
                /// Changes the link while the interrupt is masked, then arms: `WorkPending`, or
                /// an interrupt.
                /// Typical defect: the driver clears the flag of the link when it unmasks.
                rearm_link_change_while_masked_not_missed: REARM_1 in checks_rearm [irq_signal, set_link, link_interrupts];
                /// Changes the link before each single access of `service` and `rearm`: `WorkPending`, or
                /// an interrupt.
                /// Typical defect: the driver reads the link, then unmasks its interrupt.
                rearm_link_change_at_any_access_not_missed: REARM_1 in checks_rearm [irq_signal, set_link, link_interrupts, accesses, set_link_before_access];
                /// Arms at 100 moments around the completion of a frame: `WorkPending`, or an
                /// interrupt.
                /// Typical defect: the driver clears the completion between its check and the
                /// unmasking.
                rearm_tx_completion_at_any_time_not_missed: REARM_1 in checks_rearm [irq_signal, stall_tx];
                /// Re-arms with a pending frame, also a lent one: `WorkPending`.
                /// Typical defect: the driver looks at edges only.
                rearm_frame_pending_returns_work_pending: REARM_2 in checks_rearm [irq_signal];
                /// Re-arms for transmission with free capacity: `WorkPending` exactly if
                /// `tx_ready`.
                /// Typical defect: the driver does not look at the queue.
                rearm_tx_queue_free_returns_work_pending: REARM_2 in checks_rearm [irq_signal, stall_tx];
                /// Arms a device that has returned `Fault`: an error or `WorkPending`.
                /// Typical defect: the driver arms an interrupt that the chip will never raise.
                rearm_in_fault_not_armed: REARM_2 in checks_rearm [irq_signal, inject_fault];
                /// A frame arrives at a disarmed device: no interrupt.
                /// Typical defect: the driver masks in software only.
                disarm_frame_arrives_no_interrupt: REARM_3 in checks_rearm [irq_signal];
                /// Events outside the interest cause no interrupt.
                /// Typical defect: the driver unmasks everything.
                rearm_other_source_no_interrupt: REARM_4 in checks_rearm [irq_signal, masks_by_source];
                /// A frame arrives at a device that is armed for transmission only: no interrupt.
                /// Typical defect: the driver unmasks everything.
                rearm_tx_only_frame_arrives_no_interrupt: REARM_4 in checks_rearm [irq_signal, masks_by_source, stall_tx];
            }
            awaited {
                /// Drops `ready` after any number of polls: a pending frame stays.
                /// Typical defect: the driver takes the frame in `ready`.
                ready_dropped_frame_kept: ASYNC_1 in checks_async [];
                /// Drops `ready` around a link change: the next `ready` for the link reports it.
                /// Typical defect: the driver marks the change as reported.
                ready_dropped_link_change_kept: ASYNC_1 in checks_async [set_link, link_interrupts];
                /// Creates futures and drops them without a poll: no effect.
                /// Typical defect: the driver works in the call instead of in the future.
                any_future_not_polled_no_effect: ASYNC_2 in checks_async [];
                /// Drops `recv_frame` and `recv` after any number of polls: each frame is delivered
                /// once or counted.
                /// Typical defect: the driver takes the frame from the chip, then waits.
                recv_frame_dropped_frame_delivered_or_counted: ASYNC_3 in checks_async [];
                /// Drops `send_frame` after any number of polls: the whole frame is sent or
                /// nothing, and the next one is sent right.
                /// Typical defect: the driver leaves half a frame in the chip.
                send_frame_dropped_whole_or_nothing: ASYNC_4 in checks_async [];
                /// Waits for a frame: completes when it arrives, and not before.
                /// Typical defect: the driver does not store the waker.
                ready_rx_completes_on_frame: ASYNC_5 in checks_async [];
                /// A frame arrives before each access of `ready`: it completes.
                /// Typical defect: the driver looks for frames before it arms.
                ready_rx_frame_at_any_access_not_missed: ASYNC_5 in checks_async [accesses, peer_send_before_access];
                /// Waits for transmit capacity with a full queue: completes when a frame was sent,
                /// and not before.
                /// Typical defect: the driver waits for an interrupt that is not enabled.
                ready_tx_completes_on_free_capacity: ASYNC_5 in checks_async [stall_tx];
                /// Waits for the link: completes on each change, and not before.
                /// Typical defect: the driver does not unmask the PHY.
                ready_link_completes_on_change: ASYNC_5 in checks_async [set_link, link_interrupts];
                /// Waits for each set of conditions with and without a frame, with a full and a
                /// free transmit queue, with a lost link: what is returned was asked for and
                /// holds.
                /// Typical defect: the driver returns every condition that holds, or waits for
                /// the first of a set only.
                ready_any_interest_returns_what_holds: ASYNC_5 in checks_async [stall_tx];
                /// Waits for transmit capacity while the link is down: completes when it comes
                /// up.
                /// Typical defect: the driver waits for a completion, which never comes; or
                /// completes while the link is down.
                ready_tx_link_down_completes_when_up: ASYNC_5 in checks_async [set_link, link_interrupts];
                /// Waits on a device that has returned `Fault`: `ready` returns an error.
                /// Typical defect: the driver waits for an interrupt that the chip will never
                /// raise.
                ready_in_fault_returns_error: ASYNC_5 in checks_async [inject_fault];
                /// Polls `ready`, `recv` and `send` with one waker, then with another one: the
                /// last one is woken.
                /// Typical defect: the driver keeps the first waker.
                any_wait_new_waker_replaces_former: ASYNC_5 in checks_async [];
                /// Waits with an empty interest.
                /// Typical defect: the driver completes at once.
                ready_none_never_completes: ASYNC_5 in checks_async [];
                /// `recv` and `send` wait until they can be done; with the link down `send` returns
                /// `LinkDown`.
                /// Typical defect: the driver returns `Busy` instead of waiting.
                recv_and_send_nothing_possible_wait: ASYNC_5 in checks_async [];
            }
            poll_ready {
                /// Polls again and again without an interrupt: no access to the chip.
                /// Typical defect: the driver reads the status at every poll.
                poll_ready_foreign_wake_no_access: POLL_READY in checks_async [accesses];
                /// Polls with two wakers: the last one is woken.
                /// Typical defect: the driver keeps the first waker.
                poll_ready_new_waker_replaces_former: POLL_READY in checks_async [];
            }
            inside {
                /// A frame arrives before each access of `recv_frame`, `tx_ready`, `send_frame` and
                /// `service`, with and without a pending frame: all are delivered, in order.
                /// Typical defect: the driver clears an event that came after it looked.
                any_call_frame_arrives_inside_delivered: DEVICE_2 in checks_arrival
                    [accesses, peer_send_before_access];
                /// The receive queue is full, and frames arrive before each access of `recv_frame`:
                /// frames are delivered byte for byte or counted as overrun.
                /// Typical defect: the driver frees the buffer before it has copied the frame.
                recv_frame_queue_full_frame_arrives_inside_exact: DEVICE_2 in checks_arrival
                    [accesses, peer_send_before_access];
                /// More frames than the receive queue holds arrive before each access of the same
                /// calls: each is delivered or counted, and reception goes on.
                /// Typical defect: the driver misses an overrun between two reads of the status.
                any_call_overrun_inside_counted: DEVICE_9 in checks_arrival
                    [accesses, peer_send_before_access];
                /// The link changes before each access of the same calls: the next `service` that
                /// sees it reports it, once.
                /// Typical defect: `send_frame` notes the change, and `service` finds none.
                any_call_link_change_inside_reported_once: EVENTS in checks_arrival
                    [accesses, set_link, set_link_before_access];
            }
            lifecycle {
                /// Runs every sequence of four calls of `Control` (three where starting takes
                /// thousands of accesses), one after another. After each call the state is that of
                /// the table of `Control`: the device sends or returns `Stopped`, and its address is
                /// the one that was set. Traffic, address and filter are compared after every 13th
                /// call.
                /// Typical defect: the driver wakes as running after `stop`, `sleep`; `recover`
                /// starts a stopped device.
                control_any_sequence_state_as_in_table: CONTROL_1 in checks_lifecycle [start, stop];
                /// Sets address and filter (a list, all-multicast, promiscuous) of a device that is
                /// stopped or asleep: they apply when it runs again.
                /// Typical defect: the driver writes them to a chip that is in reset.
                settings_while_stopped_applied: CONTROL_4 in checks_lifecycle
                    [start, stop, set_mac_address, set_rx_filter];
                /// Starts and wakes a running device with pending frames in both directions: none is
                /// dropped.
                /// Typical defect: the driver resets the chip in every `start`.
                start_running_pending_frames_kept: CONTROL_1 in checks_lifecycle [start];
                /// Calls each method of `Control` with pending frames in both directions: each frame
                /// is delivered or counted in `rx_reset`, sent or counted in `tx_reset` or
                /// `tx_aborted`.
                /// Typical defect: `set_rx_filter` empties the receive queue, and counts nothing.
                control_frames_pending_delivered_or_counted: CONTROL_2 in checks_lifecycle [start];
                /// Recovers from a fault of the chip, in every state and with each kind of filter:
                /// state, address and filter are kept.
                /// Typical defect: the driver does not restore promiscuous mode; `recover` starts a
                /// stopped device.
                recover_after_fault_settings_and_state_kept: CONTROL_4 in checks_lifecycle
                    [inject_fault, recover, set_rx_filter];
                /// The same after a `recover` during which the bus failed.
                /// Typical defect: the driver notes the reset state as the state to restore.
                recover_after_bus_failure_settings_and_state_kept: CONTROL_4 in checks_lifecycle
                    [fail_bus, recover, set_rx_filter];
                /// Fails each single access of each method of `Control`, in each state, and repeats
                /// the call, half of the time after `recover`: it has its whole effect. Of calls with
                /// hundreds of accesses the first, the last and some between them.
                /// Typical defect: the driver stores the new state before the chip has it, so that
                /// the repeated call returns `Ok` at once.
                control_access_fails_retry_has_whole_effect: CONTROL_6 in checks_failure
                    [accesses, fail_bus_at, start, recover];
                /// Fails each single access of each method of the pull API, with pending frames: the
                /// call returns a device error or has its effect, each frame is delivered once or
                /// counted, and the device works again, if need be after `recover`.
                /// Typical defect: the driver loses its place in the receive ring.
                any_call_access_fails_nothing_lost_or_repeated: DEVICE_10 in checks_failure
                    [accesses, fail_bus_at, recover];
                /// A frame arrives before each access of each method of `Control`: setters, and
                /// `start` and `wake` of a running device, deliver or count it; after the others it is
                /// delivered at most once.
                /// Typical defect: the driver empties the receive queue without counting.
                control_frame_arrives_inside_delivered_or_counted: CONTROL_2 in checks_arrival
                    [accesses, peer_send_before_access, start];
            }
            dropped {
                /// Drops the future of each method of `Control` at each poll, in each state, and
                /// repeats the call, half of the time after `recover`: it has its whole effect. Of
                /// futures with hundreds of polls the first, the last and some between them.
                /// Typical defect: the driver stores the new state before the first `await`.
                control_future_dropped_retry_has_whole_effect: CONTROL_6 in checks_failure [start, recover];
                /// Drops the future of each method of the pull API at each poll, with pending frames:
                /// each frame is delivered once or counted, a frame is sent once or not at all, and
                /// the device works again, if need be after `recover`.
                /// Typical defect: the driver takes the frame from the chip before the last `await`.
                any_call_future_dropped_nothing_lost_or_repeated: ASYNC_3 in checks_failure [recover];
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
            $crate::__conformance_checks!([$crate::__conformance_select] asynch asynch asynch);
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
            $crate::__conformance_checks!([$crate::__conformance_select] inside pull pull);
            $crate::__conformance_checks!([$crate::__conformance_select] direct erased layers);
            $crate::__conformance_checks!([$crate::__conformance_select] inside buffered layers);
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
        $crate::__conformance_checks!([$crate::__conformance_select] lifecycle control control);
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
        $crate::__conformance_checks!([$crate::__conformance_select] dropped asynch_control asynch_control);
    };
}

/// The checks of the groups of an API: groups, name of the API, method of `Suite` that adds it.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_select {
    (
        $groups:ident $api:ident $method:ident
        pull $pull:tt caller $caller:tt lend $lend:tt callback $callback:tt control $control:tt rearm $rearm:tt
        awaited $awaited:tt poll_ready $poll_ready:tt inside $inside:tt lifecycle $lifecycle:tt dropped $dropped:tt
    ) => {
        $crate::__conformance_select!(
            @ $groups $api $method
            $pull $caller $lend $callback $control $rearm $awaited $poll_ready $inside $lifecycle $dropped
        );
    };
    (@ direct $s:ident $m:ident $p:tt $c:tt $l:tt $b:tt $o:tt $r:tt $a:tt $w:tt $i:tt $y:tt $d:tt) => {
        $crate::__conformance_tests!($s $m $p $c);
    };
    (@ inside $s:ident $m:ident $p:tt $c:tt $l:tt $b:tt $o:tt $r:tt $a:tt $w:tt $i:tt $y:tt $d:tt) => {
        $crate::__conformance_tests!($s $m $p $c $i);
    };
    (@ lending $s:ident $m:ident $p:tt $c:tt $l:tt $b:tt $o:tt $r:tt $a:tt $w:tt $i:tt $y:tt $d:tt) => {
        $crate::__conformance_tests!($s $m $p $c $l $i);
    };
    (@ calling $s:ident $m:ident $p:tt $c:tt $l:tt $b:tt $o:tt $r:tt $a:tt $w:tt $i:tt $y:tt $d:tt) => {
        $crate::__conformance_tests!($s $m $p $b);
    };
    (@ callback $s:ident $m:ident $p:tt $c:tt $l:tt $b:tt $o:tt $r:tt $a:tt $w:tt $i:tt $y:tt $d:tt) => {
        $crate::__conformance_tests!($s $m $b);
    };
    (@ control $s:ident $m:ident $p:tt $c:tt $l:tt $b:tt $o:tt $r:tt $a:tt $w:tt $i:tt $y:tt $d:tt) => {
        $crate::__conformance_tests!($s $m $o);
    };
    (@ lifecycle $s:ident $m:ident $p:tt $c:tt $l:tt $b:tt $o:tt $r:tt $a:tt $w:tt $i:tt $y:tt $d:tt) => {
        $crate::__conformance_tests!($s $m $o $y);
    };
    (@ dropped $s:ident $m:ident $p:tt $c:tt $l:tt $b:tt $o:tt $r:tt $a:tt $w:tt $i:tt $y:tt $d:tt) => {
        $crate::__conformance_tests!($s $m $o $y $d);
    };
    (@ rearm $s:ident $m:ident $p:tt $c:tt $l:tt $b:tt $o:tt $r:tt $a:tt $w:tt $i:tt $y:tt $d:tt) => {
        $crate::__conformance_tests!($s $m $r);
    };
    (@ awaiting $s:ident $m:ident $p:tt $c:tt $l:tt $b:tt $o:tt $r:tt $a:tt $w:tt $i:tt $y:tt $d:tt) => {
        $crate::__conformance_tests!($s $m $p $c $a);
    };
    (@ asynch $s:ident $m:ident $p:tt $c:tt $l:tt $b:tt $o:tt $r:tt $a:tt $w:tt $i:tt $y:tt $d:tt) => {
        $crate::__conformance_tests!($s $m $p $c $a $i);
    };
    (@ waking $s:ident $m:ident $p:tt $c:tt $l:tt $b:tt $o:tt $r:tt $a:tt $w:tt $i:tt $y:tt $d:tt) => {
        $crate::__conformance_tests!($s $m $p $c $a $w);
    };
}

/// The tests of some groups on an API.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_tests {
    (
        $api:ident $method:ident
        $({
            $($(#[doc = $doc:literal])* $name:ident: $requirement:ident in $module:ident [$($needs:ident),*];)*
        })*
    ) => {
        mod $api {
            $($(
                #[test]
                fn $name() {
                    $crate::Suite::<super::UnderTest>::new()
                        .$method()
                        .test(stringify!($api), stringify!($name));
                }
            )*)*
        }
    };
}
