//! Whose a symbol is.

/// The crates that are measured, as the compiler writes their names.
const OURS: [&str; 2] = ["ethdev", "ethdev_smoltcp"];

/// The name as it was before mangling, without hashes.
pub(super) fn demangle(name: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(name))
}

/// Whether the crate that the name begins with is measured.
///
/// A method of a trait is whoever's the type is that has it: `<ethdev::Buffered<..> as smoltcp::Device>::receive` is ours,
/// `<smoltcp::Interface>::poll::<ethdev_smoltcp::Adapter<..>>` is smoltcp's.
pub(super) fn is_ours(name: &str) -> bool {
    let mut rest = name;
    loop {
        let shorter = ["<", "&", "mut ", "dyn ", "["]
            .iter()
            .find_map(|prefix| rest.strip_prefix(prefix));
        match shorter {
            Some(shorter) => rest = shorter,
            None => break,
        }
    }
    rest.split_once("::").is_some_and(|(first, _)| OURS.contains(&first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_crate_counts() {
        assert!(is_ours("ethdev::buffered::send::<ethdev_firmware::lan9118::Lan9118>"));
        assert!(is_ours(
            "<ethdev_smoltcp::device::Adapter<D> as smoltcp::phy::Device>::receive"
        ));
        assert!(is_ours("<&mut ethdev::error::ErrorKind as core::fmt::Debug>::fmt"));
        assert!(!is_ours(
            "<smoltcp::iface::Interface>::poll::<ethdev_smoltcp::device::Adapter<D>>"
        ));
        assert!(!is_ours(
            "<ethdev_firmware::lan9118::Lan9118 as ethdev::device::EthernetDevice>::service"
        ));
        assert!(!is_ours("memcpy"));
    }

    #[test]
    fn mangled_names_are_understood() {
        assert_eq!(
            demangle("_RNvNtCs1234_6ethdev5frame10gather_len"),
            "ethdev::frame::gather_len"
        );
    }
}
