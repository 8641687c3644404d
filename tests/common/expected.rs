//! Texts beside what is expected of them, and problems as they are expected to be shown.

use std::path::{Path, PathBuf};
use std::{fs, io};

use libtest_mimic::Failed;
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, NamedSource, Report};

/// The sources in a folder of the project, sorted.
pub(crate) fn texts(folder: &str) -> io::Result<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files: io::Result<Vec<_>> = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect();
    let mut files = files?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toy"));
    files.sort();
    Ok(files)
}

/// Problems as a terminal shows them, without colours.
pub(crate) fn rendered<E: Diagnostic + Send + Sync + 'static>(
    file: &Path,
    text: &str,
    problems: Vec<E>,
) -> Result<String, Failed> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(100);
    let mut out = String::new();
    for problem in problems {
        let report = Report::new(problem).with_source_code(NamedSource::new(&name, text.to_owned()));
        handler.render_report(&mut out, report.as_ref())?;
        out.push('\n');
    }
    Ok(out.lines().map(|line| format!("{}\n", line.trim_end())).collect())
}

/// Holds `actual` against the expectation in `file`, or writes it there.
pub(crate) fn compare(file: &Path, actual: &str) -> Result<(), Failed> {
    if std::env::var_os("UPDATE").is_some() {
        return Ok(fs::write(file, actual)?);
    }
    let expected = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    if expected == actual {
        return Ok(());
    }
    Err(format!("{} expects\n{expected}\nbut this came\n{actual}", file.display()).into())
}
