//! Drives `toy_fuzz::format`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toy_fuzz::format(bytes));
