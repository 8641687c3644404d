//! Procedures with the names of operators, which optimised code of other sources does not call.

use super::mentions::Together;
use super::warning::{Lint, Warning};
use crate::isa::builtin::Builtin;
use crate::syntax::ast::{Procedure, Unit};

/// Warns of each procedure whose name another source of the command executes. That source has neither a procedure of
/// this name itself nor a string with it, so its name is bound to the operator.
pub(super) fn add(unit: &Unit<'_>, together: &Together<'_, '_>, warnings: &mut Vec<Warning>) {
    let warning = |procedure: &Procedure<'_>| {
        let operator = Builtin::lookup(procedure.name)?;
        let binding = together.binding(operator);
        (binding > 0).then(|| warning(procedure, operator, binding))
    };
    warnings.extend(unit.procedures.iter().filter_map(warning));
}

fn warning(procedure: &Procedure<'_>, operator: Builtin, sources: usize) -> Warning {
    let name = operator.name();
    let others = if sources == 1 {
        "another source executes".into()
    } else {
        format!("{sources} other sources execute")
    };
    Warning {
        lint: Lint::BoundEarly,
        message: format!("{others} the operator `{name}`, not this procedure"),
        labels: vec![(procedure.name_span, "called only in this source".to_owned())],
        help: "`-O` binds the names of operators early in each source that has no such procedure or string; rename the \
               procedure, or compile without `-O`"
            .to_owned(),
        is_denied: false,
    }
}
