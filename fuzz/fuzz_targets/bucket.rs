//! Drives `toy_fuzz::bucket`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| toy_fuzz::bucket(bytes));
