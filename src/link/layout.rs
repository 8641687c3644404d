//! Where everything goes: a section for each body, a symbol for each definition.

use rayon::prelude::*;

use super::reach::{Program, Reached};
use super::resolve::Definitions;

/// The symbols of a program by name. Sections lie in the order of its bodies: as the program reaches them.
pub(super) fn layout(program: &Program, definitions: &Definitions) -> Vec<Reached> {
    let reached = &program.definitions;
    let name = |at: u32| definitions.name(reached[at as usize].number);
    let order = (0..reached.len() as u32).into_par_iter().with_min_len(FEW);
    let mut order = order.map(|at| (start(name(at)), at)).collect::<Vec<_>>();
    order.par_sort_unstable_by(|(a, left), (b, right)| a.cmp(b).then_with(|| name(*left).cmp(name(*right))));
    order.into_iter().map(|(_, at)| reached[at as usize]).collect()
}

/// Fewer symbols are not worth another thread.
const FEW: usize = 2048;

/// How a name begins, which most often tells its place without a look at the name itself. Nothing in a name is less
/// than what fills up a short one.
fn start(name: &str) -> [u64; 3] {
    let mut start = [[0; 8]; 3];
    start.as_flattened_mut().iter_mut().zip(name.bytes()).for_each(|(to, byte)| *to = byte);
    start.map(u64::from_be_bytes)
}
