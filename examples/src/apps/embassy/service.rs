//! Housekeeping of the device.

use core::convert::Infallible;
use core::future::pending;

use embassy_time::{Duration, Timer};
use ethdev::LendingDevice;
use ethdev_embassy::Handle;

/// Services the device in the interval that it requires: the driver of embassy-net has no timer.
///
/// Its errors are counted in [`Handle::errors`].
pub async fn service<D: LendingDevice>(handle: Handle<'_, '_, D>) -> ! {
    let interval = handle.with(|device| Ok(device.capabilities().max_service_interval));
    let Some(Ok(interval)) = interval.ok().flatten().map(Duration::try_from) else {
        match pending::<Infallible>().await {}
    };
    loop {
        Timer::after(interval).await;
        let _ = handle.service();
    }
}
