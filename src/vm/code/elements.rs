//! Procedures as values: their elements, and what `bind` makes of them.
//!
//! The elements are those of the source, however a procedure was compiled: names are strings, and where a block is in
//! place, it and its operator are elements.

use std::collections::HashMap;
use std::rc::Rc;

use super::{Address, Body, Bound, Code, Op};
use crate::isa::builtin::Builtin;
use crate::isa::instruction::Instruction;
use crate::vm::names::NameId;
use crate::vm::scope::Scope;
use crate::vm::value::{Procedure, Value};

impl Code<'_> {
    /// The elements of a procedure. An inner block is one element.
    pub(in crate::vm) fn elements(&mut self, procedure: Procedure, scope: &mut Scope) -> Rc<[Value]> {
        if let Some(elements) = &self.procedures[procedure.0 as usize].elements {
            return Rc::clone(elements);
        }
        let start = self.body(procedure, scope);
        let numbers = self.numbers(start);
        let body = self.procedures[procedure.0 as usize].clone();
        let elements: Rc<[Value]> = self.list(&body, &numbers).into();
        self.procedures[procedure.0 as usize].elements = Some(Rc::clone(&elements));
        elements
    }

    /// One of the elements of a procedure, if they were asked for before.
    pub(in crate::vm) fn element(&self, procedure: Procedure, index: usize) -> Option<Value> {
        self.procedures[procedure.0 as usize].elements.as_ref()?.get(index).copied()
    }

    /// The numbers of the procedures that a body holds, by instruction; but not of those within them.
    fn numbers(&self, start: Address) -> HashMap<u32, u32> {
        let mut numbers = HashMap::new();
        let mut at = start;
        while let Some(instruction) = self.instruction(at) {
            let link = self.notes[at as usize].link;
            at = match self.plain(at) {
                Op::Block { after, .. }
                | Op::ForInPlace { after }
                | Op::RepeatInPlace { after }
                | Op::LoopInPlace { after }
                | Op::Skip { to: after } => {
                    numbers.insert(instruction, link);
                    after
                }
                Op::IfInPlace { after } => {
                    numbers.insert(instruction, link);
                    // Of two blocks, what skips the second is the last operation of the first.
                    let is_first =
                        matches!(self.program.code()[instruction as usize], Instruction::IfElse(_));
                    after - u32::from(is_first)
                }
                _ => at + 1,
            };
        }
        numbers
    }

    /// The elements that the instructions of a body stand for. `numbers` has the procedures that there are already.
    fn list(&mut self, body: &Body, numbers: &HashMap<u32, u32>) -> Vec<Value> {
        let mut elements = Vec::new();
        let mut ranges = vec![body.range];
        while let Some((at, end)) = ranges.pop() {
            if at == end {
                continue;
            }
            let instruction = self.program.code()[at as usize];
            let next = at + 1 + instruction.inner();
            if let Instruction::Instead { code, .. } = instruction {
                ranges.extend([(next + code, end), (at + 1, next)]);
                continue;
            }
            ranges.push((next, end));
            elements.push(match instruction {
                Instruction::Number(number) => Value::Number(number),
                Instruction::Boolean(value) => Value::Boolean(value),
                Instruction::String(text) => Value::Text(NameId::from_operand(text)),
                Instruction::Call(name) => named(NameId::from_operand(name), &body.bound),
                Instruction::Operator(operator) => self.operator(operator, body),
                _ => self.part(at, body, numbers),
            });
            // The first of two blocks is followed by the second, and that by the operator.
            if let (Some(operator), false) =
                (instruction.in_place(), matches!(instruction, Instruction::IfElse(_)))
            {
                elements.push(self.operator(operator, body));
            }
        }
        elements
    }

    fn operator(&self, operator: Builtin, body: &Body) -> Value {
        named(self.program.operator_name(operator), &body.bound)
    }

    /// The block of an instruction as a procedure.
    fn part(&mut self, instruction: u32, outer: &Body, numbers: &HashMap<u32, u32>) -> Value {
        let number = numbers.get(&instruction).copied().unwrap_or_else(|| {
            let length = self.program.code()[instruction as usize].inner();
            let range = (instruction + 1, instruction + 1 + length);
            self.procedures.push(Body::new(outer.symbol, range, &outer.bound));
            self.procedures.len() as u32 - 1
        });
        Value::Procedure(Procedure(number))
    }

    /// The names that a procedure executes.
    pub(in crate::vm) fn names(&self, procedure: Procedure) -> Vec<NameId> {
        let (from, to) = self.procedures[procedure.0 as usize].range;
        let code = self.program.code()[from as usize..to as usize].iter();
        let name = |instruction: &Instruction| match instruction {
            Instruction::Call(name) => Some(NameId::from_operand(*name)),
            Instruction::Operator(operator) => Some(self.program.operator_name(*operator)),
            other => other.in_place().map(|operator| self.program.operator_name(operator)),
        };
        code.filter_map(name).collect()
    }

    /// The procedure in which these names are bound to operators for ever, and how many operations were made for it.
    pub(in crate::vm) fn bound(
        &mut self,
        procedure: Procedure,
        operators: Bound,
        scope: &mut Scope,
    ) -> (Procedure, usize) {
        if let Some(made) = self.bound.get(&procedure)
            && self.procedures[made.0 as usize].bound == operators
        {
            return (*made, 0);
        }
        let Body { symbol, range, .. } = self.procedures[procedure.0 as usize];
        let made = Procedure(self.procedures.len() as u32);
        self.procedures.push(Body::new(symbol, range, &operators));
        self.bound.insert(procedure, made);
        let start = self.body(made, scope);
        (made, self.ops.len() - start as usize)
    }
}

/// What a name is as an element.
fn named(name: NameId, bound: &Bound) -> Value {
    bound.get(&name).map_or(Value::Text(name), |operator| Value::Operator(*operator))
}
