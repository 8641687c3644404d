//! The gate between the machine and native code: what both read and write, how native code is entered, and what it
//! asks the machine to do.
//!
//! All code that the compiler cannot check is here. Deliberately absent: what native code looks like.

// SAFETY: Native code is made by `translate` alone, and lives in `Native` as long as the machine. It is entered by
// `enter` with a `Context` whose addresses are those of the machine's own vectors, taken from unique references in
// `look`, and nothing in the machine is borrowed meanwhile. It reads and writes only what the context bounds: the slots
// of the operand stack between `stack_base` and `stack_end`; the spare room of frames and loops up to `frames_end` and
// `loops_end`, the rest of which is initialised; meanings by the ids of names that exist; entries of dictionaries below
// their number, and the one above them where there is room for it, with that number; the places that a dictionary has for
// whole numbers below the table's length; elements below an array's length; the rows of dictionaries by the ids of those on
// the dictionary stack and of the one that is used next, and that stack below the length of its row;
// and, in the machine itself, the count of the bytes on the heap, the height and state of the dictionary stack, and which
// dictionary is used next. A helper makes a unique reference of `machine` and of `streams`,
// of which there is no other then, as native code runs on the same thread and holds none; no vector with an address in
// the context moves in it without `look` being called again. No helper unwinds: all of them are total.
#![allow(unsafe_code, reason = "native code is entered, and asks for help, by address")]

use std::ffi::c_void;
use std::mem::offset_of;

use super::super::code::Address;
use super::super::dictionary::{Entry, Record, SMALL};
use super::super::fault::Fault;
use super::super::frame::{Called, Frame, Turns, TurnsKind};
use super::super::heap::{self, Sequence};
use super::super::machine::run::data::values_for_turn;
use super::super::machine::{Machine, Streams};
use super::super::scope::{self, Meaning};
use super::super::value::{Packed, Value};
use crate::isa::builtin::Builtin;

mod dictionaries;
mod values;

pub(super) use dictionaries::{
    begin, begin_new, begin_with, current, define, define_key, end, find, reject, store,
};
pub(super) use values::{
    add_number, divide, element, equal, known, modulo, part, set_element, set_part, text,
};

/// What native code and the machine both know.
#[derive(Debug)]
#[repr(C)]
pub(in crate::vm) struct Context {
    /// The end of the operand stack, of the frames, and of the loops.
    pub(super) sp: usize,
    pub(super) fp: usize,
    pub(super) loops: usize,
    /// How many steps are left.
    pub(super) steps: i64,
    pub(super) called: u64,
    pub(super) at: u64,
    /// Whether what is executed next has no native code.
    pub(super) is_cold: u64,
    pub(super) stack_base: usize,
    pub(super) stack_end: usize,
    pub(super) frames_end: usize,
    pub(super) loops_end: usize,
    /// The native code for each address.
    pub(super) entries: usize,
    pub(super) meanings: usize,
    /// Where each text stood last as a key.
    pub(super) places: usize,
    /// The entries of the program's dictionary.
    pub(super) program: usize,
    /// The entries of the current dictionary, and its own row in the table of dictionaries; those of an empty one when it
    /// is systemdict.
    pub(super) current: usize,
    pub(super) current_record: usize,
    /// The row of the program's dictionary.
    pub(super) program_record: usize,
    /// Where the dictionary stack is, how long its row is, and how high it may be.
    pub(super) scopes: usize,
    pub(super) scopes_length: usize,
    pub(super) scopes_limit: usize,
    /// The table of dictionaries, and the entries of all.
    pub(super) dictionaries: usize,
    pub(super) rows: usize,
    /// The tables of arrays and strings, and the elements of all.
    pub(super) arrays: usize,
    pub(super) elements: usize,
    pub(super) strings: usize,
    pub(super) bytes: usize,
    pub(super) machine: *mut c_void,
    streams: *mut c_void,
    /// How often native code has become wrong.
    epoch: u64,
    fault: Option<Fault>,
    /// The values of dictionaries that a helper is to begin.
    pub(super) values: [Packed; TOGETHER * MOST],
    /// The region in which something was guessed wrong; 0 if nothing was.
    pub(super) misguessed: u64,
}

