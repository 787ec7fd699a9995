//! Kinds, messages and causes of errors.

use core::error::Error as _;

use embedded_hal::digital;
use ethdev::{Error as _, ErrorKind};
use ethdev_cyw43::{
    Error, Fault, FirmwareError, Image, JoinError, Network, ParamError, Passphrase, PinError, SourceError, WaitFor,
};

type E = Error<&'static str>;

const BUS: E = Error::Bus("DMA");

#[test]
fn error_each_variant_has_kind_and_message() {
    let digital = digital::ErrorKind::Other;
    let unreadable = FirmwareError::Unreadable {
        image: Image::Clm,
        at: 64,
        cause: SourceError(7),
    };
    let cases: &[(E, ErrorKind, &str)] = &[
        (Error::Kind(ErrorKind::Busy), ErrorKind::Busy, ""),
        (BUS, ErrorKind::Bus, "bus error: \"DMA\""),
        (Error::PowerPin(digital), ErrorKind::Bus, "WL_REG_ON"),
        (Error::WouldBlock, ErrorKind::Bus, "did not complete"),
        (
            Error::NotResponding {
                read: 1,
                expected: 0xfeed_bead,
            },
            ErrorKind::NotPresent,
            "read 0x00000001, expected 0xfeedbead",
        ),
        (Error::WrongChip { id: 0xa9a6 }, ErrorKind::NotPresent, "chip id 0xa9a6"),
        (
            Error::Rejected {
                request: 262,
                status: -23,
            },
            ErrorKind::Other,
            "rejected request 262 (status -23)",
        ),
        (Error::BadResponse { request: 127 }, ErrorKind::Other, "request 127"),
        (Error::RxQueueTooSmall { needed: 9 }, ErrorKind::InvalidInput, "9 bytes"),
        (Error::Timeout(WaitFor::Clock), ErrorKind::Timeout, "for a clock"),
        (Error::Timeout(WaitFor::Core), ErrorKind::Timeout, "core"),
        (Error::Timeout(WaitFor::FirmwareStart), ErrorKind::Timeout, "to start"),
        (
            Error::Timeout(WaitFor::FirmwareReady),
            ErrorKind::Timeout,
            "accept frames",
        ),
        (Error::Timeout(WaitFor::Credit), ErrorKind::Timeout, "credit"),
        (Error::Timeout(WaitFor::Response), ErrorKind::Timeout, "response"),
        (Error::Fault(Fault::Reset), ErrorKind::Fault, "chip was reset"),
        (Error::Fault(Fault::FirmwareHalted), ErrorKind::Fault, "firmware halted"),
        (Error::Fault(Fault::ProtocolError), ErrorKind::Fault, "protocol error"),
        (Error::Fault(Fault::NotStarted), ErrorKind::Fault, "start failed"),
        (Error::Fault(Fault::Incomplete), ErrorKind::Fault, "did not complete"),
        (
            Error::Firmware(FirmwareError::Empty(Image::Nvram)),
            ErrorKind::InvalidInput,
            "Nvram image is empty",
        ),
        (
            Error::Firmware(unreadable),
            ErrorKind::InvalidInput,
            "Clm image unreadable at offset 64: read error 7",
        ),
        (
            Error::Firmware(FirmwareError::TooLarge {
                image: Image::Firmware,
                len: 9,
                max: 8,
            }),
            ErrorKind::InvalidInput,
            "9 bytes, maximum 8",
        ),
        (
            Error::Firmware(FirmwareError::Checksum { expected: 1, found: 2 }),
            ErrorKind::InvalidInput,
            "CRC-32 0x00000002, expected 0x00000001",
        ),
        (
            Error::Firmware(FirmwareError::VerifyFailed { address: 0x40 }),
            ErrorKind::Bus,
            "failed at address 0x40",
        ),
        (
            Error::Firmware(FirmwareError::ClmRejected { status: 3 }),
            ErrorKind::InvalidInput,
            "CLM (status 3)",
        ),
        (
            Error::Join(JoinError::NoSuchNetwork),
            ErrorKind::LinkDown,
            "no such network",
        ),
        (
            Error::Join(JoinError::Refused { reason: 17 }),
            ErrorKind::LinkDown,
            "reason 17",
        ),
        (
            Error::Join(JoinError::WrongPassphrase),
            ErrorKind::InvalidInput,
            "wrong passphrase",
        ),
        (
            Error::Join(JoinError::SecurityMismatch),
            ErrorKind::InvalidInput,
            "security mismatch",
        ),
        (Error::Join(JoinError::NoResponse), ErrorKind::Timeout, "no response"),
        (Error::Join(JoinError::Timeout), ErrorKind::Timeout, "timed out"),
        (
            Error::Join(JoinError::Failed { status: 4 }),
            ErrorKind::Other,
            "status 4",
        ),
        (
            Error::Param(ParamError::SsidLength { len: 33 }),
            ErrorKind::InvalidInput,
            "33 bytes",
        ),
        (
            Error::Param(ParamError::PassphraseLength { len: 7 }),
            ErrorKind::InvalidInput,
            "7 bytes",
        ),
        (
            Error::Param(ParamError::PassphraseCharacter { at: 5 }),
            ErrorKind::InvalidInput,
            "offset 5",
        ),
        (
            Error::Param(ParamError::PassphraseKind),
            ErrorKind::InvalidInput,
            "kind",
        ),
        (
            Error::Param(ParamError::PassphraseMissing),
            ErrorKind::InvalidInput,
            "missing",
        ),
        (
            Error::Param(ParamError::Country),
            ErrorKind::InvalidInput,
            "country code",
        ),
        (
            Error::Param(ParamError::Channel { channel: 15 }),
            ErrorKind::InvalidInput,
            "channel 15",
        ),
        (
            Error::Param(ParamError::MacAddress),
            ErrorKind::InvalidInput,
            "group address",
        ),
        (Error::Param(ParamError::ApSecurity), ErrorKind::InvalidInput, "WPA"),
        (
            Error::Param(ParamError::IovarName),
            ErrorKind::InvalidInput,
            "zero byte",
        ),
        (
            Error::Param(ParamError::IovarLength { len: 1537, max: 1536 }),
            ErrorKind::InvalidInput,
            "1537 bytes (at most 1536",
        ),
    ];
    for (error, kind, message) in cases {
        assert_eq!(error.kind(), *kind, "{error:?}");
        let shown = error.to_string();
        assert!(shown.contains(message) && !shown.is_empty(), "{error:?}: {shown}");
        let has_cause = matches!(error, Error::Firmware(_) | Error::Join(_) | Error::Param(_));
        let cause = error.source().map(ToString::to_string);
        assert_eq!(cause.is_some(), has_cause, "{error:?}");
        assert!(cause.is_none_or(|cause| shown.ends_with(&cause)), "{error:?}");
    }
    assert_eq!(
        unreadable.source().map(ToString::to_string).as_deref(),
        Some("read error 7")
    );
}

#[test]
fn pin_error_names_its_pin() {
    let cause = digital::ErrorKind::Other;
    let shown = [
        PinError::ChipSelect(cause),
        PinError::Clock(cause),
        PinError::Data(cause),
    ]
    .map(|e| e.to_string());
    for (shown, pin) in shown.iter().zip(["chip select pin", "clock pin", "DATA pin"]) {
        assert!(shown.starts_with(pin), "{shown}");
    }
}

#[test]
fn debug_passphrase_is_hidden() {
    let passphrase = Passphrase::sae("gr\u{fc}n".as_bytes()).unwrap();
    assert_eq!(format!("{passphrase:?}"), "Passphrase(..)");
    let network = Network::open("a \u{e4}\"").unwrap();
    assert_eq!(network.ssid().to_string(), "a \\xc3\\xa4\\\"");
    assert_eq!(format!("{:?}", network.ssid()), "Ssid(\"a \\xc3\\xa4\\\"\")");
    assert_eq!(network.ssid().as_str(), Some("a \u{e4}\""));
}
