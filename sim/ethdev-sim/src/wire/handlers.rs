//! What a wire calls when something happens at one of its ends.

use ethdev::Link;

/// Called with each frame that arrives, FCS included.
pub type Receiver = Box<dyn FnMut(&[u8])>;
/// Called at each change of the link.
pub type LinkWatcher = Box<dyn FnMut(Link)>;
/// Called when the cable is plugged in (`true`) or pulled out.
pub type CableWatcher = Box<dyn FnMut(bool)>;
