//! Looks up an interface by its name.

use nix::errno::Errno;
use nix::net::if_::if_nametoindex;

use crate::error::InterfaceError;
use crate::name::NameError;

/// Validates `name`, which may be empty if the kernel is to choose one.
pub(crate) fn check_name(name: &str) -> Result<(), InterfaceError> {
    NameError::check(name).map_err(|source| InterfaceError::InvalidName {
        name: name.to_owned(),
        source,
    })
}

/// Returns the index of the interface `name`.
pub(crate) fn index_of(name: &str) -> Result<u32, InterfaceError> {
    check_name(name)?;
    if name.is_empty() {
        return Err(InterfaceError::InvalidName {
            name: String::new(),
            source: NameError::Empty,
        });
    }
    if_nametoindex(name).map_err(|e| match e {
        Errno::ENODEV => InterfaceError::NoSuchInterface { name: name.to_owned() },
        _ => InterfaceError::Io {
            what: "looking up the interface",
            source: e.into(),
        },
    })
}
