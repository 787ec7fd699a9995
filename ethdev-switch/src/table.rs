//! The addresses behind the ports.

use ethdev::MacAddress;

/// One place of the address table, in memory of the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableEntry {
    address: MacAddress,
    port: usize,
}

impl TableEntry {
    /// An unused place.
    pub const EMPTY: Self = Self {
        address: MacAddress::UNSPECIFIED,
        port: 0,
    };
}

/// The learned addresses: those that a port sends from, other than its own.
pub(crate) struct Table<'b> {
    entries: &'b mut [TableEntry],
    /// The entry that is replaced next when the table is full.
    next: usize,
}

impl<'b> Table<'b> {
    pub(crate) fn new(entries: &'b mut [TableEntry]) -> Self {
        entries.fill(TableEntry::EMPTY);
        Self { entries, next: 0 }
    }

    /// Returns the port behind which `address` is.
    pub(crate) fn find(&self, address: MacAddress) -> Option<usize> {
        let entry = self.entries.iter().find(|entry| entry.address == address)?;
        address.is_unicast().then_some(entry.port)
    }

    /// Notes that `address`, of one device, is behind `port`. A full table forgets the entry that
    /// was replaced least recently.
    pub(crate) fn learn(&mut self, address: MacAddress, port: usize) {
        let entry = TableEntry { address, port };
        let known = self.entries.iter().position(|entry| entry.address == address);
        let place = known.or_else(|| self.entries.iter().position(|entry| *entry == TableEntry::EMPTY));
        if let Some(place) = place.and_then(|at| self.entries.get_mut(at)) {
            *place = entry;
            return;
        }
        if let Some(place) = self.entries.get_mut(self.next) {
            *place = entry;
        }
        self.next = self.next.saturating_add(1);
        if self.next >= self.entries.len() {
            self.next = 0;
        }
    }

    /// Forgets `address`: it is not behind a port.
    pub(crate) fn forget(&mut self, address: MacAddress) {
        self.forget_if(|entry| entry.address == address);
    }

    /// Forgets the addresses behind `port`.
    pub(crate) fn forget_port(&mut self, port: usize) {
        self.forget_if(|entry| entry.port == port);
    }

    fn forget_if(&mut self, condition: impl Fn(&TableEntry) -> bool) {
        for entry in self.entries.iter_mut().filter(|entry| condition(entry)) {
            *entry = TableEntry::EMPTY;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn address(n: u8) -> MacAddress {
        MacAddress::new([2, 0, 0, 0, 0, n])
    }

    #[test]
    fn learn_moved_address_is_behind_new_port() {
        let mut entries = [TableEntry::EMPTY; 2];
        let mut table = Table::new(&mut entries);
        table.learn(address(1), 4);
        table.learn(address(2), 5);
        table.learn(address(1), 6);
        assert_eq!((table.find(address(1)), table.find(address(2))), (Some(6), Some(5)));
    }

    #[test]
    fn learn_full_table_replaces_in_turn() {
        let mut entries = [TableEntry::EMPTY; 2];
        let mut table = Table::new(&mut entries);
        for n in 1..=5 {
            table.learn(address(n), usize::from(n));
        }
        let found = [1, 2, 3, 4, 5].map(|n| table.find(address(n)));
        assert_eq!(found, [None, None, None, Some(4), Some(5)]);
    }

    #[test]
    fn forget_frees_the_place() {
        let mut entries = [TableEntry::EMPTY; 2];
        let mut table = Table::new(&mut entries);
        table.learn(address(1), 7);
        table.learn(address(2), 8);
        table.forget(address(1));
        table.learn(address(3), 7);
        assert_eq!([1, 2, 3].map(|n| table.find(address(n))), [None, Some(8), Some(7)]);
        table.forget_port(7);
        assert_eq!([2, 3].map(|n| table.find(address(n))), [Some(8), None]);
    }

    #[test]
    fn table_without_places_learns_nothing() {
        let mut table = Table::new(&mut []);
        table.learn(address(1), 0);
        assert_eq!(table.find(address(1)), None);
        assert_eq!(table.find(MacAddress::UNSPECIFIED), None);
    }

    #[test]
    fn find_unspecified_in_empty_places_is_none() {
        let mut entries = [TableEntry::EMPTY; 2];
        assert_eq!(Table::new(&mut entries).find(MacAddress::UNSPECIFIED), None);
    }
}
