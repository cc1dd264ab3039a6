//! Misuse of the processor, of memory and of time.

use std::hint::black_box;

use crate::bindings::wasi::clocks::monotonic_clock;

/// A millisecond in nanoseconds, as wasi:clocks counts.
const MILLISECOND: u64 = 1_000_000;

pub(crate) fn spin() {
    let mut turns = 0_u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}

pub(crate) fn panic_with_a_secret() {
    panic!("secret-in-panic");
}

pub(crate) fn grow() {
    let mut taken = Vec::new();
    loop {
        taken.push(vec![1_u8; 1 << 20]);
        black_box(&taken);
    }
}

pub(crate) fn sleep() {
    wait(3_600_000 * MILLISECOND);
}

pub(crate) fn nap(times: u32) {
    for _ in 0..times {
        wait(10 * MILLISECOND);
    }
}

fn wait(nanoseconds: u64) {
    monotonic_clock::subscribe_duration(nanoseconds).block();
}
