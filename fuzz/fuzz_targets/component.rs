//! See `src/component.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ramal_fuzz::component::check(data));
