//! A device under test behind the pull API.

use ethdev::{Control, ErrorKind, ErrorType, EthernetDevice, Events, LendingDevice, Rearm, RxMeta};

use super::dut::{AnyControl, AnyRearm, Dut, WithHalves, kind};
use super::kinds::MapKind;
use super::watchdog;

/// A device, or a layer around it, behind the pull API.
pub(super) struct PullDut<D> {
    device: D,
    hooks: Hooks<D>,
}

/// Erased access to the optional traits of `D`.
struct Hooks<D> {
    control: Option<fn(&mut D) -> AnyControl<'_>>,
    rearm: Option<fn(&mut D) -> AnyRearm<'_>>,
    halves: Option<fn(&mut D, WithHalves<'_>)>,
}

impl<D: EthernetDevice> PullDut<D> {
    pub(super) const fn new(device: D) -> Self {
        Self {
            device,
            hooks: Hooks {
                control: None,
                rearm: None,
                halves: None,
            },
        }
    }

    pub(super) fn with_control(mut self) -> Self
    where
        D: Control,
    {
        self.hooks.control = Some(|device| Box::new(MapKind(device)));
        self
    }

    pub(super) fn with_rearm(mut self) -> Self
    where
        D: Rearm,
    {
        self.hooks.rearm = Some(|device| Box::new(MapKind(device)));
        self
    }

    /// Adds the halves.
    pub(super) fn with_halves(mut self) -> Self
    where
        D: LendingDevice,
    {
        self.hooks.halves = Some(|device, f| {
            let (rx, tx) = device.split();
            f(&mut MapKind(rx), &mut MapKind(tx));
        });
        self
    }
}

impl<D: EthernetDevice> ErrorType for PullDut<D> {
    type Error = ErrorKind;
}

impl<D: EthernetDevice> EthernetDevice for PullDut<D> {
    ethdev::forward_ethernet_device!(|this| this.device; mac_address, capabilities, tx_max_frame_len, link, stats);

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, ErrorKind> {
        watchdog::calling("recv_frame");
        self.device.recv_frame(buf).map_err(kind)
    }

    fn tx_ready(&mut self) -> Result<bool, ErrorKind> {
        watchdog::calling("tx_ready");
        self.device.tx_ready().map_err(kind)
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), ErrorKind> {
        watchdog::calling("send_vectored");
        self.device.send_vectored(parts).map_err(kind)
    }

    fn send_frame(&mut self, frame: &[u8]) -> Result<(), ErrorKind> {
        watchdog::calling("send_frame");
        self.device.send_frame(frame).map_err(kind)
    }

    fn discard_frame(&mut self) -> Result<bool, ErrorKind> {
        watchdog::calling("discard_frame");
        self.device.discard_frame().map_err(kind)
    }

    fn service(&mut self) -> Result<Events, ErrorKind> {
        watchdog::calling("service");
        self.device.service().map_err(kind)
    }
}

impl<D: EthernetDevice> Dut for PullDut<D> {
    fn kind_of_error_from(&self, from: ErrorKind) -> ErrorKind {
        kind(D::Error::from(from))
    }

    fn control(&mut self) -> Option<AnyControl<'_>> {
        self.hooks.control.map(|hook| hook(&mut self.device))
    }

    fn rearm(&mut self) -> Option<AnyRearm<'_>> {
        self.hooks.rearm.map(|hook| hook(&mut self.device))
    }

    fn halves(&mut self, f: WithHalves<'_>) {
        if let Some(hook) = self.hooks.halves {
            hook(&mut self.device, f);
        }
    }
}
