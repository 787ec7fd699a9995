//! The counters of a wire.

/// The outcomes of the frames of one direction.
///
/// [`balanced`](Self::balanced) checks the relation of the counters: every frame put on the wire
/// has one outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct WireStats {
    /// Frames put on the wire.
    pub sent: u64,
    /// Bytes of the frames in `sent`, with FCS.
    pub sent_bytes: u64,
    /// Copies that the wire made of frames.
    pub duplicated: u64,
    /// Frames and copies handed to a receiver.
    pub delivered: u64,
    /// Frames that the wire lost.
    pub lost: u64,
    /// Frames and copies that were on the way, or were sent, while the link was down.
    pub cut: u64,
    /// Frames and copies that met one of the other direction, at an end where only one at a time
    /// may be on the wire.
    pub collided: u64,
    /// Frames and copies that arrived at an end without a receiver.
    pub unheard: u64,
    /// Frames and copies still on their way.
    pub in_flight: u64,
    /// Frames with flipped bits, with any outcome.
    pub corrupted: u64,
    /// Frames that were held back, with any outcome.
    pub held_back: u64,
    /// Frames and copies that arrived after one that was sent later.
    pub reordered: u64,
}

impl WireStats {
    /// Whether `sent + duplicated` is `delivered + lost + cut + collided + unheard + in_flight`.
    /// Always so.
    #[must_use]
    pub const fn balanced(&self) -> bool {
        self.sent + self.duplicated
            == self.delivered + self.lost + self.cut + self.collided + self.unheard + self.in_flight
    }
}
