//! The clock by which guest code is interrupted.
//!
//! A guest that loops holds its thread until the next tick, so the tick is short: with 10 ms an
//! endless loop was seen to hold up every other call on its thread for 20 ms.

use std::{
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::Duration,
};

use wasmtime::Engine;

/// Raises an engine's epoch once in [`Ticker::TICK`], from a thread of its own. Dropping it stops
/// the thread, and no guest is interrupted any more: keep it as long as guests run.
#[derive(Debug)]
pub struct Ticker {
    // Both are `Some` until dropped.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    /// The length of one epoch. A deadline of `n` epochs ends a guest after `n` ticks at least.
    pub const TICK: Duration = Duration::from_millis(1);

    /// Starts to tick. The thread keeps no engine alive: it also ends when the engine is gone.
    ///
    /// # Errors
    /// If the operating system gives no thread.
    pub fn start(engine: &Engine) -> std::io::Result<Self> {
        let engine = engine.weak();
        let (stop, stopped) = mpsc::channel();
        let thread = thread::Builder::new().name("epoch-ticker".to_owned()).spawn(move || {
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(Self::TICK) {
                let Some(engine) = engine.upgrade() else { return };
                engine.increment_epoch();
            }
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }

    /// How many epochs make up `duration`, rounded up, and at least one.
    #[must_use]
    pub fn epochs(duration: Duration) -> u64 {
        let ticks = duration.as_nanos().div_ceil(Self::TICK.as_nanos());
        u64::try_from(ticks).unwrap_or(u64::MAX).max(1)
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        // The thread ends once nobody can send any more.
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It can only have panicked, which has been reported already.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use wasmtime::{Instance, Module, Store, Trap};

    use super::*;
    use crate::config::compiling_engine;

    #[test]
    fn an_endless_loop_is_ended_by_ticks() {
        let engine = compiling_engine().unwrap();
        let wasm = wat::parse_str("(module (func (export \"spin\") (loop (br 0))))").unwrap();
        let module = Module::new(&engine, &wasm).unwrap();
        let _ticker = Ticker::start(&engine).unwrap();
        let mut store = Store::new(&engine, ());
        store.set_epoch_deadline(Ticker::epochs(Duration::from_millis(5)));
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let spin = instance.get_typed_func::<(), ()>(&mut store, "spin").unwrap();
        let error = spin.call(&mut store, ()).unwrap_err();
        assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::Interrupt));
    }

    #[test]
    fn dropping_the_ticker_ends_its_thread() {
        let engine = compiling_engine().unwrap();
        // `drop` joins: were the thread still ticking, this would hang.
        drop(Ticker::start(&engine).unwrap());
    }

    #[rstest::rstest]
    #[case::nothing(Duration::ZERO, 1)]
    #[case::less_than_a_tick(Duration::from_micros(1), 1)]
    #[case::exact(Duration::from_millis(20), 20)]
    #[case::rounded_up(Duration::from_micros(20_001), 21)]
    fn a_duration_is_rounded_up_to_epochs(#[case] duration: Duration, #[case] expected: u64) {
        assert_eq!(Ticker::epochs(duration), expected);
    }
}
