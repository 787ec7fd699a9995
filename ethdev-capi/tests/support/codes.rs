//! Error codes as kinds: the inverse of what the crate does.

use ethdev::ErrorKind;
use ethdev_capi::abi::ErrorCode;

/// Every code of `enum ethdev_error` but `ETHDEV_OK`, with its name in the header.
pub(crate) const CODES: [(ErrorCode, &str); 18] = [
    (ErrorCode::InvalidInput, "ETHDEV_EINVAL"),
    (ErrorCode::Abi, "ETHDEV_EABI"),
    (ErrorCode::Unsupported, "ETHDEV_ENOTSUP"),
    (ErrorCode::InUse, "ETHDEV_EBUSY"),
    (ErrorCode::QueueFull, "ETHDEV_EAGAIN"),
    (ErrorCode::NoFrame, "ETHDEV_ENODATA"),
    (ErrorCode::BufferTooSmall, "ETHDEV_ENOBUFS"),
    (ErrorCode::FrameTooLong, "ETHDEV_EMSGSIZE"),
    (ErrorCode::FrameTooShort, "ETHDEV_ERUNT"),
    (ErrorCode::Stopped, "ETHDEV_ENETDOWN"),
    (ErrorCode::LinkDown, "ETHDEV_ENOLINK"),
    (ErrorCode::Bus, "ETHDEV_EIO"),
    (ErrorCode::Timeout, "ETHDEV_ETIMEDOUT"),
    (ErrorCode::Fault, "ETHDEV_EFAULT"),
    (ErrorCode::NotPresent, "ETHDEV_ENODEV"),
    (ErrorCode::PermissionDenied, "ETHDEV_EACCES"),
    (ErrorCode::BadFrame, "ETHDEV_EBADMSG"),
    (ErrorCode::Other, "ETHDEV_EOTHER"),
];

/// The code of a result that is not `ETHDEV_OK`.
pub(crate) fn code(result: i32) -> ErrorCode {
    let found = CODES.iter().find(|(code, _)| *code as i32 == result);
    found.unwrap_or_else(|| panic!("{result} is no error code")).0
}

/// The kind of a code. `needed` and `max` are not in the code.
pub(crate) fn kind(code: ErrorCode, needed: usize, max: usize) -> ErrorKind {
    match code {
        ErrorCode::InvalidInput => ErrorKind::InvalidInput,
        ErrorCode::Unsupported => ErrorKind::Unsupported,
        ErrorCode::QueueFull => ErrorKind::Busy,
        ErrorCode::BufferTooSmall => ErrorKind::BufferTooSmall { needed },
        ErrorCode::FrameTooLong => ErrorKind::FrameTooLong { max },
        ErrorCode::FrameTooShort => ErrorKind::FrameTooShort,
        ErrorCode::Stopped => ErrorKind::Stopped,
        ErrorCode::LinkDown => ErrorKind::LinkDown,
        ErrorCode::Bus => ErrorKind::Bus,
        ErrorCode::Timeout => ErrorKind::Timeout,
        ErrorCode::Fault => ErrorKind::Fault,
        ErrorCode::NotPresent => ErrorKind::NotPresent,
        ErrorCode::PermissionDenied => ErrorKind::PermissionDenied,
        ErrorCode::BadFrame => ErrorKind::BadFrame,
        ErrorCode::Other => ErrorKind::Other,
        ErrorCode::Abi | ErrorCode::InUse | ErrorCode::NoFrame => panic!("unexpected {code:?}"),
    }
}
