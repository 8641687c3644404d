//! `cargo xtask diagrams`: the pictures of `docs/workflow.md`.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::draw::{self, Drawing, Figures};
use crate::{Result, files};

/// Draws all pictures anew.
pub(crate) fn run() -> Result<ExitCode> {
    for drawing in draw::four_steps(&Figures::general()) {
        let path = path(&drawing);
        files::write(&path, drawing.standalone())?;
        println!("{}", path.strip_prefix(files::project_root()).unwrap_or(&path).display());
    }
    Ok(ExitCode::SUCCESS)
}

fn path(drawing: &Drawing) -> PathBuf {
    files::project_root().join("docs/images").join(drawing.name).with_extension("svg")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_pictures_are_current() {
        for drawing in draw::four_steps(&Figures::general()) {
            let committed = files::read_text(&path(&drawing)).unwrap_or_default().replace("\r\n", "\n");
            assert!(committed == drawing.standalone(), "{}: run `cargo xtask diagrams`", drawing.name);
        }
    }
}