/// So many entries, at most, native code itself puts in a dictionary.
pub(super) const FEW: usize = SMALL as usize;
/// So many entries, at most, a virtual dictionary has.
pub(super) const MOST: usize = 16;
/// So many of those, at most, a helper begins at once.
pub(super) const TOGETHER: usize = 4;

/// Where things are in what native code reads.
pub(super) const MEANING: usize = size_of::<Meaning>();
pub(super) const MEANING_VALUE: usize = offset_of!(Meaning, value);
pub(super) const MEANING_STATE: usize = offset_of!(Meaning, state);
pub(super) const MEANING_PLACE: usize = offset_of!(Meaning, place);
/// In the machine: what counts the bytes on the heap.
pub(super) const USED: usize = offset_of!(Machine<'static>, heap) + heap::USED;
pub(super) const DUE: usize = offset_of!(Machine<'static>, heap) + heap::DUE;
/// Which id of a dictionary is used next.
pub(super) const FREE: usize = offset_of!(Machine<'static>, heap) + heap::FREE;
/// How high the dictionary stack is, and the number of its state.
pub(super) const SCOPES: usize = offset_of!(Machine<'static>, scope) + scope::HEIGHT;
pub(super) const SCOPE_STATE: usize = offset_of!(Machine<'static>, scope) + scope::STATE;
pub(super) const RECORD: usize = size_of::<Record>();
pub(super) const RECORD_START: usize = offset_of!(Record, start);
pub(super) const RECORD_LENGTH: usize = offset_of!(Record, length);
pub(super) const RECORD_CAPACITY: usize = offset_of!(Record, capacity);
pub(super) const RECORD_INDEX: usize = offset_of!(Record, index);
/// Whether it was begun, and after it whether it is private.
pub(super) const RECORD_BEGUN: usize = offset_of!(Record, is_begun);
pub(super) const RECORD_PRIVATE: usize = offset_of!(Record, is_private);
const _: () = assert!(RECORD_PRIVATE == RECORD_BEGUN + 1);
pub(super) const RECORD_NEXT: usize = offset_of!(Record, next);
pub(super) const RECORD_NEAR: usize = offset_of!(Record, near);
pub(super) const RECORD_NEAR_LENGTH: usize = offset_of!(Record, near_length);
pub(super) const ENTRY: usize = size_of::<Entry>();
pub(super) const ENTRY_KEY: usize = offset_of!(Entry, key);
pub(super) const ENTRY_VALUE: usize = offset_of!(Entry, value);
pub(super) const SEQUENCE: usize = size_of::<Sequence>();
pub(super) const SEQUENCE_START: usize = offset_of!(Sequence, start);
/// The length, and above it the whole of which it is a part, and above that whether it is read-only.
pub(super) const SEQUENCE_LENGTH: usize = offset_of!(Sequence, length);
const _: () = assert!(offset_of!(Sequence, whole) == SEQUENCE_LENGTH + 4);
pub(super) const TURNS: usize = size_of::<Turns>();
pub(super) const TURNS_BODY: usize = offset_of!(Turns, body);
pub(super) const TURNS_CALLED: usize = offset_of!(Turns, called);
/// A tag, and then fields as in C.
pub(super) const TURNS_KIND: usize = offset_of!(Turns, kind);
pub(super) const FRAME: usize = size_of::<Frame>();
const _: () = assert!(offset_of!(Frame, at) == 0 && offset_of!(Frame, called) == 4 && FRAME == 8);
const _: () = assert!(offset_of!(Turns, kind) % 8 == 0);

/// How native code is entered: the context, and where.
type Enter = unsafe extern "sysv64" fn(*mut Context, usize);

/// Room that native code finds, at least.
const ROOM: usize = 1024;

impl<'p> Machine<'p> {
    /// Executes native code from an address on, which has some, as long as there is some.
    #[inline(never)]
    pub(in crate::vm) fn run_native(
        &mut self,
        at: Address,
        steps: &mut i64,
        streams: &mut Streams<'_>,
    ) -> Result<(), Fault> {
        self.make_room();
        let (enter, code) = self.native.way_in(at);
        let mut context = self.context(at, *steps, streams);
        unsafe {
            let enter = std::mem::transmute::<usize, Enter>(enter);
            enter(&raw mut context, code);
        }
        self.sync(&context);
        *steps = context.steps;
        self.go_on_as(context.at as Address, Called::from_bits(context.called as u32));
        if context.is_cold != 0 {
            self.warm_up(context.at as Address);
        }
        context.fault.take().map_or(Ok(()), Err)
    }

    fn make_room(&mut self) {
        self.stack.make_room(ROOM);
        if self.frames.capacity() - self.frames.len() < ROOM {
            self.frames.reserve(self.frames.len().max(2 * ROOM));
        }
        if self.loops.capacity() - self.loops.len() < ROOM {
            self.loops.reserve(self.loops.len().max(2 * ROOM));
        }
    }

    fn context(&mut self, at: Address, steps: i64, streams: &mut Streams<'_>) -> Context {
        let mut context = Context {
            sp: 0,
            fp: 0,
            loops: 0,
            steps,
            called: self.next().1.bits().into(),
            at: at.into(),
            is_cold: 0,
            stack_base: 0,
            stack_end: 0,
            frames_end: 0,
            loops_end: 0,
            entries: 0,
            meanings: 0,
            places: 0,
            program: 0,
            current: 0,
            current_record: 0,
            program_record: 0,
            scopes: 0,
            scopes_length: 0,
            scopes_limit: self.stack.limit(),
            dictionaries: 0,
            rows: 0,
            arrays: 0,
            elements: 0,
            strings: 0,
            bytes: 0,
            machine: (&raw mut *self).cast(),
            streams: (&raw mut *streams).cast(),
            epoch: self.native.epoch(),
            fault: None,
            values: [Packed::NULL; TOGETHER * MOST],
            misguessed: 0,
        };
        context.look(self);
        context.look_at_stacks(self);
        context
    }

    /// Takes over what native code has done to the stacks.
    fn sync(&mut self, context: &Context) {
        self.stack.set_height((context.sp - context.stack_base) / size_of::<Packed>());
        let frames = (context.fp - self.frames.as_ptr() as usize) / FRAME;
        unsafe { self.frames.set_len(frames) }
        self.sync_loops(context);
    }

    /// The same to the loops alone.
    fn sync_loops(&mut self, context: &Context) {
        let loops = (context.loops - self.loops.as_ptr() as usize) / TURNS;
        unsafe { self.loops.set_len(loops) }
    }
}

impl Context {
    /// Looks where things are now.
    fn look(&mut self, machine: &mut Machine<'_>) {
        self.entries = machine.native.entries(machine.code.ops.len());
        self.meanings = machine.scope.meanings_mut().as_mut_ptr() as usize;
        self.places = machine.texts.places().as_ptr() as usize;
        self.look_at_sequences(machine);
        self.look_at_scope(machine);
    }

    /// Looks where arrays and strings are now.
    #[inline]
    fn look_at_sequences(&mut self, machine: &mut Machine<'_>) {
        let (arrays, elements) = machine.heap.all_arrays();
        (self.arrays, self.elements) = (arrays.as_mut_ptr() as usize, elements.as_mut_ptr() as usize);
        let (strings, bytes) = machine.heap.all_strings();
        (self.strings, self.bytes) = (strings.as_mut_ptr() as usize, bytes.as_mut_ptr() as usize);
    }

    /// Looks where the stacks are now.
    fn look_at_stacks(&mut self, machine: &mut Machine<'_>) {
        let height = machine.stack.height();
        let slots = machine.stack.slots();
        self.stack_base = slots.as_mut_ptr() as usize;
        self.sp = self.stack_base + height * size_of::<Packed>();
        self.stack_end = self.stack_base + size_of_val(slots);
        let frames = machine.frames.as_mut_ptr() as usize;
        // Frames and what begins a loop must both have room in the end.
        let most = machine.frames.capacity().min(machine.stack.limit().saturating_sub(2));
        self.fp = frames + machine.frames.len() * FRAME;
        self.frames_end = frames + most * FRAME;
        let loops = machine.loops.as_mut_ptr() as usize;
        self.loops = loops + machine.loops.len() * TURNS;
        self.loops_end = loops + machine.loops.capacity() * TURNS;
    }

    /// Looks where the entries of dictionaries are, and which one is the current one now.
    fn look_at_scope(&mut self, machine: &mut Machine<'_>) {
        let program = machine.scope.program();
        self.program = machine.heap.dictionaries.entries_mut(program.0).as_mut_ptr() as usize;
        self.look_at_current(machine);
    }

    /// Looks which dictionary is the current one now, and where its entries are.
    fn look_at_current(&mut self, machine: &mut Machine<'_>) {
        let (current, system) = (machine.scope.current(), machine.scope.system());
        let program = machine.scope.program().0 as usize;
        let row = machine.scope.row();
        (self.scopes, self.scopes_length) = (row.as_mut_ptr() as usize, row.len());
        let nothing = &raw mut machine.heap.dictionaries.nothing;
        let (table, entries) = machine.heap.dictionaries.rows();
        (self.dictionaries, self.rows) = (table.as_mut_ptr() as usize, entries.as_mut_ptr() as usize);
        self.program_record = self.dictionaries + program * RECORD;
        let at = current.0 as usize;
        (self.current_record, self.current) = if current == system {
            (nothing as usize, self.rows)
        } else {
            (self.dictionaries + at * RECORD, self.rows + table[at].start * ENTRY)
        };
    }

    fn machine<'m>(context: *mut Self) -> (&'m mut Self, &'m mut Machine<'m>) {
        unsafe { (&mut *context, &mut *(*context).machine.cast::<Machine<'m>>()) }
    }

    fn streams<'m>(&self) -> &'m mut Streams<'m> {
        unsafe { &mut *self.streams.cast::<Streams<'m>>() }
    }
}

/// Executes what is next, whatever it is, with everything in the context. Gives the native code of what comes then; 0 if
/// native code must be left.
pub(super) extern "sysv64" fn perform(context: *mut Context) -> usize {
    let (context, machine) = Context::machine(context);
    machine.sync(context);
    match std::mem::take(&mut context.misguessed) {
        0 => {}
        region => machine.native.misguess(&mut machine.code, region as Address),
    }
    machine.go_on_as(context.at as Address, Called::from_bits(context.called as u32));
    let goes_on = loop {
        if context.steps <= 1 || machine.is_tracing || !machine.stack.trim() {
            break false;
        }
        let (left, fault) = machine.advance_from_native(context.steps as u64, context.streams());
        context.steps = left as i64;
        if fault.is_some() {
            context.fault = fault;
            break false;
        }
        let next = machine.leave_finished();
        if !machine.native.is_performed(next) {
            break !machine.is_tracing && machine.stack.trim();
        }
    };
    machine.make_room();
    context.look(machine);
    context.look_at_stacks(machine);
    let (at, called) = machine.next();
    (context.at, context.called) = (at.into(), called.bits().into());
    if goes_on { machine.native.entry(at) } else { 0 }
}

/// Executes an operator, whose operands are on the stack, at an address. Gives the new end of the stack; 0 if native
/// code must be left, with the end and the address in the context.
pub(super) extern "sysv64" fn operate(context: *mut Context, sp: usize, operator: u32, at: u32) -> usize {
    let (context, machine) = Context::machine(context);
    operate_and(context, machine, (sp, operator, at), Context::look)
}

/// The same for an operator that does nothing to dictionaries and names.
pub(super) extern "sysv64" fn calculate(context: *mut Context, sp: usize, operator: u32, at: u32) -> usize {
    let (context, machine) = Context::machine(context);
    operate_and(context, machine, (sp, operator, at), |context, machine| {
        context.look_at_sequences(machine);
        // The elements of a procedure may have been made.
        context.entries = machine.native.entries(machine.code.ops.len());
    })
}

#[inline(always)]
fn operate_and<'m>(
    context: &mut Context,
    machine: &mut Machine<'m>,
    (sp, operator, at): (usize, u32, u32),
    look: impl Fn(&mut Context, &mut Machine<'m>),
) -> usize {
    let height = (sp - context.stack_base) / size_of::<Packed>();
    machine.stack.set_height(height);
    machine.sync_loops(context);
    context.sp = sp;
    context.at = at.into();
    let before = machine.stack.slots().as_ptr() as usize;
    let was_set = machine.is_alarm_set();
    if let Err(fault) = machine.operate(Builtin::ALL[operator as usize], context.streams()) {
        context.fault = Some(fault);
        return 0;
    }
    look(context, machine);
    let slots = machine.stack.slots();
    let is_same = slots.as_ptr() as usize == before;
    context.stack_base = slots.as_ptr() as usize;
    context.stack_end = context.stack_base + size_of_val(slots);
    context.sp = context.stack_base + machine.stack.height() * size_of::<Packed>();
    context.at = u64::from(at) + 1;
    let is_caught = machine.catch(at, was_set);
    let goes_on = is_same
        && !is_caught
        && context.sp <= context.stack_end
        && !machine.is_tracing
        && context.epoch == machine.native.epoch();
    if goes_on { context.sp } else { 0 }
}

/// What `search` does in the plainest cases, with its operands on the stack. Gives the new end of the stack; 0 if it has
/// done nothing.
pub(super) extern "sysv64" fn search(context: *mut Context, sp: usize) -> usize {
    let (context, machine) = Context::machine(context);
    let slots = machine.stack.slots();
    let at = (sp - context.stack_base) / size_of::<Packed>();
    let Some([whole, seek]) = slots.get(at - 2..at).and_then(|slots| slots.first_chunk().copied()) else {
        return 0;
    };
    let Some(found) = machine.plain_search(whole, seek) else { return 0 };
    context.look_at_sequences(machine);
    let slots = machine.stack.slots().get_mut(at - 2..at + 2).unwrap_or_default();
    let count = match found {
        Some([after, found, before]) => {
            let values = [after, found, before, Packed::boolean(true)];
            slots.iter_mut().zip(values).for_each(|(slot, value)| *slot = value);
            at + 2
        }
        None => {
            slots.iter_mut().skip(1).take(1).for_each(|slot| *slot = Packed::boolean(false));
            at
        }
    };
    context.stack_base + count * size_of::<Packed>()
}

/// Where the body of a procedure begins that is executed as a block at an address, and in the upper half as what; 0 if
/// it is no procedure.
pub(super) extern "sysv64" fn block(context: *mut Context, value: u64, called: u64, at: u64) -> u64 {
    let (context, machine) = Context::machine(context);
    let Value::Procedure(procedure) = Packed::from_bits(value).unpack() else { return 0 };
    machine.go_on_as(at as Address, Called::from_bits(called as u32));
    let called = machine.called_in_block(procedure);
    let body = machine.code.body(procedure, &mut machine.scope);
    // It may have been made just now.
    context.entries = machine.native.entries(machine.code.ops.len());
    u64::from(called.bits()) << 32 | u64::from(body)
}

/// Pushes the values for a turn of `forall`, whose loop is given by address. Gives how many they are; 0 at its end, and 3
/// if that is not plain.
pub(super) extern "sysv64" fn turn(context: *mut Context, sp: usize, turns: usize) -> u64 {
    let (context, machine) = Context::machine(context);
    let TurnsKind::ForAll { of, next } = (unsafe { &mut (*(turns as *mut Turns)).kind }) else { return 3 };
    let Some((count, values)) = values_for_turn(&machine.heap, of.unpack(), *next as usize) else { return 3 };
    if sp + 2 * size_of::<Packed>() > context.stack_end {
        return 3;
    }
    unsafe { (sp as *mut [Packed; 2]).write(values) };
    *next = next.saturating_add(1);
    count as u64
}
