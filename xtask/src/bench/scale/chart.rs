//! The page with the charts: one chart a verb, time by size, both on logarithmic axes.
//!
//! A function of the measurements: one HTML file that needs nothing else.

use std::fmt::Write;

use crate::draw;
use crate::text::{escape, thousands};

use super::super::table::time;
use super::figures::{Repository, Scale};
use super::site::Store;
use super::verbs::{MERGE, Verb};

const STYLE: &str = include_str!("chart.css");

const INTRODUCTION: &str = "\
<p>The median time of each verb by the fragments of its repository. Both axes are logarithmic: a level line is a cost \
that does not grow with the repository; one that grows in proportion rises by a line of the grid from each to the next.</p>";

/// The plot's edges in a drawing of [`WIDTH`] by [`HEIGHT`].
const LEFT: f64 = 64.0;
const RIGHT: f64 = 384.0;
const TOP: f64 = 16.0;
const BOTTOM: f64 = 236.0;
const WIDTH: u32 = 420;
const HEIGHT: u32 = 270;

/// The page as text.
pub(super) fn page(scale: &Scale) -> String {
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>Time by size</title>\n<style>\n{}{STYLE}</style>\n\
         </head>\n<body>\n<main>\n<h1>Time by size</h1>\n{INTRODUCTION}\n{}<div class=\"charts\">\n",
        draw::STYLE,
        legend(scale)
    );
    let axes = Axes::new(&scale.repositories);
    for verb in verbs(&scale.repositories) {
        page += &chart(&axes, &scale.repositories, verb);
    }
    page + "</div>\n" + &targets(scale) + "</main>\n</body>\n</html>\n"
}

/// The verbs, in the order in which they were measured first.
fn verbs(repositories: &[Repository]) -> Vec<Verb> {
    let mut verbs = Vec::new();
    for row in repositories.iter().flat_map(|repository| &repository.rows) {
        if !verbs.contains(&row.verb) {
            verbs.push(row.verb);
        }
    }
    verbs
}

fn legend(scale: &Scale) -> String {
    let is_measured = |store: &&Store| scale.repositories.iter().any(|found| found.store == **store);
    let entry =
        |store: &Store| format!("<span><i class=\"{0}\"></i>{1}</span> ", store.name(), title(*store));
    let entries: String = Store::ALL.iter().filter(is_measured).map(entry).collect();
    format!("<p class=\"legend\">{entries}</p>\n")
}

const fn title(store: Store) -> &'static str {
    match store {
        Store::Yaml => "repo.yaml",
        Store::Database => "repo.tdb",
    }
}

/// The axes that all charts share, in powers of ten.
struct Axes {
    sizes: [i32; 2],
    times: [i32; 2],
}

impl Axes {
    fn new(repositories: &[Repository]) -> Self {
        let sizes = repositories.iter().map(|repository| repository.fragments as f64);
        let times = repositories.iter().flat_map(|repository| &repository.rows).map(|row| row.used.seconds);
        Self { sizes: decades(sizes), times: decades(times) }
    }

    fn x(&self, size: f64) -> f64 {
        LEFT + part(self.sizes, size) * (RIGHT - LEFT)
    }

    fn y(&self, seconds: f64) -> f64 {
        BOTTOM - part(self.times, seconds) * (BOTTOM - TOP)
    }

    /// The lines at the powers of ten, with what they stand for.
    fn grid(&self) -> String {
        let mut grid = String::new();
        for size in (self.sizes[0]..=self.sizes[1]).map(|power| 10_f64.powi(power)) {
            let (x, label) = (self.x(size), thousands(size as u64));
            let _ = writeln!(grid, "<path class=\"grid\" d=\"M{x:.1} {TOP}V{BOTTOM}\"/>");
            let y = BOTTOM + 18.0;
            let _ = writeln!(
                grid,
                "<text class=\"note\" x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\">{label}</text>"
            );
        }
        for power in self.times[0]..=self.times[1] {
            let y = self.y(10_f64.powi(power));
            let _ = writeln!(grid, "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{RIGHT}\"/>");
            let (x, y, label) = (LEFT - 8.0, y + 4.0, power_of_seconds(power));
            let _ = writeln!(
                grid,
                "<text class=\"note\" x=\"{x}\" y=\"{y:.1}\" text-anchor=\"end\">{label}</text>"
            );
        }
        grid
    }
}

