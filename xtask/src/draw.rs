//! Drawings of the four steps, as SVG: the same code for the documentation and for the demo's page.
//!
//! A drawing is a function of its [`Figures`] alone.

mod canvas;
mod figures;
mod steps;

pub(crate) use canvas::Drawing;
pub(crate) use figures::{Agent, Cells, Figures, File, Repository, Ticket};

/// Colours and type, for a page that holds drawings.
pub(crate) const STYLE: &str = include_str!("draw/style.css");

/// The four steps of one round, in order.
pub(crate) fn four_steps(figures: &Figures) -> [Drawing; 4] {
    [
        steps::preparation(figures),
        steps::compilation(figures),
        steps::copy_back(figures),
        steps::link(figures),
    ]
}
