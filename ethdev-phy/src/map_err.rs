//! The halves of a MAC, with the error of the port.

use ethdev::{RxFrame, RxHalf, TxHalf};

use crate::Error;

/// A half of a lending MAC with its errors mapped to [`Error::Mac`]: both halves of an
/// [`EthernetPort`](crate::EthernetPort).
#[derive(Debug)]
pub struct MapErr<H>(pub(crate) H);

impl<H: RxHalf> RxHalf for MapErr<H> {
    type Error = Error<H::Error>;

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

impl<H: TxHalf> TxHalf for MapErr<H> {
    type Error = Error<H::Error>;

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
    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), Self::Error> {
        self.0.send_vectored(parts).map_err(Error::Mac)
    }
}
