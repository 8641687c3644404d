//! Drives `toy_fuzz::repository`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toy_fuzz::repository(bytes));
