//! Operations for operators, and fused operations: one that does the work of several.
//!
//! A fused operation does something only when all of its parts would succeed in the plainest way; else the first
//! part is executed alone. So errors, and whatever is rare, are done in one place only.

use super::code::{Address, Op};
use super::names::NameId;
use super::value::is_whole;
use crate::isa::builtin::Builtin;

/// The largest count that is fused with `index` or `roll`.
const LARGEST: f64 = 1024.0;

/// The operation of an operator.
pub(super) const fn own(operator: Builtin) -> Op {
    match operator {
        Builtin::Add => Op::Add,
        Builtin::Sub => Op::Sub,
        Builtin::Mul => Op::Mul,
        Builtin::Div => Op::Div,
        Builtin::Eq => Op::Eq,
        Builtin::Ne => Op::Ne,
        Builtin::Lt => Op::Lt,
        Builtin::Le => Op::Le,
        Builtin::Gt => Op::Gt,
        Builtin::Ge => Op::Ge,
        Builtin::Dup => Op::Dup,
        Builtin::Pop => Op::Pop,
        Builtin::Exch => Op::Exch,
        Builtin::Index => Op::Index,
        Builtin::Get => Op::Get,
        Builtin::Put => Op::Put,
        Builtin::Def => Op::Def,
        Builtin::Begin => Op::Begin,
        Builtin::End => Op::End,
        Builtin::IDiv => Op::IDiv,
        Builtin::Mod => Op::Mod,
        Builtin::Not => Op::Not,
        Builtin::Known => Op::Known,
        other => Op::Operator(other),
    }
}

/// The operation that can stand at an address instead of the one that stands there, if the operations after it are
/// not fused yet. `is_code` says of a name whether it means a procedure or operator now.
pub(super) fn fuse(ops: &[Op], at: Address, is_code: impl Fn(NameId) -> bool) -> Option<Op> {
    let is_data = |name: NameId| !is_code(name);
    Some(match ops.get(at as usize..).unwrap_or_default() {
        [Op::Number(count), Op::Number(by), Op::Operator(Builtin::Roll), ..] => roll(*count, *by)?,
        [Op::Number(number), second, ..] => with_number(*number, *second, is_branch(ops, at + 2))?,
        [Op::Text(name), Op::Exch, Op::Def, ..] => Op::Define(*name),
        [Op::Text(name), Op::Number(_), Op::Def, ..] => Op::DefineNumber(*name),
        [Op::Text(name), Op::Name(same), Op::Number(_), Op::Add | Op::Sub, Op::Def, ..] if name == same => {
            Op::Increase(*name)
        }
        [Op::Name(first), Op::Name(second), Op::Get, ..] if is_data(*first) && is_data(*second) => {
            Op::GetNames(*first, *second)
        }
        [Op::Name(first), Op::Name(second), ..] if is_data(*first) && is_data(*second) => {
            Op::Names(*first, *second)
        }
        [Op::Name(name), second, ..] if is_data(*name) => with_name(*name, *second, is_branch(ops, at + 2))?,
        [Op::Operator(Builtin::Dict), Op::Begin, ..] => Op::BeginNew,
        [Op::Block { after, .. }, ..] => block(ops, *after)?,
        [Op::Boolean(condition), Op::IfInPlace { after }, ..] => {
            Op::Chosen { to: if *condition { at + 2 } else { *after } }
        }
        [comparison, ..] if is_branch(ops, at + 1) => compare_and_branch(*comparison)?,
        _ => return None,
    })
}

/// Whether a block in place stands there, or one that is, or will be, fused with `if`, or two with `ifelse`.
fn is_branch(ops: &[Op], at: Address) -> bool {
    match ops.get(at as usize) {
        Some(Op::Block { after, .. }) => {
            matches!(block(ops, *after), Some(Op::If { .. } | Op::IfElse { .. }))
        }
        Some(Op::IfInPlace { .. }) => true,
        _ => false,
    }
}

/// A block, which ends before `after`, with what is there.
fn block(ops: &[Op], after: Address) -> Option<Op> {
    let next = after + 1;
    Some(match ops.get(after as usize)? {
        Op::Operator(Builtin::If) => Op::If { after: next },
        Op::Operator(Builtin::For) => Op::For { after: next },
        Op::Operator(Builtin::Repeat) => Op::Repeat { after: next },
        Op::Operator(Builtin::Loop) => Op::Loop { after: next },
        Op::Block { after: end, .. } => match ops.get(*end as usize)? {
            Op::Operator(Builtin::IfElse) => Op::IfElse { second: next, after: end + 1 },
            _ => return None,
        },
        _ => return None,
    })
}

fn with_number(number: f64, second: Op, branches: bool) -> Option<Op> {
    Some(match second {
        Op::Add => Op::AddNumber(number),
        Op::Sub => Op::SubNumber(number),
        Op::Mul => Op::MulNumber(number),
        Op::Div => Op::DivNumber(number),
        Op::IDiv if is_divisor(number) => Op::IDivNumber(number),
        Op::Mod if is_divisor(number) => Op::ModNumber(number),
        Op::Eq if branches => Op::EqNumberIf(number),
        Op::Ne if branches => Op::NeNumberIf(number),
        Op::Lt if branches => Op::LtNumberIf(number),
        Op::Le if branches => Op::LeNumberIf(number),
        Op::Gt if branches => Op::GtNumberIf(number),
        Op::Ge if branches => Op::GeNumberIf(number),
        Op::Eq => Op::EqNumber(number),
        Op::Ne => Op::NeNumber(number),
        Op::Lt => Op::LtNumber(number),
        Op::Le => Op::LeNumber(number),
        Op::Gt => Op::GtNumber(number),
        Op::Ge => Op::GeNumber(number),
        Op::Index => Op::IndexNumber(count(number)?),
        Op::Operator(Builtin::Copy) if number == 2.0 => Op::CopyTwo,
        _ => return None,
    })
}

fn is_divisor(number: f64) -> bool {
    number != 0.0 && is_whole(number)
}

fn with_name(name: NameId, second: Op, branches: bool) -> Option<Op> {
    Some(match second {
        Op::Add => Op::AddName(name),
        Op::Sub => Op::SubName(name),
        Op::Mul => Op::MulName(name),
        Op::Div => Op::DivName(name),
        Op::Get => Op::GetName(name),
        Op::Eq if branches => Op::EqNameIf(name),
        Op::Ne if branches => Op::NeNameIf(name),
        Op::Lt if branches => Op::LtNameIf(name),
        Op::Le if branches => Op::LeNameIf(name),
        Op::Gt if branches => Op::GtNameIf(name),
        Op::Ge if branches => Op::GeNameIf(name),
        _ => return None,
    })
}

fn compare_and_branch(comparison: Op) -> Option<Op> {
    Some(match comparison {
        Op::Eq => Op::EqIf,
        Op::Ne => Op::NeIf,
        Op::Lt => Op::LtIf,
        Op::Le => Op::LeIf,
        Op::Gt => Op::GtIf,
        Op::Ge => Op::GeIf,
        _ => return None,
    })
}

fn roll(number: f64, by: f64) -> Option<Op> {
    let count = count(number).filter(|count| *count > 0)?;
    let by = (by.fract() == 0.0 && by.abs() <= LARGEST).then_some(by)?;
    Some(Op::RollNumbers { count, by: by.rem_euclid(f64::from(count)) as u32 })
}

fn count(number: f64) -> Option<u32> {
    (number.fract() == 0.0 && (0.0..=LARGEST).contains(&number)).then_some(number as u32)
}
