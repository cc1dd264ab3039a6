//! Ctrl-C: what was recorded is on the tape, nothing stays on the screen, and whoever waits for this process, such
//! as the loop of a shell, sees how it ended.

use tokio::signal;

use crate::output::{exit::Exit, progress::Progress};

/// Ends when somebody presses ctrl-C. Whoever presses it again does not want to wait for what is still to be done.
pub(crate) async fn pressed() {
    if signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
    tokio::spawn(async {
        if signal::ctrl_c().await.is_ok() {
            end();
        }
    });
}

/// Takes the progress off the screen before ctrl-C ends the process. In a task of its own, for a command may be
/// busy.
pub(crate) fn clears(progress: &Progress) {
    let progress = progress.clone();
    tokio::spawn(async move {
        if signal::ctrl_c().await.is_ok() {
            progress.clear_behind_an_echo();
            end();
        }
    });
}

/// Ends the process as the signal ends those that do not listen to it: a shell's loop ends with it.
pub(crate) fn end() -> ! {
    #[cfg(unix)]
    let _ = signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGINT);
    std::process::exit(Exit::Interrupted as i32)
}
