//! The switch, and how it is divided into its ends.

use core::cell::RefCell;

use crate::fabric::{Fabric, Uplink};
use crate::port::Port;
use crate::port_state::PortState;
use crate::queue::Queue;
use crate::runner::Runner;
use crate::table::{Table, TableEntry};
use ethdev::{Control, Error, ErrorKind, LendingDevice, MacAddress, RxFilter};

/// `N` virtual ports on one device, each with a receive queue of `Q` frames.
///
/// The ports share the device on one executor, thread or loop: they are not `Send`. For a client
/// elsewhere, run the channel of `ethdev_util` on its port.
///
/// # Panics
///
/// Never, with one exception: a waker or a closure passed to [`Runner::with_device`] that calls a
/// port of the same switch.
pub struct Switch<'b, D, const N: usize, const Q: usize>(Fabric<'b, D, N, Q>);

impl<'b, D: LendingDevice, const N: usize, const Q: usize> Switch<'b, D, N, Q> {
    /// Puts a port for each of `addresses` on `device`. One of them may be the device's own.
    ///
    /// `queues` holds the received frames of each port; 1514 bytes take every frame without a VLAN
    /// tag. Longer frames are dropped, counted in [`rx_discarded`](ethdev::Stats::rx_discarded)
    /// of the port.
    ///
    /// `table` holds the addresses behind the ports other than their own, for clients that pass on
    /// frames of others (a USB network, a virtual machine). Without entries, nothing is learned. An
    /// address is forgotten when it sends from elsewhere, when its port is stopped, or when the
    /// table is full and another one takes its place; it is learned again when it sends.
    /// Entries have no age: one whose sender has gone is corrected when the sender sends
    /// from elsewhere, and until then frames to it would be lost on the wire, too.
    pub fn new<const LEN: usize>(
        device: D,
        addresses: [MacAddress; N],
        queues: &'b mut [[[u8; LEN]; Q]; N],
        table: &'b mut [TableEntry],
    ) -> Self {
        let uplink = Uplink::new(device, Table::new(table));
        let losses = uplink.losses();
        let mut addresses = addresses.into_iter();
        let ports = queues.each_mut().map(|buffers| {
            // As many addresses as queues.
            let address = addresses.next().unwrap_or(MacAddress::UNSPECIFIED);
            RefCell::new(PortState::new(address, Queue::new(buffers), losses))
        });
        Self(Fabric {
            uplink: RefCell::new(uplink),
            ports,
        })
    }

    /// Returns the ports, in the order of their addresses, and the end for the owner of the device.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if an address is a group address, all zeros, or given twice.
    pub fn split(&mut self) -> Result<([Port<'_, 'b, D, N, Q>; N], Runner<'_, 'b, D, N, Q>), ErrorKind> {
        let fabric = &self.0;
        for (index, port) in fabric.ports.iter().enumerate() {
            let address = port.borrow().address;
            if !address.is_unicast() || fabric.port_of(address) != Some(index) {
                return Err(ErrorKind::InvalidInput);
            }
        }
        let mut index = 0..N;
        let ports = fabric
            .ports
            .each_ref()
            .map(|own| Port::new(fabric, index.next().unwrap_or(N), own));
        Ok((ports, Runner(fabric)))
    }

    /// Returns the device.
    pub fn into_inner(self) -> D {
        self.0.uplink.into_inner().device
    }
}

impl<D: LendingDevice + Control, const N: usize, const Q: usize> Switch<'_, D, N, Q> {
    /// Makes the device receive the frames for all ports: sets its filter to promiscuous. A device
    /// that has no filter (`Unsupported`) is left as it is.
    ///
    /// The filters of the ports then do exactly what they say. Without this call, a port receives
    /// what the filter of the device passes.
    ///
    /// # Errors
    ///
    /// The device failed.
    pub fn open(&mut self) -> Result<(), D::Error> {
        self.set_rx_filter(RxFilter::PROMISCUOUS)
    }

    /// Undoes [`open`](Self::open): sets the filter of the device to that with which devices start,
    /// own address and broadcast.
    ///
    /// # Errors
    ///
    /// The device failed.
    pub fn close(&mut self) -> Result<(), D::Error> {
        self.set_rx_filter(RxFilter::DEFAULT)
    }

    fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<(), D::Error> {
        match self.0.uplink.get_mut().device.set_rx_filter(filter) {
            Err(e) if e.kind() == ErrorKind::Unsupported => Ok(()),
            result => result.map(|_| ()),
        }
    }
}

impl<D, const N: usize, const Q: usize> core::fmt::Debug for Switch<'_, D, N, Q> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Switch").field("ports", &N).finish_non_exhaustive()
    }
}
