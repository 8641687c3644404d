//! Where everything goes: a section for each body, a symbol for each definition.

use rayon::prelude::*;

use super::reach::{Program, Reached};
use super::resolve::Definitions;

/// The symbols of a program by name. Sections lie in the order of its bodies: as the program reaches them.
pub(super) fn layout(program: &Program, definitions: &Definitions) -> Vec<Reached> {
    let name = |symbol: &Reached| definitions.name(symbol.number);
    let symbols = program.definitions.par_iter().with_min_len(FEW);
    let mut symbols = symbols.map(|symbol| (start(name(symbol)), *symbol)).collect::<Vec<_>>();
    symbols.par_sort_unstable_by(|(a, left), (b, right)| a.cmp(b).then_with(|| name(left).cmp(name(right))));
    symbols.into_iter().map(|(_, symbol)| symbol).collect()
}

/// Fewer symbols are not worth another thread.
const FEW: usize = 2048;

/// How a name begins, which most often tells its place without a look at the name itself. Nothing in a name is less
/// than what fills up a short one.
fn start(name: &str) -> u128 {
    let mut start = [0; 16];
    start.iter_mut().zip(name.bytes()).for_each(|(to, byte)| *to = byte);
    u128::from_be_bytes(start)
}
