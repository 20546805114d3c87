//! See `src/hook.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ramal_fuzz::hook::check(data));
