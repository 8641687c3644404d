//! The code between regions: ways in and out, turns of the machine's loops, and what the machine itself executes.
//!
//! Deliberately absent: anything that depends on the program.

use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{AbiParam, InstBuilder, MemFlags, Signature, Value, types};
use cranelift_codegen::isa::CallConv;
use cranelift_frontend::FunctionBuilder;

use super::compiler::{Compiler, region_signature};
use super::gate::{self, Context, FRAME, TURNS, TURNS_BODY, TURNS_CALLED, TURNS_KIND};
use crate::vm::code::TURN;

/// What regions are entered with, but the context, in the order of their parameters.
const FIELDS: [usize; 5] = [
    offset_of!(Context, sp),
    offset_of!(Context, fp),
    offset_of!(Context, steps),
    offset_of!(Context, called),
    offset_of!(Context, at),
];

const MEMORY: MemFlags = MemFlags::trusted();

/// Begins a function. Gives its parameters.
fn begin(builder: &mut FunctionBuilder<'_>) -> Vec<Value> {
    let block = builder.create_block();
    builder.append_block_params_for_function_params(block);
    builder.switch_to_block(block);
    builder.block_params(block).to_vec()
}

fn field(builder: &mut FunctionBuilder<'_>, context: Value, at: usize) -> Value {
    builder.ins().load(types::I64, MEMORY, context, at as i32)
}

/// The arguments of a region that are in the context.
fn arguments(builder: &mut FunctionBuilder<'_>, context: Value) -> Vec<Value> {
    let fields = FIELDS.map(|at| field(builder, context, at));
    [&[context][..], &fields].concat()
}

/// Puts the parameters of a region in the context.
fn store(builder: &mut FunctionBuilder<'_>, parameters: &[Value]) {
    for (value, at) in parameters[1..].iter().zip(FIELDS) {
        builder.ins().store(MEMORY, *value, parameters[0], at as i32);
    }
}

/// Goes on with a region.
fn go(builder: &mut FunctionBuilder<'_>, code: Value, arguments: &[Value]) {
    let signature = builder.import_signature(region_signature());
    builder.ins().return_call_indirect(signature, code, arguments);
}

impl Compiler {
    /// Code that enters native code: with the context, and where.
    pub(super) fn way_in(&mut self) -> Option<usize> {
        let mut signature = Signature::new(CallConv::SystemV);
        signature.params.extend([AbiParam::new(types::I64); 2]);
        self.make(signature, |builder| {
            let parameters = begin(builder);
            let arguments = arguments(builder, parameters[0]);
            let signature = builder.import_signature(region_signature());
            builder.ins().call_indirect(signature, parameters[1], &arguments);
            builder.ins().return_(&[]);
        })
    }

    /// Code for what has none: leaves native code.
    pub(super) fn way_out(&mut self) -> Option<usize> {
        self.make(region_signature(), |builder| {
            let parameters = begin(builder);
            store(builder, &parameters);
            let is_cold = builder.ins().iconst(types::I64, 1);
            builder.ins().store(MEMORY, is_cold, parameters[0], offset_of!(Context, is_cold) as i32);
            builder.ins().return_(&[]);
        })
    }

    /// Code that lets the machine execute what is next, and goes on with what comes then.
    pub(super) fn perform(&mut self) -> Option<usize> {
        self.make(region_signature(), |builder| {
            let parameters = begin(builder);
            store(builder, &parameters);
            let mut signature = Signature::new(CallConv::SystemV);
            signature.params.push(AbiParam::new(types::I64));
            signature.returns.push(AbiParam::new(types::I64));
            let signature = builder.import_signature(signature);
            let helper =
                builder.ins().iconst(types::I64, (gate::perform as *const () as usize).cast_signed() as i64);
            let call = builder.ins().call_indirect(signature, helper, &parameters[..1]);
            let code = builder.inst_results(call)[0];
            let (on, out) = (builder.create_block(), builder.create_block());
            builder.ins().brif(code, on, &[], out, &[]);
            builder.switch_to_block(out);
            builder.ins().return_(&[]);
            builder.switch_to_block(on);
            let arguments = arguments(builder, parameters[0]);
            go(builder, code, &arguments);
        })
    }

    /// Code for a turn of a loop of the machine.
    pub(super) fn turn(&mut self) -> Option<usize> {
        let perform = self.perform()?;
        self.make(region_signature(), |builder| turn(builder, perform))
    }
}

