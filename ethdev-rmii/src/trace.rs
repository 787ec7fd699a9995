//! Log records of anomalies, to `log`, `defmt`, both or none.

/// Records an anomaly that was handled. Arguments are integers, `bool` or types of this crate with
/// `Display` and `defmt::Format`.
macro_rules! warning {
    ($text:literal $(, $arg:expr)* $(,)?) => {{
        #[cfg(feature = "log")]
        log::warn!($text $(, $arg)*);
        #[cfg(feature = "defmt")]
        defmt::warn!($text $(, $arg)*);
        #[cfg(not(any(feature = "log", feature = "defmt")))]
        { $(let _ = &$arg;)* }
    }};
}
pub(crate) use warning;
