//! The `toy` executable: hands its arguments to [`toy::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    toy::cli::run(std::env::args_os())
}
