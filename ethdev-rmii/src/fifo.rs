//! A queue of fixed capacity.

/// A first-in, first-out queue of at most `N` items.
#[derive(Debug)]
pub(crate) struct Fifo<T, const N: usize> {
    slots: [Option<T>; N],
    head: usize,
    len: usize,
}

impl<T, const N: usize> Fifo<T, N> {
    pub(crate) fn new() -> Self {
        Self {
            slots: [const { None }; N],
            head: 0,
            len: 0,
        }
    }

    pub(crate) fn full(items: [T; N]) -> Self {
        Self {
            slots: items.map(Some),
            head: 0,
            len: N,
        }
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    const fn wrap(index: usize) -> usize {
        if index < N { index } else { index - N }
    }

    /// Appends an item. Returns it if the queue is full.
    pub(crate) fn push(&mut self, item: T) -> Result<(), T> {
        if self.len == N {
            return Err(item);
        }
        match self.slots.get_mut(Self::wrap(self.head + self.len)) {
            Some(slot) => {
                *slot = Some(item);
                self.len += 1;
                Ok(())
            }
            None => Err(item),
        }
    }

    pub(crate) fn pop(&mut self) -> Option<T> {
        let item = self.slots.get_mut(self.head)?.take()?;
        self.head = Self::wrap(self.head + 1);
        self.len -= 1;
        Some(item)
    }

    pub(crate) fn front_mut(&mut self) -> Option<&mut T> {
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
        fn fifo_any_operations_equal_vec_deque(steps: Vec<Option<u8>>) {
            let (mut fifo, mut model) = (Fifo::<u8, 3>::new(), VecDeque::new());
            for step in steps {
                match step {
                    Some(item) => {
                        let free = model.len() < 3;
                        prop_assert_eq!(fifo.push(item), if free { Ok(()) } else { Err(item) });
                        if free {
                            model.push_back(item);
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
    fn full_push_returns_item() {
        let mut fifo = Fifo::full([1, 2]);
        assert_eq!(fifo.push(3), Err(3));
        assert_eq!([fifo.pop(), fifo.pop(), fifo.pop()], [Some(1), Some(2), None]);
    }
}
