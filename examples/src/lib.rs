//! The applications, generic over the device.
#![cfg_attr(not(feature = "std"), no_std)]
