//! Log records of anomalies, through `log`, `defmt`, both or neither.

/// Logs an anomaly that was handled. Arguments are integers, `bool` or types of
/// this crate with `Debug` and `defmt::Format`.
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
