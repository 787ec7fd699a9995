//! What there is to run.

/// A machine of QEMU's.
#[derive(Debug)]
pub(super) struct Board {
    /// QEMU's name of it.
    pub(super) machine: &'static str,
    /// What its programs are compiled for.
    pub(super) target: &'static str,
    /// QEMU's name of its NIC.
    pub(super) model: &'static str,
    /// Processor and NIC, for people.
    pub(super) about: &'static str,
    /// What a scan of its MDIO bus finds first. The model of the LAN9118 answers at every address, that of the ENET at one.
    pub(super) phy: &'static str,
    /// The least length of a frame that it sends, without FCS. Where that is less than Ethernet's 60 bytes, the hardware pads, and QEMU's model of it does not.
    pub(super) shortest: usize,
    /// The programs whose instructions are counted: through `ethdev-smoltcp`, and through a `phy::Device` by hand.
    pub(super) frames: [&'static str; 2],
}

/// An image of the firmware workspace.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) name: &'static str,
    pub(super) board: &'static Board,
    /// Who schedules it.
    pub(super) scheduler: &'static str,
}

/// What a frame has at least.
pub(super) const ETHERNET_HEADER: usize = 14;

static MPS2: Board = Board {
    machine: "mps2-an385",
    target: "thumbv7m-none-eabi",
    model: "lan9118",
    about: "Cortex-M3, LAN9118",
    phy: "PHY LAN911x at 0",
    shortest: 60,
    frames: ["mps2_frames", "mps2_frames_baseline"],
};

static IMX6UL: Board = Board {
    machine: "mcimx6ul-evk",
    target: "armv7a-none-eabi",
    model: "imx.enet",
    about: "Cortex-A7, ENET",
    phy: "PHY LAN911x at 2",
    shortest: ETHERNET_HEADER,
    frames: ["imx6ul_frames", "imx6ul_frames_baseline"],
};

pub(super) static BOARDS: [&Board; 2] = [&MPS2, &IMX6UL];

pub(super) static PROGRAMS: [Program; 4] = [
    Program {
        name: "mps2_bare",
        board: &MPS2,
        scheduler: "bare loop",
    },
    Program {
        name: "mps2_embassy",
        board: &MPS2,
        scheduler: "embassy",
    },
    Program {
        name: "mps2_rtic",
        board: &MPS2,
        scheduler: "RTIC",
    },
    Program {
        name: "imx6ul_bare",
        board: &IMX6UL,
        scheduler: "bare loop",
    },
];
