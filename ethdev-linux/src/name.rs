//! Names of interfaces.

use core::fmt;

/// Longest interface name in bytes: `IFNAMSIZ` without the terminating zero.
const MAX_NAME_LEN: usize = nix::libc::IFNAMSIZ - 1;

/// The reason why an interface name is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NameError {
    /// The name is empty. Only a TAP interface that is to be created needs none.
    Empty,
    /// The name has more than 15 bytes.
    TooLong {
        /// Length of the name in bytes.
        len: usize,
    },
    /// The name contains a character that the kernel rejects (`/`, `:`, white space, a control
    /// character) or interprets (`%`).
    BadCharacter {
        /// The first such character.
        found: char,
    },
    /// The name is `.` or `..`.
    Dots,
}

impl NameError {
    /// Checks the rules of the kernel (`dev_valid_name`), and of `TUNSETIFF`, which expands `%d`. An
    /// empty name passes.
    pub(crate) fn check(name: &str) -> Result<(), Self> {
        if name.len() > MAX_NAME_LEN {
            return Err(Self::TooLong { len: name.len() });
        }
        if name == "." || name == ".." {
            return Err(Self::Dots);
        }
        let bad = |c: &char| matches!(c, '/' | ':' | '%') || c.is_whitespace() || c.is_control();
        name.chars()
            .find(bad)
            .map_or(Ok(()), |found| Err(Self::BadCharacter { found }))
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("empty name"),
            Self::TooLong { len } => write!(f, "{len} bytes, the maximum is {MAX_NAME_LEN}"),
            Self::BadCharacter { found } => write!(f, "invalid character {found:?}"),
            Self::Dots => f.write_str("reserved name"),
        }
    }
}

impl core::error::Error for NameError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn check_valid_name_ok() {
        for name in ["tap0", "a", "veth-1.2_x", "123456789012345", "été"] {
            assert_eq!(NameError::check(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn check_invalid_name_reports_reason() {
        assert_eq!(
            NameError::check("1234567890123456"),
            Err(NameError::TooLong { len: 16 })
        );
        // Eight characters, sixteen bytes.
        assert_eq!(NameError::check("éééééééé"), Err(NameError::TooLong { len: 16 }));
        assert_eq!(NameError::check("."), Err(NameError::Dots));
        assert_eq!(NameError::check(".."), Err(NameError::Dots));
        for (name, found) in [
            ("a/b", '/'),
            ("a:1", ':'),
            ("a b", ' '),
            ("tap%d", '%'),
            ("a\0", '\0'),
            ("a\n", '\n'),
        ] {
            assert_eq!(
                NameError::check(name),
                Err(NameError::BadCharacter { found }),
                "{name:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn check_accepted_name_fits_ifreq(name: String) {
            if NameError::check(&name).is_ok() {
                prop_assert!(name.len() < nix::libc::IFNAMSIZ && !name.contains('\0'));
            }
        }
    }

    #[test]
    fn display_name_error_has_the_value() {
        for (error, text) in [
            (NameError::Empty, "empty name"),
            (NameError::TooLong { len: 16 }, "16 bytes, the maximum is 15"),
            (NameError::BadCharacter { found: '/' }, "invalid character '/'"),
            (NameError::Dots, "reserved name"),
        ] {
            assert_eq!(error.to_string(), text);
        }
    }
}
