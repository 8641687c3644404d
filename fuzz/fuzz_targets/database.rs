//! Drives `toy_fuzz::database`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toy_fuzz::database(bytes));
