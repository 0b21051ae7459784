//! The WebAssembly engine: one for all scripts, with a pool of instances and a ticking epoch.

use crate::error::Error;
use crate::manifest::Limits;
use crate::metering::Metering;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, WasmBacktraceDetails};

/// How often scripts are looked after: the grain of `cpu_ms_per_step`.
pub const EPOCH_TICK: Duration = Duration::from_millis(10);

/// Core instances of one script. A Rust guest has 3, Python about 20.
pub(crate) const CORE_INSTANCES_PER_SCRIPT_MAX: u32 = 64;
/// Linear memories of one script. A guest in Rust or Python has 1, one with QuickJS in it 3: two are its adapter's, and empty.
pub(crate) const MEMORIES_PER_SCRIPT_MAX: u32 = 4;
/// Tables of one script.
pub(crate) const TABLES_PER_SCRIPT_MAX: u32 = 16;

/// Tables in the pool for each instance: most scripts have 2.
const TABLES_PER_INSTANCE_POOLED: u32 = 4;
/// Memories in the pool for each instance: what a script in JavaScript has.
const MEMORIES_PER_INSTANCE_POOLED: u32 = 3;
/// Memories in the pool at most: each reserves 4 GiB of addresses, and a process has 128 TiB. 20,000 are for as many scripts in Rust or
/// Python, or 6,600 in JavaScript.
const MEMORIES_POOLED_MAX: u32 = 20_000;

/// Memories for so many instances.
const fn memories_pooled(instances_max: u32) -> u32 {
    let wanted = instances_max.saturating_mul(MEMORIES_PER_INSTANCE_POOLED);
    let capped = if wanted > MEMORIES_POOLED_MAX { MEMORIES_POOLED_MAX } else { wanted };
    // Every instance has one, whatever that reserves.
    if capped < instances_max { instances_max } else { capped }
}

const WASM_STACK_BYTES_MAX: usize = 512 * 1024;
/// The rest is for host functions, which run on the script's stack.
const ASYNC_STACK_BYTES: usize = 1024 * 1024;
/// Of each memory, table and stack, so much stays resident when its script is done; the rest is given back to the system.
/// Measured (p50 of a trivial call, resident after 2,000 parked ones): 64 KiB 8.5 µs and 86 KiB a slot, 4 KiB 7.1 µs and
/// 22 KiB, none 15 µs and 10 KiB.
const KEEP_RESIDENT_BYTES: usize = 4 * 1024;
/// The same of memories and tables where scripts are tried, one short call after the other and few at once: what the next needs
/// too is kept. The kernel is asked which pages were written, so that only those are made as they were.
const KEEP_RESIDENT_BYTES_IN_TESTS: usize = 512 * 1024;
/// And of stacks, which are cleared whether they were written or not.
const KEEP_RESIDENT_STACK_BYTES_IN_TESTS: usize = 32 * 1024;

/// Mappings of the process for each parked call: memory, its guard, tables, stack, stack guard.
const MAPPINGS_PER_INSTANCE: u64 = 5;
/// Mappings of everything else: code, threads, the pool's own.
const MAPPINGS_OF_THE_REST: u64 = 2_000;

/// What code is compiled for. The compile child and the host must agree, so nothing here comes from configuration but how
/// CPU is counted, and that the child is told.
fn base_config(metering: Metering) -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .wasm_memory64(false)
        .wasm_relaxed_simd(false)
        // A replayed call must see the same bits.
        .cranelift_nan_canonicalization(true)
        .epoch_interruption(metering == Metering::Epochs)
        .consume_fuel(metering == Metering::Fuel)
        // For the author's backtrace.
        .wasm_backtrace_details(WasmBacktraceDetails::Enable)
        .max_wasm_stack(WASM_STACK_BYTES_MAX)
        .async_stack_size(ASYNC_STACK_BYTES)
        // A stack that is cleared is also given back to the system.
        .async_stack_zeroing(true)
        // All that 32 bits can address, so that no access needs a bounds check. It costs addresses, not memory:
        // 10,000 instances reserve 40 of the 128 TiB that a process has.
        .memory_reservation(4 << 30)
        .memory_init_cow(true);
    config
}

/// An engine that compiles and does not run: for the compile child. On one core, so that the others are the calls', unless there are
/// none: it changes no code.
pub(crate) fn compiler(metering: Metering, every_core: bool) -> Result<Engine, Error> {
    let mut config = base_config(metering);
    config.parallel_compilation(every_core);
    Engine::new(&config).map_err(|error| Error::Engine(format!("{error:#}")))
}

/// The engine that runs, and the thread that ticks its epoch. Dropping it ends the thread.
#[derive(Debug)]
pub(crate) struct ScriptEngine {
    pub(crate) engine: Engine,
    pub(crate) metering: Metering,
    /// Dropped first: that ends the thread.
    stop: Option<mpsc::Sender<()>>,
    ticker: Option<JoinHandle<()>>,
}

