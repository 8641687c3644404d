//! Drives `toy_fuzz::ticket`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toy_fuzz::ticket(bytes));
