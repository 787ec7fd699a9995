//! What a wire calls when something happens at one of its ends.

use ethdev::Link;

/// What is called with each frame that arrives, FCS included.
pub type Receiver = Box<dyn FnMut(&[u8])>;
/// What is called at each change of the link.
pub type LinkWatcher = Box<dyn FnMut(Link)>;
/// What is called when the cable is plugged in (`true`) or pulled out.
pub type CableWatcher = Box<dyn FnMut(bool)>;
