//! See `src/projection.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ramal_fuzz::projection::check(data));
