//! The MAC's halves, with the port's error.

use ethdev::{RxFrame, RxHalf, TxHalf};

use crate::Error;

/// The receiving half of a [`EthernetPort`](crate::EthernetPort).
#[derive(Debug)]
pub struct PortRx<R>(pub(crate) R);

/// The sending half of a [`EthernetPort`](crate::EthernetPort).
#[derive(Debug)]
pub struct PortTx<T>(pub(crate) T);

impl<R: RxHalf> RxHalf for PortRx<R> {
    type Error = Error<R::Error>;

    #[inline]
    fn peek(&mut self) -> Result<Option<RxFrame<'_>>, Self::Error> {
        self.0.peek().map_err(Error::Mac)
    }

    #[inline]
    fn pending(&mut self) -> Result<bool, Self::Error> {
        self.0.pending().map_err(Error::Mac)
    }

    #[inline]
    fn release(&mut self) -> Result<(), Self::Error> {
        self.0.release().map_err(Error::Mac)
    }

    fn discard(&mut self) -> Result<(), Self::Error> {
        self.0.discard().map_err(Error::Mac)
    }
}

impl<T: TxHalf> TxHalf for PortTx<T> {
    type Error = Error<T::Error>;

    #[inline]
    fn ready(&mut self) -> Result<bool, Self::Error> {
        self.0.ready().map_err(Error::Mac)
    }

    #[inline]
    fn reserve(&mut self, len: usize) -> Result<Option<&mut [u8]>, Self::Error> {
        self.0.reserve(len).map_err(Error::Mac)
    }

    #[inline]
    fn commit(&mut self, len: usize) -> Result<(), Self::Error> {
        self.0.commit(len).map_err(Error::Mac)
    }

    #[inline]
    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<bool, Self::Error> {
        self.0.send_vectored(parts).map_err(Error::Mac)
    }
}
