//! The few shapes that the drawings are made of.

use std::fmt::{Display, Write};

use super::STYLE;
use super::figures::{File, Repository};
use crate::text::escape;

/// The width of every drawing, narrow enough for a telephone.
pub(super) const WIDTH: u32 = 440;
/// The height of a file's row.
pub(super) const FILE_ROW: u32 = 20;
/// The height of a repository's row: its file and its fragments.
pub(super) const REPOSITORY_ROW: u32 = 42;

const CELL: u32 = 10;

/// A finished drawing.
#[derive(Debug)]
pub(crate) struct Drawing {
    /// The file's stem in the documentation.
    pub(crate) name: &'static str,
    /// What is drawn, in a few words.
    pub(crate) title: &'static str,
    description: String,
    height: u32,
    body: String,
}

impl Drawing {
    /// The drawing as a file of its own.
    pub(crate) fn standalone(&self) -> String {
        let attributes = format!("xmlns=\"http://www.w3.org/2000/svg\" {}", self.attributes(self.name, 1.5));
        format!(
            "<svg {attributes}>\n{}<style>\n{STYLE}</style>\n{}</svg>\n",
            self.words(self.name),
            self.body
        )
    }

    /// The drawing for a page that has the style; `id` tells it from the page's other drawings.
    pub(crate) fn inline(&self, id: &str) -> String {
        format!("<svg {}>\n{}{}</svg>\n", self.attributes(id, 1.0), self.words(id), self.body)
    }

    fn attributes(&self, id: &str, scale: f64) -> String {
        let (width, height) = (f64::from(WIDTH) * scale, f64::from(self.height) * scale);
        format!(
            "class=\"figure\" role=\"img\" aria-labelledby=\"{id}-title {id}-text\" \
             width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {}\"",
            self.height
        )
    }

    /// Title and description, for those who listen.
    fn words(&self, id: &str) -> String {
        let (title, description) = (escape(self.title), escape(&self.description));
        format!("<title id=\"{id}-title\">{title}</title>\n<desc id=\"{id}-text\">{description}</desc>\n")
    }
}

/// Where a text is held.
#[derive(Debug, Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A drawing in the making.
#[derive(Debug, Default)]
pub(super) struct Canvas(String);

impl Canvas {
    /// Ends the drawing: paper under it and the legend at the bottom.
    pub(super) fn finish(
        mut self,
        name: &'static str,
        title: &'static str,
        text: String,
        bottom: u32,
    ) -> Drawing {
        self.legend(bottom + 24);
        let height = bottom + 36;
        let paper = format!("<rect class=\"paper\" width=\"{WIDTH}\" height=\"{height}\" rx=\"10\"/>\n");
        Drawing { name, title, description: text, height, body: paper + &self.0 }
    }

    fn add(&mut self, element: impl Display) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{element}");
    }

    /// A line of text; `y` is its base line.
    pub(super) fn text(&mut self, x: u32, y: u32, anchor: Anchor, class: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        self.add(format_args!("<text class=\"{class}\" x=\"{x}\" y=\"{y}\"{anchor}>{}</text>", escape(text)));
    }

    /// A box with round corners.
    pub(super) fn panel(&mut self, class: &str, [x, y, width, height]: [u32; 4]) {
        self.add(format_args!(
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"8\"/>"
        ));
    }

    /// A machine that has nothing to do in this step.
    pub(super) fn resting(&mut self, class: &str, [x, y, width]: [u32; 3], name: &str, note: &str) {
        self.add("<g class=\"resting\">");
        self.panel(class, [x, y, width, 34]);
        self.text(x + 12, y + 22, Anchor::Start, "name", name);
        self.text(x + width - 12, y + 22, Anchor::End, "note", note);
        self.add("</g>");
    }

    /// A file's row: a sheet, the name, and the word about it at the right.
    pub(super) fn file(&mut self, [x, y, width]: [u32; 3], file: &File) {
        self.add(format_args!("<path class=\"icon\" d=\"M{x} {y}h7l4 4v10h-11z\"/>"));
        self.named(x, y, width, file);
    }

    /// A repository's row: a drum, the name, the word about it, and its fragments below.
    pub(super) fn repository(&mut self, [x, y, width]: [u32; 3], repository: &Repository) {
        let drum = "v9c0 4 11 4 11 0v-9c0 4 -11 4 -11 0c0 -4 11 -4 11 0";
        self.add(format_args!("<path class=\"icon\" d=\"M{x} {}{drum}\"/>", y + 3));
        self.named(x, y, width, &repository.file);
        let cells = repository.cells;
        let kinds = [("stored", cells.stored), ("known", cells.known), ("fresh", cells.fresh)];
        let classes = kinds.into_iter().flat_map(|(class, count)| std::iter::repeat_n(class, count as usize));
        for (at, class) in classes.enumerate() {
            self.cell(class, x + 18 + at as u32 * (CELL + 4), y + 21);
        }
    }

    /// A file kept where others make their row.
    fn named(&mut self, x: u32, y: u32, width: u32, file: &File) {
        self.text(x + 18, y + 12, Anchor::Start, "mono", &file.name);
        self.text(x + width, y + 12, Anchor::End, "note", &file.detail);
    }

    fn cell(&mut self, class: &str, x: u32, y: u32) {
        self.add(format_args!(
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{CELL}\" height=\"{CELL}\" rx=\"2\"/>"
        ));
    }

    /// In the place of a repository, when there is none.
    pub(super) fn no_repository(&mut self, [x, y, width]: [u32; 3]) {
        self.panel("absent", [x, y, width, REPOSITORY_ROW - 6]);
        self.text(x + width / 2, y + 22, Anchor::Middle, "note", "no repository yet");
    }

    /// A tool at work.
    pub(super) fn tool(&mut self, centre: u32, y: u32, name: &str) {
        let width = 8 * name.len() as u32 + 20;
        let x = centre - width / 2;
        self.add(format_args!(
            "<rect class=\"tool\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"22\" rx=\"11\"/>"
        ));
        self.text(centre, y + 15, Anchor::Middle, "mono tool-name", name);
    }

    /// An arrow straight down or up.
    pub(super) fn vertical(&mut self, x: u32, from: u32, to: u32) {
        let (shaft, back) = if from < to { (to - 6, -8) } else { (to + 6, 8) };
        self.add(format_args!("<path class=\"flow\" d=\"M{x} {from}V{shaft}\"/>"));
        self.add(format_args!("<path class=\"tip\" d=\"M{x} {to}l-5 {back}h10z\"/>"));
    }

    /// An arrow straight to the right.
    pub(super) fn horizontal(&mut self, y: u32, from: u32, to: u32) {
        self.add(format_args!("<path class=\"flow\" d=\"M{from} {y}H{}\"/>", to - 6));
        self.add(format_args!("<path class=\"tip\" d=\"M{to} {y}l-8 -5v10z\"/>"));
    }

    /// A bracket that gathers rows for the arrow that starts at it.
    pub(super) fn bracket(&mut self, x: u32, from: u32, to: u32) {
        self.add(format_args!("<path class=\"flow\" d=\"M{} {from}h6V{to}h-6\"/>", x - 6));
    }

    fn legend(&mut self, y: u32) {
        self.text(16, y, Anchor::Start, "note", "a fragment each:");
        let entries =
            [(127, "stored", "code stored"), (232, "known", "only the digest"), (354, "fresh", "new code")];
        for (x, class, meaning) in entries {
            self.cell(class, x, y - 9);
            self.text(x + 16, y, Anchor::Start, "note", meaning);
        }
    }
}
