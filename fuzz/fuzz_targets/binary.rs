//! Drives `toy_fuzz::binary`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toy_fuzz::binary(bytes));
