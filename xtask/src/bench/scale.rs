//! `cargo xtask bench --scale`: each verb on repositories of growing size, beside what a user would take instead.
//!
//! The repositories are made by the release executable itself. Time is never a reason to fail; a wrong result is.

mod chart;
mod figures;
mod probe;
mod ratios;
mod rivals;
mod site;
mod table;
mod verbs;

use std::process::ExitCode;

use crate::build::{self, Profile};
use crate::options::Options;
use crate::{Result, files};

use figures::{Repository, Scale};
use site::{Bench, Site, Store};

/// Measures everything, prints the tables, draws the page, and writes the file that was asked for.
pub(super) fn run(options: &Options) -> Result<ExitCode> {
    let sizes = options.numbers("--sizes", &[1000, 10_000, 100_000, 1_000_000])?;
    let runs = options.number("--runs", 3)?;
    let stores = stores(options.text("--store").unwrap_or("both"))?;
    let bench = Bench::new(build::toy(Profile::Release)?)?;
    let (mut sites, mut repositories) = (Vec::new(), Vec::new());
    for store in stores {
        for &size in sizes.iter().filter(|size| store == Store::Database || **size <= verbs::YAML_MOST) {
            let site = make(&bench, store, size)?;
            repositories.push(repository(&site, runs)?);
            sites.push(site);
        }
    }
    let ratios = ratios::measure(&bench, &sites, &repositories, runs)?;
    let scale = Scale { runs, repositories, ratios };
    print!("{}", table::render(&scale));
    files::write(&bench.path("index.html"), chart::page(&scale))?;
    eprintln!("{}", bench.path("index.html").display());
    super::write_json(options, &scale)?;
    Ok(ExitCode::SUCCESS)
}

fn stores(name: &str) -> Result<Vec<Store>> {
    let stores: Vec<_> =
        Store::ALL.into_iter().filter(|store| name == "both" || name == store.name()).collect();
    if stores.is_empty() {
        Err(format!("--store: `{name}` is not yaml, database or both"))
    } else {
        Ok(stores)
    }
}

fn make(bench: &Bench, store: Store, size: usize) -> Result<Site<'_>> {
    eprintln!("making a repository of {size} fragments, {} …", store.name());
    Site::new(bench, store, size)
}

/// Measures all verbs on one repository, several times.
fn repository(site: &Site<'_>, runs: usize) -> Result<Repository> {
    let mut samples = Vec::new();
    for run in 1..=runs {
        eprintln!("measuring {} fragments, {}, run {run} …", site.size, site.store.name());
        samples.push(verbs::measure(site)?);
    }
    Repository::new(site, &samples)
}
