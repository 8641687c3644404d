//! Trace lines: what the machine is about to execute, and on what.

use std::io::{self, Write};

use super::machine::Machine;

/// So many operands are shown.
const OPERANDS: usize = 8;

/// Writes `name ordinal: instruction | operands`, the top of the operand stack last.
pub(super) fn write_line(machine: &Machine<'_>, out: &mut dyn Write) -> io::Result<()> {
    let program = machine.program();
    let (Some(activation), Some(instruction)) = (machine.activations().next(), machine.instruction()) else {
        return Ok(());
    };
    let (name, symbol) =
        (program.names().text(activation.name), program.symbol_name(activation.place.symbol));
    let mut line = name.to_string();
    if **name != *symbol.as_str() {
        line.push_str(&format!(" ({symbol})"));
    }
    line.push_str(&format!(" {}: {} |", activation.place.ordinal, program.instruction_text(instruction)));
    let operands = machine.operands();
    let shown = operands.len().saturating_sub(OPERANDS);
    if shown > 0 {
        line.push_str(" …");
    }
    for operand in &operands[shown..] {
        line.push(' ');
        line.push_str(&machine.text(operand.unpack()).brief());
    }
    line.push('\n');
    out.write_all(line.as_bytes())
}
