//! Input and output, and tracing.

use std::io::Read as _;

use super::boolean;
use crate::vm::fault::Fault;
use crate::vm::heap::{Access, array_cost, string_cost};
use crate::vm::machine::{Machine, Streams};
use crate::vm::trap::ErrorName;
use crate::vm::value::Value;

impl Machine<'_> {
    pub(super) fn print(&mut self, ending: &[u8], streams: &mut Streams<'_>) -> Result<(), Fault> {
        let [value] = self.top()?;
        let written = self.text(value).write(streams.output);
        written.and_then(|()| streams.output.write_all(ending)).map_err(Fault::Output)?;
        self.discard(1);
        Ok(())
    }

    pub(super) fn print_stack(&self, streams: &mut Streams<'_>) -> Result<(), Fault> {
        self.stack.values().iter().rev().try_for_each(|value| {
            let written = self.text(value.unpack()).write(streams.output);
            written.and_then(|()| streams.output.write_all(b"\n")).map_err(Fault::Output)
        })
    }

    pub(super) fn set_trace(&mut self) -> Result<(), Fault> {
        let [is_on] = self.top()?;
        self.is_tracing = boolean(is_on)?;
        self.discard(1);
        Ok(())
    }

    pub(super) fn read_line(&mut self, streams: &mut Streams<'_>) -> Result<(), Fault> {
        if !self.stack.has_room(2) {
            return Err(ErrorName::StackOverflow.into());
        }
        // Whoever waits for input wants to see what was written so far.
        streams.output.flush().map_err(Fault::Output)?;
        let most = self.heap.limit() as u64;
        let mut line = Vec::new();
        let read = std::io::BufRead::read_until(&mut streams.input.take(most), b'\n', &mut line);
        read.map_err(Fault::Input)?;
        if line.is_empty() {
            return self.push(Value::Boolean(false));
        }
        if line.last() == Some(&b'\n') {
            line.pop();
            line.pop_if(|last| *last == b'\r');
        } else if line.len() as u64 == most {
            return Err(ErrorName::LimitCheck.into());
        }
        self.reserve(string_cost(line.len()))?;
        let line = self.heap.new_string(&line, Access::Unlimited)?;
        self.replace_all(0, &[Value::String(line), Value::Boolean(true)])
    }

    pub(super) fn push_arguments(&mut self) -> Result<(), Fault> {
        if !self.stack.has_room(1) {
            return Err(ErrorName::StackOverflow.into());
        }
        let strings = self.arguments.iter().map(|argument| string_cost(argument.len())).sum::<usize>();
        self.reserve(array_cost(self.arguments.len()) + strings)?;
        let array = self.heap.new_array_of_nulls(self.arguments.len())?;
        for (at, argument) in self.arguments.iter().enumerate() {
            let string = self.heap.new_string(argument, Access::Unlimited)?;
            self.heap.array_mut(array)[at] = Value::String(string).into();
        }
        self.push(Value::Array(array))
    }
}
