//! The boards and programs.

/// A machine of QEMU.
#[derive(Debug)]
pub(super) struct Board {
    /// The name in QEMU.
    pub(super) machine: &'static str,
    /// The target.
    pub(super) target: &'static str,
    /// The name of the NIC in QEMU.
    pub(super) model: &'static str,
    /// Processor and NIC.
    pub(super) about: &'static str,
    /// The line for the PHY that a scan of the MDIO bus finds. The model of the LAN9118 responds at
    /// every address, that of the ENET at one.
    pub(super) phy: &'static str,
    /// The shortest frame that the board sends, without FCS. It is less than 60 bytes if the
    /// hardware pads and the model of QEMU does not.
    pub(super) shortest: usize,
    /// The programs whose instructions are counted: with `ethdev-smoltcp`, and the baseline.
    pub(super) frames: [&'static str; 2],
}

/// An image of the firmware workspace.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) name: &'static str,
    pub(super) board: &'static Board,
    /// The scheduler.
    pub(super) scheduler: &'static str,
    /// Whether it has a client that reports samples.
    pub(super) reports_samples: bool,
}

/// Length of the header of a frame.
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

pub(super) static PROGRAMS: [Program; 6] = [
    Program {
        name: "mps2_bare",
        board: &MPS2,
        scheduler: "loop",
        reports_samples: false,
    },
    Program {
        name: "mps2_embassy",
        board: &MPS2,
        scheduler: "embassy",
        reports_samples: false,
    },
    Program {
        name: "mps2_static",
        board: &MPS2,
        scheduler: "tasks in statics\nembassy-net",
        reports_samples: true,
    },
    Program {
        name: "mps2_lilos",
        board: &MPS2,
        scheduler: "lilos\nembassy-net",
        reports_samples: true,
    },
    Program {
        name: "mps2_rtic",
        board: &MPS2,
        scheduler: "RTIC",
        reports_samples: false,
    },
    Program {
        name: "imx6ul_bare",
        board: &IMX6UL,
        scheduler: "loop",
        reports_samples: false,
    },
];
