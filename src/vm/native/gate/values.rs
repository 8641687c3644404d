//! Helpers: what native code asks the machine to do with values.
//!
//! Deliberately absent: whatever could fail; a helper tells that something is not plain, and has done nothing then.

use super::Context;
use crate::vm::dictionary::Key;
use crate::vm::machine::Machine;
use crate::vm::operators::arithmetic::{quotient, remainder};
use crate::vm::value::{Packed, Value, is_whole};

/// What `get` gives in the plainest cases; else [`Packed::NOTHING`].
pub(in crate::vm::native) extern "sysv64" fn element(context: *mut Context, holder: u64, key: u64) -> u64 {
    let (_, machine) = Context::machine(context);
    let element = machine.element(Packed::from_bits(holder), Packed::from_bits(key));
    element.unwrap_or(Packed::NOTHING).bits()
}

/// What `put` does in the plainest cases, if it does.
pub(in crate::vm::native) extern "sysv64" fn set_element(
    context: *mut Context,
    holder: u64,
    key: u64,
    value: u64,
) -> u64 {
    let (context, machine) = Context::machine(context);
    let [holder, key, value] = [holder, key, value].map(Packed::from_bits);
    put(context, machine, holder, |machine| machine.set_element(holder, key, value))
}

/// The same of a number that a dictionary does not have as a key.
pub(in crate::vm::native) extern "sysv64" fn add_number(
    context: *mut Context,
    holder: u64,
    key: u64,
    value: u64,
) -> u64 {
    let (context, machine) = Context::machine(context);
    let [holder, key, value] = [holder, key, value].map(Packed::from_bits);
    let (Value::Dictionary(id), Some(number)) = (holder.unpack(), key.as_number()) else { return 0 };
    let Some(key) = Key::of(Value::Number(number)).filter(|_| id != machine.scope.system()) else { return 0 };
    put(context, machine, holder, |machine| machine.add_entry(id, key, value))
}

/// Lets the machine put something into something, and looks where dictionaries are then.
#[inline(always)]
fn put<'m>(
    context: &mut Context,
    machine: &mut Machine<'m>,
    holder: Packed,
    put: impl FnOnce(&mut Machine<'m>) -> bool,
) -> u64 {
    let before = machine.heap.dictionaries.row();
    let is_done = put(machine);
    if let Value::Dictionary(id) = holder.unpack() {
        let is_seen = id == machine.scope.current() || id == machine.scope.program();
        if is_seen || machine.heap.dictionaries.row() != before {
            context.look_at_scope(machine);
        }
    }
    is_done.into()
}

/// Whether a dictionary has a key: 0 or 1; 2 if that is not plain.
pub(in crate::vm::native) extern "sysv64" fn known(context: *mut Context, holder: u64, key: u64) -> u64 {
    let (_, machine) = Context::machine(context);
    let [holder, key] = [holder, key].map(|bits| Packed::from_bits(bits).unpack());
    let Value::Dictionary(id) = holder else { return 2 };
    if let Value::Null | Value::Mark = key {
        return 2;
    }
    let key = machine.plain_key(key);
    key.is_some_and(|key| machine.plain_place(id, key).is_some()).into()
}

/// What `getinterval` gives in the plainest cases; else [`Packed::NOTHING`].
pub(in crate::vm::native) extern "sysv64" fn part(
    context: *mut Context,
    whole: u64,
    start: u64,
    length: u64,
) -> u64 {
    let (context, machine) = Context::machine(context);
    let [whole, start, length] = [whole, start, length].map(Packed::from_bits);
    let part = machine.plain_part(whole, start, length);
    context.look_at_sequences(machine);
    part.unwrap_or(Packed::NOTHING).bits()
}

/// What `putinterval` does in the plainest cases, if it does.
pub(in crate::vm::native) extern "sysv64" fn set_part(
    context: *mut Context,
    whole: u64,
    start: u64,
    part: u64,
) -> u64 {
    let (_, machine) = Context::machine(context);
    let [whole, start, part] = [whole, start, part].map(Packed::from_bits);
    machine.set_plain_part(whole, start, part).into()
}

/// What `cvs` gives in the plainest cases; else [`Packed::NOTHING`].
pub(in crate::vm::native) extern "sysv64" fn text(context: *mut Context, value: u64, into: u64) -> u64 {
    let (context, machine) = Context::machine(context);
    let [value, into] = [value, into].map(Packed::from_bits);
    let text = machine.plain_text(value, into);
    context.look_at_sequences(machine);
    text.unwrap_or(Packed::NOTHING).bits()
}

/// Whether two values are equal in the language.
pub(in crate::vm::native) extern "sysv64" fn equal(context: *mut Context, a: u64, b: u64) -> u64 {
    let (_, machine) = Context::machine(context);
    let [a, b] = [a, b].map(|bits| Packed::from_bits(bits).unpack());
    machine.is_equal(a, b).into()
}

/// The quotient of whole numbers; NaN of others.
pub(in crate::vm::native) extern "sysv64" fn divide(a: f64, b: f64) -> f64 {
    if is_whole(a) && is_whole(b) && b != 0.0 { quotient(a, b) } else { f64::NAN }
}

/// The remainder of whole numbers; NaN of others.
pub(in crate::vm::native) extern "sysv64" fn modulo(a: f64, b: f64) -> f64 {
    if is_whole(a) && is_whole(b) && b != 0.0 { remainder(a, b) } else { f64::NAN }
}