/// Begins a turn, or ends the loop. What is not plain, the machine does.
fn turn(builder: &mut FunctionBuilder<'_>, perform: usize) {
    let parameters = begin(builder);
    let [context, sp, fp, steps, called, _] = parameters[..] else { return };
    let [other, room, counted, begin_for, next_kind, over] = [(); 6].map(|()| builder.create_block());
    let body_sp = builder.append_block_param(room, types::I64);
    let load = |builder: &mut FunctionBuilder<'_>, of_type, top, at: usize| {
        builder.ins().load(of_type, MEMORY, top, at as i32)
    };
    let top = field(builder, context, offset_of!(Context, loops));
    let top = builder.ins().iadd_imm(top, -(TURNS as i64));
    let (end, frames_end) = (
        field(builder, context, offset_of!(Context, stack_end)),
        field(builder, context, offset_of!(Context, frames_end)),
    );
    let has_slot = builder.ins().icmp(IntCC::UnsignedLessThan, sp, end);
    let has_frame = builder.ins().icmp(IntCC::UnsignedLessThan, fp, frames_end);
    let has_steps = builder.ins().icmp_imm(IntCC::SignedGreaterThan, steps, 1);
    let has_room = builder.ins().band(has_slot, has_frame);
    let has_room = builder.ins().band(has_room, has_steps);
    builder.ins().brif(has_room, counted, &[], other, &[]);

    builder.switch_to_block(counted);
    let tag = builder.ins().uload32(MEMORY, top, TURNS_KIND as i32);
    builder.ins().brif(tag, next_kind, &[], begin_for, &[]);
    builder.switch_to_block(begin_for);
    let [next, step, limit] = [8, 16, 24].map(|at| load(builder, types::F64, top, TURNS_KIND + at));
    let zero = builder.ins().f64const(0.0);
    let is_down = builder.ins().fcmp(FloatCC::LessThan, step, zero);
    let below = builder.ins().fcmp(FloatCC::LessThanOrEqual, next, limit);
    let above = builder.ins().fcmp(FloatCC::GreaterThanOrEqual, next, limit);
    let goes_on = builder.ins().select(is_down, above, below);
    let push = builder.create_block();
    builder.ins().brif(goes_on, push, &[], over, &[]);
    builder.switch_to_block(push);
    builder.ins().store(MEMORY, next, sp, 0);
    let sum = builder.ins().fadd(next, step);
    builder.ins().store(MEMORY, sum, top, (TURNS_KIND + 8) as i32);
    let above = builder.ins().iadd_imm(sp, 8);
    builder.ins().jump(room, &[above.into()]);

    builder.switch_to_block(next_kind);
    let (repeat, no_repeat, decrease) =
        (builder.create_block(), builder.create_block(), builder.create_block());
    let is_repeat = builder.ins().icmp_imm(IntCC::Equal, tag, 1);
    builder.ins().brif(is_repeat, repeat, &[], no_repeat, &[]);
    builder.switch_to_block(repeat);
    let left = load(builder, types::I64, top, TURNS_KIND + 8);
    builder.ins().brif(left, decrease, &[], over, &[]);
    builder.switch_to_block(decrease);
    let less = builder.ins().iadd_imm(left, -1);
    builder.ins().store(MEMORY, less, top, (TURNS_KIND + 8) as i32);
    builder.ins().jump(room, &[sp.into()]);
    builder.switch_to_block(no_repeat);
    let is_loop = builder.ins().icmp_imm(IntCC::Equal, tag, 2);
    let for_all = builder.create_block();
    builder.ins().brif(is_loop, room, &[sp.into()], for_all, &[]);
    builder.switch_to_block(for_all);
    let mut signature = Signature::new(CallConv::SystemV);
    signature.params.extend([AbiParam::new(types::I64); 3]);
    signature.returns.push(AbiParam::new(types::I64));
    let signature = builder.import_signature(signature);
    let helper = builder.ins().iconst(types::I64, (gate::turn as *const () as usize).cast_signed() as i64);
    let call = builder.ins().call_indirect(signature, helper, &[context, sp, top]);
    let count = builder.inst_results(call)[0];
    let (is_plain, pushed) = (builder.create_block(), builder.create_block());
    let is_other = builder.ins().icmp_imm(IntCC::Equal, count, 3);
    builder.ins().brif(is_other, other, &[], is_plain, &[]);
    builder.switch_to_block(is_plain);
    builder.ins().brif(count, pushed, &[], over, &[]);
    builder.switch_to_block(pushed);
    let size = builder.ins().ishl_imm(count, 3);
    let above = builder.ins().iadd(sp, size);
    builder.ins().jump(room, &[above.into()]);

    builder.switch_to_block(room);
    let frame = builder.ins().ishl_imm(called, 32);
    let frame = builder.ins().bor_imm(frame, i64::from(TURN));
    builder.ins().store(MEMORY, frame, fp, 0);
    let body = builder.ins().uload32(MEMORY, top, TURNS_BODY as i32);
    let as_what = builder.ins().uload32(MEMORY, top, TURNS_CALLED as i32);
    let fp_in = builder.ins().iadd_imm(fp, FRAME as i64);
    let steps_in = builder.ins().iadd_imm(steps, -1);
    let code = entry(builder, context, body);
    go(builder, code, &[context, body_sp, fp_in, steps_in, as_what, body]);

    builder.switch_to_block(over);
    builder.ins().store(MEMORY, top, context, offset_of!(Context, loops) as i32);
    let frame = builder.ins().load(types::I64, MEMORY, fp, -(FRAME as i32));
    let at = builder.ins().band_imm(frame, i64::from(u32::MAX));
    let as_what = builder.ins().ushr_imm(frame, 32);
    let fp_out = builder.ins().iadd_imm(fp, -(FRAME as i64));
    let code = entry(builder, context, at);
    go(builder, code, &[context, sp, fp_out, steps, as_what, at]);

    builder.switch_to_block(other);
    let code = builder.ins().iconst(types::I64, perform.cast_signed() as i64);
    go(builder, code, &parameters);
}

/// The native code of an address.
fn entry(builder: &mut FunctionBuilder<'_>, context: Value, at: Value) -> Value {
    let entries = field(builder, context, offset_of!(Context, entries));
    let offset = builder.ins().ishl_imm(at, 3);
    let entry = builder.ins().iadd(entries, offset);
    builder.ins().load(types::I64, MEMORY, entry, 0)
}
