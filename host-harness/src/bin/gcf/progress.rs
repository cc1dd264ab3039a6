//! A spinner while pages come in, if a person looks on.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use gcf_host::{Observer, RequestEvent, Stage};
use indicatif::ProgressBar;

/// Counts answers, and shows the count on a terminal.
pub(crate) struct Progress {
    bar: ProgressBar,
    answered: Arc<AtomicUsize>,
}

impl Progress {
    /// Shows nothing.
    pub(crate) fn hidden() -> Self {
        Self { bar: ProgressBar::hidden(), answered: Arc::default() }
    }

    /// Spins on stderr; indicatif hides it where that is no terminal.
    pub(crate) fn spinner(message: &'static str) -> Self {
        let bar = ProgressBar::new_spinner().with_message(message);
        bar.enable_steady_tick(Duration::from_millis(100));
        Self { bar, answered: Arc::default() }
    }

    /// What the host tells about each request.
    pub(crate) fn observer(&self) -> Observer {
        let (bar, answered) = (self.bar.clone(), Arc::clone(&self.answered));
        Arc::new(move |event: &RequestEvent| match event.stage {
            Stage::Answered { .. } => {
                let answered = answered.fetch_add(1, Ordering::Relaxed) + 1;
                bar.set_message(format!("listing: {answered} answered"));
            }
            Stage::Sent | Stage::Failed { .. } => {}
        })
    }

    /// Leaves no trace on the terminal.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