/// The powers of ten around all figures, at least one apart.
fn decades(figures: impl Iterator<Item = f64>) -> [i32; 2] {
    let (least, most) =
        figures.fold((f64::INFINITY, 0.0_f64), |(least, most), figure| (least.min(figure), most.max(figure)));
    if least > most {
        return [0, 1];
    }
    let low = least.log10().floor() as i32;
    [low, (most.log10().ceil() as i32).max(low + 1)]
}

/// Where between two powers of ten a figure is, from 0 to 1.
fn part([low, high]: [i32; 2], figure: f64) -> f64 {
    (figure.log10() - f64::from(low)) / f64::from(high - low)
}

fn power_of_seconds(power: i32) -> String {
    if power < 0 { format!("{} ms", 10_f64.powi(power + 3)) } else { format!("{} s", 10_f64.powi(power)) }
}

/// One verb: a line for each store.
fn chart(axes: &Axes, repositories: &[Repository], verb: Verb) -> String {
    let mut lines = String::new();
    for store in Store::ALL {
        let mut points: Vec<_> = repositories
            .iter()
            .filter(|repository| repository.store == store)
            .filter_map(|repository| Some((repository.fragments, repository.row(verb)?.used.seconds)))
            .collect();
        points.sort_by_key(|(size, _)| *size);
        lines += &line(axes, store, &points);
    }
    let name = if verb == MERGE { "merge of as many new fragments, at most 100,000" } else { verb };
    format!(
        "<figure>\n<figcaption>{0}</figcaption>\n<svg class=\"figure\" role=\"img\" aria-label=\"{0}\" \
         viewBox=\"0 0 {WIDTH} {HEIGHT}\">\n{1}{lines}</svg>\n</figure>\n",
        escape(name),
        axes.grid()
    )
}

/// The line of a store, with its times for who points at them.
fn line(axes: &Axes, store: Store, points: &[(usize, f64)]) -> String {
    let place = |(size, seconds): (usize, f64)| (axes.x(size as f64), axes.y(seconds));
    let path: Vec<_> =
        points.iter().map(|point| place(*point)).map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
    if path.is_empty() {
        return String::new();
    }
    let class = store.name();
    let mut text = format!("<path class=\"curve {class}\" d=\"M{}\"/>\n", path.join("L"));
    for &(size, seconds) in points {
        let (x, y) = place((size, seconds));
        let words = format!("{}, {} fragments: {}", title(store), thousands(size as u64), time(seconds));
        let _ = writeln!(
            text,
            "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"><title>{words}</title></circle>"
        );
    }
    text
}

/// The targets, as in the last of the tables.
fn targets(scale: &Scale) -> String {
    let mut rows = String::new();
    for ratio in &scale.ratios {
        let measured =
            ratio.measured.map_or_else(|| "–".into(), |measured| format!("{measured:.2} {}", ratio.unit));
        let _ = writeln!(
            rows,
            "<tr><th scope=\"row\">{}</th><td>≤ {} {}</td><td>{measured}</td><td class=\"{3}\">{3}</td><td>{4}</td></tr>",
            escape(&ratio.what),
            ratio.limit,
            ratio.unit,
            ratio.verdict(),
            escape(&ratio.note)
        );
    }
    format!(
        "<h2>Targets</h2>\n<table>\n<thead><tr><th>measure</th><th>target</th><th>measured</th><th></th><th></th></tr>\
         </thead>\n<tbody>\n{rows}</tbody>\n</table>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_powers_of_ten_around_everything() {
        assert_eq!(decades([0.004, 25.0].into_iter()), [-3, 2]);
        assert_eq!(decades([1000.0].into_iter()), [3, 4]);
        assert_eq!(decades(std::iter::empty()), [0, 1]);
        let axes = Axes { sizes: [3, 6], times: [-3, 2] };
        assert_eq!((axes.x(1e3), axes.x(1e6)), (LEFT, RIGHT));
        assert_eq!((axes.y(1e-3), axes.y(1e2)), (BOTTOM, TOP));
    }

    #[test]
    fn powers_of_seconds_have_the_unit_that_is_whole() {
        assert_eq!([-3, -1, 0, 2].map(power_of_seconds), ["1 ms", "100 ms", "1 s", "100 s"]);
    }
}
