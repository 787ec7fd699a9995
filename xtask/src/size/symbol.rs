//! The crate of a symbol.

/// The measured crates, as in symbol names.
const OURS: [&str; 3] = ["ethdev", "ethdev_smoltcp", "ethdev_util"];

/// Demangles a name, without hashes.
pub(super) fn demangle(name: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(name))
}

/// Whether a symbol is in a measured crate.
///
/// A trait method is in the crate of its type: `<ethdev_util::Buffered<..> as
/// smoltcp::Device>::receive` in `ethdev_util`,
/// `<smoltcp::Interface>::poll::<ethdev_smoltcp::SmoltcpDevice<..>>` in `smoltcp`.
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

/// The name without generic arguments: `<a::B<C> as d::E<F>>::g::<H>` is `a::B::g`.
pub(super) fn short(name: &str) -> String {
    let Some(inner) = name.strip_prefix('<') else {
        return without_arguments(name);
    };
    let end = closing(inner);
    let (owner, method) = (inner.get(..end).unwrap_or(inner), inner.get(end + 1..).unwrap_or(""));
    let owner = without_arguments(owner);
    let owner = owner.split_once(" as ").map_or(owner.as_str(), |(before, _)| before);
    format!("{owner}{}", without_arguments(method))
}

/// The position of the bracket that closes the one before `text`.
fn closing(text: &str) -> usize {
    let mut depth = 1;
    for (at, c) in text.char_indices() {
        depth += match c {
            '<' => 1,
            '>' => -1,
            _ => 0,
        };
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

/// Removes everything in angle brackets.
fn without_arguments(text: &str) -> String {
    let (mut depth, mut kept) = (0_usize, String::new());
    for c in text.chars() {
        match c {
            '<' => {
                depth += 1;
                if depth == 1 && kept.ends_with("::") {
                    kept.truncate(kept.len() - 2);
                }
            }
            '>' => depth = depth.saturating_sub(1),
            c if depth == 0 => kept.push(c),
            _ => {}
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_crate_counts() {
        assert!(is_ours("ethdev::buffered::send::<ethdev_firmware::lan9118::Lan9118>"));
        assert!(is_ours(
            "<ethdev_smoltcp::device::SmoltcpDevice<D> as smoltcp::phy::Device>::receive"
        ));
        assert!(is_ours("<&mut ethdev::error::ErrorKind as core::fmt::Debug>::fmt"));
        assert!(!is_ours(
            "<smoltcp::iface::Interface>::poll::<ethdev_smoltcp::device::SmoltcpDevice<D>>"
        ));
        assert!(!is_ours(
            "<ethdev_firmware::lan9118::Lan9118 as ethdev::device::EthernetDevice>::service"
        ));
        assert!(!is_ours("memcpy"));
    }

    #[test]
    fn mangled_names_are_understood() {
        assert_eq!(
            demangle("_RNvNtCs1234_6ethdev5frame12vectored_len"),
            "ethdev::frame::vectored_len"
        );
    }

    #[test]
    fn short_names_keep_who_and_what() {
        let name = "<ethdev_util::Buffered<chip::Nic<Bus>, 1514> as ethdev::Device<X>>::service";
        assert_eq!(short(name), "ethdev_util::Buffered::service");
        assert_eq!(short("<a::Port<E>>::flush::<b::Tx<'_, C<D>>>"), "a::Port::flush");
        assert_eq!(short("a::b::send::<C, 1514>"), "a::b::send");
        assert_eq!(
            short("<a::Rx<T> as b::Rx>::consume::<R, F>::{closure#0}"),
            "a::Rx::consume::{closure#0}"
        );
    }
}
