//! The spare, and what state sending is in.

use ethdev::{Error, ErrorKind, TxHalf};

use crate::ledger::Ledger;

/// What stands between smoltcp and the device's transmit half.
///
/// ```text
///            refused: link down                      no room for a reply
/// Blocked <----------------------- Clear -----------------------------> Parked
///    |    -----------------------> ^   ^ <------------------------------  |
///    |         link is up                   parked frame sent, refused    |
///    ^------------------------------ refused: link down ------------------|
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TxState {
    /// Nothing stands in the way.
    Clear,
    /// A frame of this length waits in the spare.
    Parked(usize),
    /// The link was down, or the device stopped, when it was last asked.
    Blocked,
}

#[derive(Debug)]
pub(crate) struct TxPort<'b, E> {
    /// At least as long as `max_transmission_unit`.
    spare: &'b mut [u8],
    pub(crate) state: TxState,
    pub(crate) ledger: Ledger<E>,
}

impl<'b, E: Error> TxPort<'b, E> {
    pub(crate) const fn new(spare: &'b mut [u8], state: TxState) -> Self {
        Self {
            spare,
            state,
            ledger: Ledger::new(),
        }
    }

    pub(crate) const fn has_pending_reply(&self) -> bool {
        matches!(self.state, TxState::Parked(_))
    }

    /// Hands the parked frame to the device. Whether the spare is free then.
    #[cold]
    pub(crate) fn flush<T: TxHalf<Error = E>>(&mut self, half: &mut T) -> bool {
        let TxState::Parked(len) = self.state else { return true };
        let frame = self.spare.get(..len).unwrap_or_default();
        match half.send_vectored(&[frame]) {
            Ok(true) => self.state = TxState::Clear,
            Ok(false) => return false,
            Err(e) if e.kind().is_busy() => return false,
            Err(e) => {
                self.state = TxState::Clear;
                self.refuse(e);
            }
        }
        true
    }

    /// Counts a frame that the device did not accept.
    #[cold]
    pub(crate) fn refuse(&mut self, error: E) {
        if matches!(error.kind(), ErrorKind::LinkDown | ErrorKind::Stopped) {
            self.ledger.count_drop(|drops| &mut drops.tx_link_down);
            self.state = TxState::Blocked;
        } else {
            self.ledger.count_drop(|drops| &mut drops.tx_refused);
            self.ledger.latch(error);
        }
    }

    /// Memory for a frame for which the device has no room now. A frame that waits there already gives way.
    fn park(&mut self, len: usize) -> &mut [u8] {
        if self.has_pending_reply() {
            self.ledger.count_drop(|drops| &mut drops.tx_replies_dropped);
        }
        self.state = TxState::Parked(len);
        self.scratch(len)
    }

    /// Memory for a frame that the device has no room for, or has refused beforehand: the spare's.
    #[cold]
    pub(crate) fn instead(&mut self, len: usize, error: Option<E>) -> &mut [u8] {
        match error {
            Some(e) => self.refuse_before(len, e),
            None => self.park(len),
        }
    }

    /// Whether this is the address of the spare.
    #[inline]
    pub(crate) fn is_spare(&self, place: *const u8) -> bool {
        core::ptr::eq(self.spare.as_ptr(), place)
    }

    /// Memory for a frame that the device refused beforehand.
    fn refuse_before(&mut self, len: usize, error: E) -> &mut [u8] {
        if error.kind().is_busy() {
            return self.park(len);
        }
        self.refuse(error);
        self.scratch(len)
    }

    /// `len` bytes of the spare; all of it where it is shorter. It is not: see the adapter's documentation on panics.
    fn scratch(&mut self, len: usize) -> &mut [u8] {
        let len = len.min(self.spare.len());
        self.spare.get_mut(..len).unwrap_or_default()
    }
}
