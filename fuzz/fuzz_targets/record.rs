//! Drives `toy_fuzz::record`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toy_fuzz::record(bytes));
