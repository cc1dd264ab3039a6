//! The engine: one for each host and the tenants that are made of it, with the settings that a fresh sandbox for every call asks for.

pub(crate) mod settings;

use std::{thread, time::Duration};

use wasmtime::{Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use self::settings::settings;

use crate::{
    error::HostError,
    limits::{Limits, PARTS, TABLE_ELEMENTS},
};

/// Makes an engine with places for the calls that run at once and for `idle` instances besides, and the thread that moves
/// its epochs on and does something `each_tick`.
///
/// The address space for all sandboxes is reserved at once, which makes each one quick to set up and
/// to clear away. Where that is not to be had (a limit on address space), each call reserves its own.
pub(crate) fn engine(
    limits: &Limits,
    idle: u32,
    each_tick: impl FnMut() + Send + 'static,
) -> Result<Engine, HostError> {
    let engine = Engine::new(settings().allocation_strategy(pool(limits, idle)))
        .or_else(|_| Engine::new(settings().allocation_strategy(InstanceAllocationStrategy::OnDemand)))
        .map_err(|error| HostError::engine(&error))?;
    tick(&engine, each_tick)?;
    Ok(engine)
}

fn pool(limits: &Limits, idle: u32) -> InstanceAllocationStrategy {
    let calls = limits.calls.max(1).saturating_add(idle);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(calls)
        .total_stacks(calls)
        // A component of wit-component's is the module itself and two small ones that link it.
        .total_core_instances(parts(calls, 4))
        .total_memories(parts(calls, 2))
        .total_tables(parts(calls, 4))
        .table_elements(TABLE_ELEMENTS)
        .max_memory_size(limits.memory.min(WASM32))
        // Pages that stay with their slot need not be faulted in again by the next call.
        .linear_memory_keep_resident(KEEP_RESIDENT)
        .table_keep_resident(KEEP_RESIDENT)
        .pagemap_scan(Enabled::Auto);
    InstanceAllocationStrategy::Pooling(pool)
}

/// Places for what so many calls have of something. A composed component has more than is usual, and has to fit where there is
/// place for one call alone.
fn parts(calls: u32, each: u32) -> u32 {
    calls.saturating_mul(each).max(PARTS)
}

/// Moves the epochs on for as long as somebody holds the engine.
fn tick(engine: &Engine, mut each_tick: impl FnMut() + Send + 'static) -> Result<(), HostError> {
    let engine = engine.weak();
    thread::Builder::new()
        .name("gcf-epochs".to_owned())
        .spawn(move || {
            while let Some(engine) = engine.upgrade() {
                engine.increment_epoch();
                drop(engine);
                each_tick();
                thread::sleep(TICK);
            }
        })
        .map(drop)
        .map_err(|error| HostError::Engine(format!("no thread for the processor limit: {error}")))
}

/// The interval after which a running guest yields to others, and has its processor time checked.
const TICK: Duration = Duration::from_millis(10);

/// All that a usual call has written to. What goes beyond it is given back to the system at each end of a call and faulted in
/// anew; and what stays is overwritten each time, by small calls too where a large one was before (docs/performance.md).
const KEEP_RESIDENT: usize = 256 * 1024;

/// The bytes that 32 bits address.
const WASM32: usize = 4 << 30;

#[cfg(test)]
mod tests {
    use wasmtime::ResourceLimiter as _;

    use super::*;
    use crate::limits::MemoryMeter;

    #[test]
    fn the_engine_falls_back_where_the_pool_does_not_fit() {
        let limits = Limits { calls: u32::MAX, ..Limits::default() };
        assert!(Engine::new(settings().allocation_strategy(pool(&limits, 0))).is_err());
        assert!(engine(&limits, 0, || ()).is_ok());
    }

    #[test]
    fn one_call_has_room_for_as_many_parts_as_a_call_may_have() {
        let may = MemoryMeter::new(Limits::default().memory);
        assert_eq!([parts(1, 4), parts(1, 2)].map(|parts| parts as usize), [may.instances(), may.memories()]);
        assert_eq!(parts(1, 4) as usize, may.tables());
        assert_eq!(parts(256, 4), 1024);
    }

    #[test]
    fn the_ticker_does_not_keep_the_engine() {
        let engine = engine(&Limits { calls: 1, ..Limits::default() }, 0, || ()).unwrap();
        let weak = engine.weak();
        drop(engine);
        // The ticker may be holding it for the moment of one tick.
        while weak.upgrade().is_some() {
            thread::yield_now();
        }
        assert!(weak.upgrade().is_none());
    }
}
