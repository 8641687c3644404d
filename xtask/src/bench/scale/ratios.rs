//! The two sides of each ratio, run in turns, and the targets beside them.
//!
//! A ratio is the median of the ratios of neighbours in time: what else the machine does falls on both sides.

use crate::Result;
use crate::text::thousands;

use super::figures::{Ratio, Repository, median};
use super::probe;
use super::rivals::{Ccache, Mold, copy_and_sync};
use super::site::{Bench, FILE, ONE, PROGRAM, Site, Store};
use super::verbs::{self, COMPILE, NO_CHANGE, STRIP, Verb};

/// Turns of what takes milliseconds.
const TURNS: usize = 31;

/// Measures all ratios, of the database where it was measured.
pub(super) fn measure(
    bench: &Bench,
    sites: &[Site<'_>],
    repositories: &[Repository],
    runs: usize,
) -> Result<Vec<Ratio>> {
    let store =
        if sites.iter().any(|site| site.store == Store::Database) { Store::Database } else { Store::Yaml };
    let mut of_store: Vec<_> = sites.iter().filter(|site| site.store == store).collect();
    of_store.sort_by_key(|site| site.size);
    let (Some(small), Some(large)) = (of_store.first(), of_store.last()) else { return Ok(Vec::new()) };
    let found = repositories.iter().find(|found| found.store == store && found.fragments == large.size);
    let mut ratios = compile(bench, small, large)?;
    ratios.extend(merge(bench, small, large, runs)?);
    ratios.extend(found.map(strip).into_iter().flatten());
    // The program alone, and as a small part of a large repository.
    let whole = of_store.iter().find(|site| site.size == PROGRAM && site.size < large.size);
    for site in whole.into_iter().chain([large]) {
        ratios.extend(link(bench, site, runs)?);
    }
    ratios.extend(found.map(memory));
    Ok(ratios)
}

/// The no-change compile on two repositories, and a hit of ccache.
fn compile(bench: &Bench, small: &Site<'_>, large: &Site<'_>) -> Result<Vec<Ratio>> {
    eprintln!("comparing compilations …");
    let ccache = Ccache::new(bench)?;
    for site in [small, large] {
        site.compile_one(&site.fresh()?, FILE)?;
    }
    let (mut sizes, mut hits) = (Sides::default(), Sides::default());
    for _ in 0..TURNS {
        let [few, many] = [again(small)?, again(large)?];
        sizes.add(many, few);
        if let Some(ccache) = &ccache {
            hits.add(many, ccache.hit()?);
        }
    }
    let [few, many] = [small, large].map(|site| thousands(site.size as u64));
    let what = format!("no-change compile of {FILE} procedures, {many} against {few} fragments");
    Ok(vec![sizes.ratio(what, 1.3), hits.ratio("the same against a ccache hit".into(), 0.5)])
}

/// The seconds of a compile that generates nothing.
fn again(site: &Site<'_>) -> Result<f64> {
    let (work, ticket) = (site.file("work"), site.ticket());
    probe::time(&mut site.bench.verb(&["compile", "-r", &work, "-o", &ticket, ONE]))
}

/// Merges of one file into a small and a large repository, and copies of that file and of the large repository.
fn merge(bench: &Bench, small: &Site<'_>, large: &Site<'_>, runs: usize) -> Result<[Ratio; 3]> {
    eprintln!("comparing merges …");
    let (mut into_small, mut into_large, mut whole) = (Sides::default(), Sides::default(), Sides::default());
    for _ in 0..runs {
        let copied = copy_and_sync(bench, &large.file("new"))?;
        into_small.add(verbs::merge(large, &small.fresh()?)?.seconds, copied);
        let work = large.fresh()?;
        let seconds = verbs::merge(large, &work)?.seconds;
        into_large.add(seconds, copied);
        whole.add(seconds, copy_and_sync(bench, &work)?);
    }
    let [new, few, many] = [large.new, small.size, large.size].map(|number| thousands(number as u64));
    Ok([
        into_small.ratio(
            format!("merge of {new} new fragments into {few}, against cp of the same file and sync"),
            3.0,
        ),
        into_large.ratio(format!("the same into {many}"), 3.0),
        whole.ratio("the same against cp and sync of the whole repository".into(), 3.0),
    ])
}

fn strip(repository: &Repository) -> [Ratio; 2] {
    let what = format!("strip of {} fragments, bytes a digest", thousands(repository.fragments as u64));
    let measured = Some(repository.stripped_bytes_per_digest);
    // A stripped database is its digests and little else: it is sent as it is.
    let compact = "the same in a compact form for sending".into();
    [
        Ratio { what, limit: 40.0, unit: "B", measured, note: String::new() },
        Ratio { what: compact, limit: 33.0, unit: "B", measured, note: "the same file".into() },
    ]
}

/// A link of one program, and of as many functions. Ours is on the disk at the end, with the link record in a
/// repository that had none; mold leaves its output to the system.
fn link(bench: &Bench, site: &Site<'_>, runs: usize) -> Result<[Ratio; 2]> {
    let procedures = site.size.min(PROGRAM);
    eprintln!("comparing links …");
    let mold = Mold::new(bench, procedures)?;
    let (mut plain, mut synced) = (Sides::default(), Sides::default());
    if let Some(mold) = &mold {
        for _ in 0..runs {
            let ours = verbs::link(site, &site.fresh()?)?.seconds;
            plain.add(ours, mold.link()?);
            synced.add(ours, mold.link_and_sync()?);
        }
    }
    let [number, all] = [procedures, site.size].map(|number| thousands(number as u64));
    let what = format!("link of {number} procedures from {all} fragments against mold on as many functions");
    Ok([plain.ratio(what, 1.0), synced.ratio("the same against mold and sync of its output".into(), 1.0)])
}

fn memory(repository: &Repository) -> Ratio {
    let peak = |verb: Verb| repository.row(verb).and_then(|row| row.used.anonymous);
    let peaks: Vec<_> = [COMPILE, NO_CHANGE, STRIP].into_iter().filter_map(peak).collect();
    let what = format!(
        "peak memory of compile and strip, {} fragments, mapped pages aside",
        thousands(repository.fragments as u64)
    );
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    let measured = peaks.iter().copied().max().map(megabytes);
    let each = peaks.iter().map(|peak| format!("{:.1}", megabytes(*peak))).collect::<Vec<_>>().join(", ");
    Ratio { what, limit: 64.0, unit: "MB", measured, note: format!("first, no change, strip: {each} MB") }
}

/// Times of two things that took turns.
#[derive(Debug, Default)]
struct Sides {
    ours: Vec<f64>,
    theirs: Vec<f64>,
}

impl Sides {
    fn add(&mut self, ours: f64, theirs: f64) {
        self.ours.push(ours);
        self.theirs.push(theirs);
    }

    fn ratio(self, what: String, limit: f64) -> Ratio {
        if self.ours.is_empty() {
            return Ratio { what, limit, unit: "×", measured: None, note: "not installed".into() };
        }
        let ratios = self.ours.iter().zip(&self.theirs).map(|(ours, theirs)| ours / theirs).collect();
        let note = format!("{:.1} ms, {:.1} ms", median(self.ours) * 1e3, median(self.theirs) * 1e3);
        Ratio { what, limit, unit: "×", measured: Some(median(ratios)), note }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_the_median_of_ratios_of_neighbours() {
        let mut sides = Sides::default();
        [(1.0, 2.0), (30.0, 10.0), (2.0, 2.0)].into_iter().for_each(|(ours, theirs)| sides.add(ours, theirs));
        let ratio = sides.ratio(String::new(), 1.0);
        assert_eq!((ratio.measured, ratio.verdict()), (Some(1.0), "met"));
        assert_eq!(Sides::default().ratio(String::new(), 1.0).note, "not installed");
    }
}
