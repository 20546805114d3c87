//! See `src/mapping.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ramal_fuzz::mapping::check(data));
