//! The page of a profile: a flame graph, the procedures, and the sources with the time beside each line.
//!
//! One file that needs nothing else. Tables and sources are in the text; the graph is drawn where the page is shown.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use super::folded::OMITTED;
use super::report::{Listed, Listing, Report, Row, percent, thousands, time};
use crate::profile::{INNERMOST, OUTERMOST, Profile};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The page as text.
pub(super) fn page(report: &Report) -> String {
    let title = escape(&report.program);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>Profile of {title}</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{}{}{}{}</main>\n\
         <script type=\"application/json\" id=\"profile\">{}</script>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n",
        figures(report),
        graph(report),
        procedures(report),
        sources(report),
        data(&report.profile)
    )
}

fn figures(report: &Report) -> String {
    let Profile { time: whole, steps, samples, .. } = report.profile;
    let figure = |name, value| format!("<div><dt>{name}</dt><dd>{value}</dd></div>\n");
    let rate = if whole.is_zero() { 0.0 } else { steps as f64 / whole.as_secs_f64() / 1e6 };
    format!(
        "<dl>\n{}{}{}{}</dl>\n",
        figure("CPU time", time(whole)),
        figure("steps", thousands(steps)),
        figure("steps a second", format!("{rate:.1} million")),
        figure("samples", thousands(samples))
    )
}

fn graph(report: &Report) -> String {
    let cut = if report.profile.is_cut() {
        format!(
            " Of a stack that is deeper than {}, the middle is left out ({OMITTED}).",
            INNERMOST + OUTERMOST
        )
    } else {
        String::new()
    };
    format!(
        "<section>\n<h2>Flame graph</h2>\n<p class=\"tools\"><input id=\"search\" type=\"search\" \
         placeholder=\"Find procedures\" aria-label=\"Find procedures\"><label><input \
         id=\"fold\" type=\"checkbox\" checked> fold recursion</label><button id=\"whole\" hidden>Show all</button>\
         <output id=\"told\"></output></p>\n<div id=\"graph\"></div>\n<p class=\"note\">Each bar is a procedure, as wide as \
         its share of the time, below the one that called it. A click makes it the whole width.{cut}</p>\n</section>\n"
    )
}

fn procedures(report: &Report) -> String {
    let whole = report.whole();
    let row = |Row { name, cost, place }: &Row| {
        let place =
            place.as_ref().map(|(source, line)| format!("{}:{line}", escape(source))).unwrap_or_default();
        let [own, total] = [cost.own, cost.total].map(|part| cell(part, whole));
        format!(
            "<tr><th scope=\"row\"><button class=\"find\">{}</button></th>{own}{total}<td>{place}</td></tr>\n",
            escape(name)
        )
    };
    format!(
        "<section>\n<h2>Procedures</h2>\n<div class=\"wide\"><table id=\"procedures\">\n<thead><tr><th scope=\"col\">\
         <button>procedure</button></th><th scope=\"col\" class=\"number\"><button>own time</button></th>\
         <th scope=\"col\" class=\"number\"><button>with callees</button></th><th scope=\"col\">defined</th></tr></thead>\n\
         <tbody>\n{}</tbody>\n</table></div>\n</section>\n",
        report.procedures.iter().map(row).collect::<String>()
    )
}

/// A cell with a time, its share, and a bar as long.
fn cell(part: Duration, whole: Duration) -> String {
    let share = percent(part, whole);
    format!(
        "<td class=\"number\" data-value=\"{}\" style=\"--share:{share:.2}%\">{}<small>{share:.1} %</small></td>",
        part.as_nanos(),
        time(part)
    )
}

fn sources(report: &Report) -> String {
    let note = report.note.as_ref().map(|note| format!("<p class=\"note\">{}</p>\n", escape(note)));
    let listings = report.sources.iter().map(|listing| source(listing, report.whole()));
    format!(
        "<section>\n<h2>Lines</h2>\n{}{}</section>\n",
        note.unwrap_or_default(),
        listings.collect::<String>()
    )
}

fn source(Listing { name, own, lines }: &Listing, whole: Duration) -> String {
    let mut rows = String::new();
    let mut next = lines.first().map_or(0, |line| line.number);
    for Listed { number, text, cost } in lines {
        if *number != next {
            rows += "<tr class=\"gap\"><td colspan=\"4\">⋯</td></tr>\n";
        }
        next = number.saturating_add(1);
        let heat = percent(cost.own, whole);
        let [own, total] =
            [cost.own, cost.total].map(|part| if part.is_zero() { String::new() } else { time(part) });
        _ = writeln!(
            rows,
            "<tr style=\"--share:{heat:.2}%\"><td>{own}</td><td>{total}</td><td>{number}</td><td><code>{}</code></td></tr>",
            escape(text)
        );
    }
    format!(
        "<h3>{} <small>{} · {:.1} %</small></h3>\n<div class=\"wide\"><table class=\"source\">\n<thead><tr><th scope=\"col\">own</th>\
         <th scope=\"col\">with callees</th><th scope=\"col\">line</th><th scope=\"col\"></th></tr></thead>\n<tbody>\n{rows}</tbody>\n\
         </table></div>\n",
        escape(name),
        time(*own),
        percent(*own, whole)
    )
}

/// The stacks for the graph: all names, and of each node its parent, its name and its own time in microseconds.
fn data(profile: &Profile) -> String {
    let mut names = Vec::new();
    let mut numbers = HashMap::new();
    let mut nodes = Vec::<Value>::new();
    for node in &profile.nodes {
        let name = node.name.as_deref().unwrap_or(OMITTED);
        let number = *numbers.entry(name).or_insert_with(|| {
            names.push(name);
            names.len() - 1
        });
        nodes.push(json!([
            node.parent.map_or(-1, |parent| parent as i64),
            number,
            node.own.as_nanos() as f64 / 1e3
        ]));
    }
    // What would end the script is written another way.
    json!({ "names": names, "nodes": nodes }).to_string().replace('<', "\\u003c")
}

/// A text as a part of a page.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
