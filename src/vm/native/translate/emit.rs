//! Single instructions: memory, helpers, and the checks of room and steps.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{AbiParam, AliasRegion, InstBuilder, MemFlags, Signature, Type, Value, types};
use cranelift_codegen::isa::CallConv;

use super::Translator;
use crate::vm::native::gate::Context;
use crate::vm::native::state::{Is, State};
use crate::vm::value::Packed;

/// The operand stack.
const fn on_stack() -> MemFlags {
    MemFlags::trusted().with_alias_region(Some(AliasRegion::Heap))
}

/// What is in the context.
const fn in_context() -> MemFlags {
    MemFlags::trusted().with_alias_region(Some(AliasRegion::Vmctx))
}

/// All other memory.
pub(super) const fn elsewhere() -> MemFlags {
    MemFlags::trusted().with_alias_region(Some(AliasRegion::Table))
}

impl Translator<'_, '_> {
    /// A field of the context.
    pub(super) fn field(&mut self, offset: usize) -> Value {
        self.builder.ins().load(types::I64, in_context(), self.context, offset as i32)
    }

    pub(super) fn set_field(&mut self, offset: usize, value: Value) {
        self.builder.ins().store(in_context(), value, self.context, offset as i32);
    }

    pub(super) fn bits(&mut self, bits: u64) -> Value {
        self.builder.ins().iconst(types::I64, bits.cast_signed())
    }

    pub(super) fn float(&mut self, number: f64) -> Value {
        self.builder.ins().f64const(number)
    }

    /// What is in a slot of the operand stack, at a height relative to `sp`.
    pub(super) fn slot(&mut self, state: &State, height: i32) -> Value {
        self.builder.ins().load(types::I64, on_stack(), state.sp, 8 * height)
    }

    /// Stores a value in a slot of the operand stack.
    pub(super) fn set_slot(&mut self, state: &State, height: i32, is: Is) {
        let value = match is {
            Is::Number(value) => value,
            other => self.packed(other),
        };
        self.builder.ins().store(on_stack(), value, state.sp, 8 * height);
    }

    /// Calls a helper.
    pub(super) fn help(&mut self, helper: usize, arguments: &[Value], result: Option<Type>) -> Option<Value> {
        let mut signature = Signature::new(CallConv::SystemV);
        let types = arguments.iter().map(|value| self.builder.func.dfg.value_type(*value));
        signature.params.extend(types.map(AbiParam::new));
        signature.returns.extend(result.map(AbiParam::new));
        let signature = self.builder.import_signature(signature);
        let helper = self.bits(helper as u64);
        let call = self.builder.ins().call_indirect(signature, helper, arguments);
        self.builder.inst_results(call).first().copied()
    }

    /// Calls a helper that takes the context, and gives a word.
    pub(super) fn ask(&mut self, helper: usize, arguments: &[Value]) -> Value {
        let all = [&[self.context], arguments].concat();
        self.help(helper, &all, Some(types::I64)).unwrap_or(self.context)
    }

    /// Leaves native code if there is no room on the operand stack for what is done from here on.
    pub(super) fn check_room(&mut self, state: &State) {
        let up = self.facts.reach(state.reach);
        if up > 0 {
            let end = self.field(offset_of!(Context, stack_end));
            let highest = self.builder.ins().iadd_imm(state.sp, 8 * i64::from(up));
            let is_over = self.builder.ins().icmp(IntCC::UnsignedGreaterThan, highest, end);
            self.stop_if(is_over);
        }
    }

    /// Leaves native code if there are not steps enough for what is done in a segment.
    pub(super) fn check_steps(&mut self, state: &State) {
        let most = self.facts.segment(state.segment);
        let is_over = self.builder.ins().icmp_imm(IntCC::SignedLessThanOrEqual, state.steps, i64::from(most));
        self.stop_if(is_over);
    }

    /// How many steps are left.
    pub(super) fn steps(&mut self, state: &State) -> Value {
        match state.made {
            0 => state.steps,
            made => self.builder.ins().iadd_imm(state.steps, -i64::from(made)),
        }
    }

    /// The bits of a value.
    pub(super) fn packed(&mut self, is: Is) -> Value {
        match is {
            Is::Packed(value) => value,
            Is::Number(value) => self.builder.ins().bitcast(types::I64, MemFlags::new(), value),
            Is::Whole(value, _) => {
                let number = self.builder.ins().fcvt_from_sint(types::F64, value);
                self.builder.ins().bitcast(types::I64, MemFlags::new(), number)
            }
            Is::Boolean(value) => {
                let value = self.builder.ins().uextend(types::I64, value);
                // The two have tags that follow each other.
                let shifted = self.builder.ins().ishl_imm(value, 48);
                let no = Packed::boolean(false).bits().cast_signed();
                self.builder.ins().iadd_imm(shifted, no)
            }
            Is::Fixed(value) => self.bits(value.bits()),
        }
    }
}
