//! The node on the LAN9118 of the MPS2 board, with RTIC: the interrupt of the NIC is a hardware
//! task, the node a software task of lower priority.
#![no_std]
#![no_main]

// For its vector table.
use cortex_m_rt as _;

/// The RTIC application.
#[rtic::app(device = ethdev_firmware::board::device, peripherals = false, dispatchers = [UART0_RX])]
mod app {
    use core::convert::Infallible;

    use cortex_m::peripheral::SYST;
    use embassy_futures::yield_now;
    use ethdev_firmware::app::{App, Failure, Next};
    use ethdev_firmware::board::{self, Board};
    use ethdev_firmware::nic::{self, Error, Mode, Nic};
    use semihosting::{println, process};

    #[shared]
    struct Shared {}

    #[local]
    struct Local {
        app: App<Nic, Mode>,
    }

    #[init]
    fn init(cx: init::Context) -> (Shared, Local) {
        match start(cx.core.SYST) {
            Ok(app) => (Shared {}, Local { app }),
            Err(failure) => end(&failure),
        }
    }

    fn start(timer: SYST) -> Result<App<Nic, Mode>, Failure<Error>> {
        let board = Board::with(timer).ok_or(Failure::Taken)?;
        let nic = nic::adapter(nic::new(board).map_err(Failure::Start)?).ok_or(Failure::Taken)?;
        let app = App::new("ethdev on a Cortex-M3, RTIC", nic, &board::NIC, nic::next_service)?;
        // The task does not run yet, so it can be spawned.
        node::spawn().map_err(|()| Failure::Taken)?;
        Ok(app)
    }

    /// The node.
    #[task(local = [app], priority = 1)]
    async fn node(cx: node::Context) {
        let Err(failure) = run(cx.local.app).await;
        end(&failure)
    }

    async fn run(app: &mut App<Nic, Mode>) -> Result<Infallible, Failure<Error>> {
        loop {
            match app.turn() {
                Ok(Next::Now) => yield_now().await,
                Ok(Next::Wait(timeout)) => {
                    board::listen();
                    board::wake_in(timeout, &board::NIC);
                    board::NIC.wait().await;
                }
                Err(e) => app.recover(&e)?,
            }
        }
    }

    /// Masks the line and sets the interrupt signal.
    #[task(binds = ETHERNET, priority = 2)]
    fn ethernet(_: ethernet::Context) {
        board::nic_interrupt();
    }

    /// Sleeps while no task is ready.
    #[idle]
    fn idle(_: idle::Context) -> ! {
        loop {
            board::idle(|| false);
        }
    }

    fn end(failure: &Failure<Error>) -> ! {
        println!("failed: {failure}");
        process::exit(1)
    }
}
