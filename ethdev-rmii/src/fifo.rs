//! A queue of a fixed number of things.

/// First in, first out; `N` at most.
#[derive(Debug)]
pub(super) struct Fifo<T, const N: usize> {
    slots: [Option<T>; N],
    head: usize,
    len: usize,
}

impl<T, const N: usize> Fifo<T, N> {
    pub(super) fn new() -> Self {
        Self {
            slots: [const { None }; N],
            head: 0,
            len: 0,
        }
    }

    pub(super) fn full(things: [T; N]) -> Self {
        Self {
            slots: things.map(Some),
            head: 0,
            len: N,
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    const fn wrap(index: usize) -> usize {
        if index < N { index } else { index - N }
    }

    /// Gives the thing back where there is no room.
    pub(super) fn push(&mut self, thing: T) -> Result<(), T> {
        if self.len == N {
            return Err(thing);
        }
        match self.slots.get_mut(Self::wrap(self.head + self.len)) {
            Some(slot) => {
                *slot = Some(thing);
                self.len += 1;
                Ok(())
            }
            None => Err(thing),
        }
    }

    pub(super) fn pop(&mut self) -> Option<T> {
        let thing = self.slots.get_mut(self.head)?.take()?;
        self.head = Self::wrap(self.head + 1);
        self.len -= 1;
        Some(thing)
    }

    pub(super) fn front_mut(&mut self) -> Option<&mut T> {
        self.slots.get_mut(self.head)?.as_mut()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::vec::Vec;

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_queue_like_any_other(steps: Vec<Option<u8>>) {
            let (mut fifo, mut model) = (Fifo::<u8, 3>::new(), VecDeque::new());
            for step in steps {
                match step {
                    Some(thing) => {
                        let room = model.len() < 3;
                        prop_assert_eq!(fifo.push(thing), if room { Ok(()) } else { Err(thing) });
                        if room {
                            model.push_back(thing);
                        }
                    }
                    None => prop_assert_eq!(fifo.pop(), model.pop_front()),
                }
                prop_assert_eq!(fifo.len(), model.len());
                prop_assert_eq!(fifo.is_empty(), model.is_empty());
                prop_assert_eq!(fifo.front_mut().copied(), model.front().copied());
            }
        }
    }

    #[test]
    fn full_from_the_start() {
        let mut fifo = Fifo::full([1, 2]);
        assert_eq!(fifo.push(3), Err(3));
        assert_eq!([fifo.pop(), fifo.pop(), fifo.pop()], [Some(1), Some(2), None]);
    }
}
