//! The `toy` executable.

fn main() {}
