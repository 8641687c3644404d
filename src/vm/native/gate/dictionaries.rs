//! Helpers: what native code asks the machine to do with names and dictionaries.
//!
//! Deliberately absent: whatever could fail; a helper tells that something is not plain, and has done nothing then.

use super::Context;
use crate::vm::dictionary::Key;
use crate::vm::heap::dictionary_cost;
use crate::vm::machine::Machine;
use crate::vm::names::NameId;
use crate::vm::value::{Packed, Value};

impl Context {
    /// Lets the machine define something, and looks where dictionaries are then.
    #[inline(always)]
    fn define_by<'m>(
        &mut self,
        machine: &mut Machine<'m>,
        define: impl FnOnce(&mut Machine<'m>) -> bool,
    ) -> u64 {
        let before = machine.heap.dictionaries.row();
        let is_done = define(machine);
        if machine.scope.current() == machine.scope.program() || machine.heap.dictionaries.row() != before {
            self.look_at_scope(machine);
        } else {
            self.look_at_current(machine);
        }
        is_done.into()
    }
}

/// What a name means; [`Packed::NOTHING`] when it is undefined.
pub(in crate::vm::native) extern "sysv64" fn find(context: *mut Context, name: u32) -> u64 {
    let (_, machine) = Context::machine(context);
    machine.scope.find(&machine.heap, NameId::from_operand(name)).bits()
}

/// Defines a name in the current dictionary, if that is plain.
pub(in crate::vm::native) extern "sysv64" fn define(context: *mut Context, name: u32, value: u64) -> u64 {
    let (context, machine) = Context::machine(context);
    context.define_by(machine, |machine| {
        machine.define_new(NameId::from_operand(name), Packed::from_bits(value))
    })
}

/// The same of any key.
pub(in crate::vm::native) extern "sysv64" fn define_key(context: *mut Context, key: u64, value: u64) -> u64 {
    let (context, machine) = Context::machine(context);
    let [key, value] = [key, value].map(Packed::from_bits);
    context.define_by(machine, |machine| machine.define_key(key, value))
}

/// The current dictionary, as a value.
pub(in crate::vm::native) extern "sysv64" fn current(context: *mut Context) -> u64 {
    let (_, machine) = Context::machine(context);
    let current = machine.scope.current();
    machine.heap.share(current);
    Packed::from(Value::Dictionary(current)).bits()
}

/// Notes that the region that begins at an address does not suit the current dictionary. Gives 1.
pub(in crate::vm::native) extern "sysv64" fn reject(context: *mut Context, at: u32) -> u64 {
    let (_, machine) = Context::machine(context);
    machine.native.reject(&mut machine.code, at);
    1
}

/// Begins a new dictionary with room for so many entries, for which there is memory. Gives 1.
pub(in crate::vm::native) extern "sysv64" fn begin_new(context: *mut Context, entries: u32) -> u64 {
    let (context, machine) = Context::machine(context);
    let new = machine.scope.begin_new(&mut machine.heap);
    machine.heap.dictionaries.make_room(new.0, entries);
    context.look_at_scope(machine);
    1
}

/// Begins a new dictionary with so many of the keys of a shape, whose values are in the context from a place on, and for
/// which there is memory. Gives 1.
pub(in crate::vm::native) extern "sysv64" fn begin_with(
    context: *mut Context,
    shape: u32,
    count: u32,
    from: u32,
) -> u64 {
    let (context, machine) = Context::machine(context);
    let new = machine.scope.begin_new(&mut machine.heap);
    machine.heap.charge(dictionary_cost(count as usize));
    let values = context.values.iter().copied().skip(from as usize);
    let keys = machine.native.shapes.get(shape as usize).into_iter().flatten();
    for (name, value) in keys.zip(values).take(count as usize) {
        machine.heap.dictionaries.insert_new(new.0, Key::name(*name), value);
    }
    context.look_at_scope(machine);
    1
}

/// Replaces the value that a name has in the dictionary in which it is found, if that is plain.
pub(in crate::vm::native) extern "sysv64" fn store(context: *mut Context, name: u32, value: u64) -> u64 {
    let (_, machine) = Context::machine(context);
    let name = NameId::from_operand(name);
    let holder = machine.scope.holder(&machine.heap, Key::name(name));
    let holder = holder.filter(|id| *id != machine.scope.system() && !machine.scope.is_trusted(name));
    let value = Packed::from_bits(value);
    holder.map(|id| machine.scope.store(&mut machine.heap, id, Key::name(name), value)).is_some().into()
}

/// Begins a dictionary, if that is plain.
pub(in crate::vm::native) extern "sysv64" fn begin(context: *mut Context, value: u64) -> u64 {
    let (context, machine) = Context::machine(context);
    let Value::Dictionary(id) = Packed::from_bits(value).unpack() else { return 0 };
    let dictionary = machine.heap.dictionary(id);
    let is_plain = machine.scope.dictionaries().len() < machine.stack.limit()
        && id != machine.scope.system()
        && (dictionary.is_begun() || dictionary.entries().is_empty());
    if is_plain {
        machine.scope.begin(&mut machine.heap, id);
        context.look_at_current(machine);
    }
    is_plain.into()
}

/// Ends the current dictionary, if it may be.
pub(in crate::vm::native) extern "sysv64" fn end(context: *mut Context) -> u64 {
    let (context, machine) = Context::machine(context);
    let is_done = machine.scope.end(&mut machine.heap);
    context.look_at_current(machine);
    is_done.into()
}
