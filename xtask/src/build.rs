//! Building the `toy` executable with the cargo that runs this chore.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use serde::Deserialize;

use crate::{Result, files, order};

/// The profiles that chores build with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Quick to build.
    Dev,
    /// Quick to run.
    Release,
}

impl Profile {
    /// The profile that this very program was built with.
    pub(crate) const fn own() -> Self {
        if cfg!(debug_assertions) { Self::Dev } else { Self::Release }
    }
}

/// The part of cargo's messages that says where the executable is.
#[derive(Deserialize)]
struct Message {
    executable: Option<PathBuf>,
}

/// The cargo that runs this chore, in the project, with its messages on standard error.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    command.current_dir(files::project_root()).stderr(Stdio::inherit());
    command
}

/// What makes a release that starts fast: without shared libraries, which would be looked for and joined at every start,
/// and without addresses in it that must be adjusted first. Other systems make one by themselves, or none.
const ALONE: &[&str] = if cfg!(all(target_os = "linux", target_env = "gnu")) {
    &["--", "-C", "target-feature=+crt-static", "-C", "relocation-model=static"]
} else {
    &[]
};

/// Builds the executable to install, and says where it is.
pub(crate) fn run() -> Result<ExitCode> {
    println!("{}", toy(Profile::Release)?.display());
    Ok(ExitCode::SUCCESS)
}

/// Builds `toy` and returns the path of the executable.
pub(crate) fn toy(profile: Profile) -> Result<PathBuf> {
    let mut command = cargo();
    // Not for all crates, by a flag in the configuration: no macro could be loaded then.
    command.args(["rustc", "--quiet", "--package", "toy", "--bin", "toy"]);
    command.arg("--message-format=json-render-diagnostics");
    if profile == Profile::Release {
        command.arg("--release").args(ALONE);
        if !ALONE.is_empty() {
            command.arg("-C").arg(format!("link-arg=-Wl,-T,{}", order::script().display()));
        }
    }
    let output = command.output().map_err(|error| format!("cannot start cargo: {error}"))?;
    if !output.status.success() {
        return Err("toy does not build".into());
    }
    executable(&String::from_utf8_lossy(&output.stdout)).ok_or_else(|| "cargo built no executable".into())
}

/// The executable that the last of cargo's messages names.
fn executable(messages: &str) -> Option<PathBuf> {
    let of_line = |line| serde_json::from_str::<Message>(line).ok()?.executable;
    messages.lines().filter_map(of_line).next_back()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_executable_is_found_among_the_messages() {
        let messages = "{\"reason\":\"compiler-artifact\",\"executable\":null}\n\
                        {\"reason\":\"compiler-artifact\",\"executable\":\"/target/debug/toy\"}\n\
                        {\"reason\":\"build-finished\",\"success\":true}\n";
        assert_eq!(executable(messages), Some(PathBuf::from("/target/debug/toy")));
        assert_eq!(executable(""), None);
    }
}
