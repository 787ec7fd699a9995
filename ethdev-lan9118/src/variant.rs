//! The chips of the family.

/// A chip of the family, by its `ID_REV` register (data sheets, section 5.3.1).
///
/// The driver treats all of them alike. They differ in the width of the bus (16 or 32 bits), its
/// cycle time (45 ns or 165 ns), Auto-MDIX, and the port for an external PHY.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
#[expect(missing_docs, reason = "named after the chips")]
pub enum Model {
    Lan9115,
    Lan9116,
    Lan9117,
    Lan9118,
    Lan9210,
    Lan9211,
    Lan9215,
    Lan9216,
    Lan9217,
    Lan9218,
    Lan9220,
    Lan9221,
}

impl Model {
    const ALL: [Self; 12] = [
        Self::Lan9115,
        Self::Lan9116,
        Self::Lan9117,
        Self::Lan9118,
        Self::Lan9210,
        Self::Lan9211,
        Self::Lan9215,
        Self::Lan9216,
        Self::Lan9217,
        Self::Lan9218,
        Self::Lan9220,
        Self::Lan9221,
    ];

    /// Returns the identifier of the chip: the upper half of `ID_REV`.
    #[must_use]
    pub const fn id(self) -> u16 {
        match self {
            Self::Lan9115 => 0x0115,
            Self::Lan9116 => 0x0116,
            Self::Lan9117 => 0x0117,
            Self::Lan9118 => 0x0118,
            Self::Lan9210 => 0x9210,
            Self::Lan9211 => 0x9211,
            Self::Lan9215 => 0x115a,
            Self::Lan9216 => 0x116a,
            Self::Lan9217 => 0x117a,
            Self::Lan9218 => 0x118a,
            Self::Lan9220 => 0x9220,
            Self::Lan9221 => 0x9221,
        }
    }

    /// Finds the chip by the upper half of `ID_REV`.
    pub(crate) fn from_id(id: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|model| model.id() == id)
    }
}