impl ScriptEngine {
    /// With a pool for so many instances, each of at most what `caps` say.
    pub(crate) fn start(
        instances_max: u32,
        warm_instances_max: u32,
        caps: &Limits,
        metering: Metering,
    ) -> Result<Arc<Self>, Error> {
        let (keep_resident, of_stacks, pagemap_scan) = match metering {
            Metering::Epochs => (KEEP_RESIDENT_BYTES, KEEP_RESIDENT_BYTES, Enabled::No),
            Metering::Fuel => (KEEP_RESIDENT_BYTES_IN_TESTS, KEEP_RESIDENT_STACK_BYTES_IN_TESTS, Enabled::Auto),
        };
        let mut pool = PoolingAllocationConfig::default();
        pool.total_component_instances(instances_max)
            .total_core_instances(instances_max.saturating_mul(CORE_INSTANCES_PER_SCRIPT_MAX))
            .total_memories(memories_pooled(instances_max))
            .total_tables(instances_max.saturating_mul(TABLES_PER_INSTANCE_POOLED))
            .total_stacks(instances_max)
            .max_core_instances_per_component(CORE_INSTANCES_PER_SCRIPT_MAX)
            .max_memories_per_component(MEMORIES_PER_SCRIPT_MAX)
            .max_tables_per_component(TABLES_PER_SCRIPT_MAX)
            .max_tables_per_module(TABLES_PER_SCRIPT_MAX)
            .table_elements(caps.table_elements_max as usize)
            .max_memory_size(caps.memory_bytes())
            .max_unused_warm_slots(warm_instances_max)
            .linear_memory_keep_resident(keep_resident)
            .table_keep_resident(keep_resident)
            .async_stack_keep_resident(of_stacks)
            .pagemap_scan(pagemap_scan);
        let mut config = base_config(metering);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        let engine = Engine::new(&config).map_err(|error| Error::Engine(format!("{error:#}")))?;
        if metering == Metering::Fuel {
            return Ok(Arc::new(Self { engine, metering, stop: None, ticker: None }));
        }
        let (stop, stopped) = mpsc::channel();
        let weak = engine.weak();
        let ticker = std::thread::Builder::new().name("gudok-epoch".into()).spawn(move || {
            while stopped.recv_timeout(EPOCH_TICK) == Err(RecvTimeoutError::Timeout) {
                let Some(engine) = weak.upgrade() else { break };
                engine.increment_epoch();
            }
        });
        let ticker = ticker.map_err(Error::Runtime)?;
        Ok(Arc::new(Self { engine, metering, stop: Some(stop), ticker: Some(ticker) }))
    }
}

impl Drop for ScriptEngine {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(ticker) = self.ticker.take() {
            // It ends within a tick; a panic in it has nothing left to hurt.
            let _ = ticker.join();
        }
    }
}

/// The kernel allows fewer mappings than a full pool needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "vm.max_map_count is {allowed}, and {instances_max} scripts at once need about {needed}: calls above about {instances_possible} \
     will be refused. Run `sysctl -w vm.max_map_count={needed}`, or lower instances_max"
)]
pub struct TooFewMappings {
    /// What the kernel allows.
    pub allowed: u64,
    /// What a full pool needs.
    pub needed: u64,
    /// The pool's size.
    pub instances_max: u32,
    /// How many instances fit.
    pub instances_possible: u64,
}

/// Compares the kernel's `vm.max_map_count` with what a pool needs. Ask once at start.
///
/// # Errors
/// [`TooFewMappings`], to be logged as a warning. Where the kernel does not say, all is taken to be well.
pub fn check_map_count(instances_max: u32) -> Result<(), TooFewMappings> {
    let allowed = std::fs::read_to_string("/proc/sys/vm/max_map_count").ok().and_then(|text| text.trim().parse().ok());
    allowed.map_or(Ok(()), |allowed| map_count_suffices(instances_max, allowed))
}

fn map_count_suffices(instances_max: u32, allowed: u64) -> Result<(), TooFewMappings> {
    let needed = MAPPINGS_PER_INSTANCE * u64::from(instances_max) + MAPPINGS_OF_THE_REST;
    if needed <= allowed {
        return Ok(());
    }
    let instances_possible = allowed.saturating_sub(MAPPINGS_OF_THE_REST) / MAPPINGS_PER_INSTANCE;
    Err(TooFewMappings { allowed, needed, instances_max, instances_possible })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_kernel_holds_ten_thousand_calls_and_not_twenty() {
        assert_eq!(map_count_suffices(10_000, 65_530), Ok(()));
        let refused = map_count_suffices(20_000, 65_530).unwrap_err();
        assert_eq!((refused.needed, refused.instances_possible), (102_000, 12_706));
    }
}
