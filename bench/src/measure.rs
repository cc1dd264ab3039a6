//! Measuring: the same work by several clients in turns, so that a noisy minute is everybody's.

use std::time::{Duration, Instant};

use crate::machine;

/// A client's readings, one for each piece of work.
#[derive(Debug, Default, Clone)]
pub(crate) struct Readings {
    wall: Vec<Duration>,
    cpu: Duration,
    took: Duration,
    pieces: usize,
}

impl Readings {
    /// Measures pieces of work that follow one another.
    pub(crate) async fn one_by_one(&mut self, pieces: usize, mut work: impl AsyncFnMut()) {
        self.with(pieces, || (), async |()| work().await).await;
    }

    /// Measures pieces of work that are each given something; that it is made is not measured.
    pub(crate) async fn with<T>(
        &mut self,
        pieces: usize,
        mut make: impl FnMut() -> T,
        mut work: impl AsyncFnMut(T),
    ) {
        for _ in 0..pieces {
            let given = make();
            let (cpu, began) = (machine::cpu(), Instant::now());
            work(given).await;
            self.wall.push(began.elapsed());
            self.add(1, cpu, began);
        }
    }

    /// Measures so many pieces at once.
    pub(crate) async fn at_once(&mut self, pieces: usize, work: impl Future<Output = ()>) {
        let (cpu, began) = (machine::cpu(), Instant::now());
        work.await;
        self.add(pieces, cpu, began);
    }

    fn add(&mut self, pieces: usize, cpu: Duration, began: Instant) {
        self.took += began.elapsed();
        self.cpu += machine::cpu() - cpu;
        self.pieces += pieces;
    }

    /// The time that this share of the pieces was done within, in microseconds.
    pub(crate) fn percentile(&self, share: f64) -> f64 {
        let mut wall = self.wall.clone();
        wall.sort_unstable();
        let at = ((wall.len() as f64 * share) as usize).min(wall.len().saturating_sub(1));
        wall.get(at).map_or(f64::NAN, |time| micros(*time))
    }

    /// The processor time of one piece, in microseconds.
    pub(crate) fn cpu(&self) -> f64 {
        micros(self.cpu) / self.pieces as f64
    }

    /// Pieces in a second.
    pub(crate) fn per_second(&self) -> f64 {
        self.pieces as f64 / self.took.as_secs_f64()
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
