//! Drives a machine in slices, and looks at it when an alarm was set.
//!
//! An alarm during an operator that takes its time ends the slice right behind it, and that operator is what is seen.
//! All other instructions cost about the same: for an alarm among them, the end of the slice, which is as likely at one
//! step as at another, is as good. The time since the last look goes to what is seen.
//! Deliberately absent: a second way to execute. A machine that is profiled is the machine, driven in parts.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::clock::{now, with_alarm};
use super::stacks::{Entry, Stacks};
use super::{Line, Profile};
use crate::vm::frame::{Activation, Place};
use crate::vm::machine::{Machine, Status, Stop, Streams};
use crate::vm::program::SymbolId;

/// So many of the innermost procedures of a stack are kept.
pub const INNERMOST: usize = 96;
/// So many of the outermost.
pub const OUTERMOST: usize = 32;

/// How long a slice takes, about. What is not a watched operator is seen at most so much too late.
const SLICE: Duration = Duration::from_micros(50);
/// The least and the greatest length of a slice, in steps, before chance has its part.
const LENGTHS: [u32; 2] = [512, 1 << 20];

/// What looks at a machine while it runs.
pub struct Sampler<'p, 'l> {
    alarm: &'p AtomicBool,
    line_of: &'l dyn Fn(Place) -> Option<Line>,
    stacks: Stacks,
    /// When the machine was looked at last.
    last: Duration,
    random: Random,
    /// The length of a slice, in steps.
    length: u32,
}

impl<'p, 'l> Sampler<'p, 'l> {
    /// A sampler with an alarm that nobody else sets, and what is known of lines.
    pub fn new(alarm: &'p AtomicBool, line_of: &'l dyn Fn(Place) -> Option<Line>) -> Self {
        let (stacks, last, [length, _]) = (Stacks::default(), Duration::ZERO, LENGTHS);
        Self { alarm, line_of, stacks, last, random: Random::default(), length }
    }

    /// Executes a machine that was started at `start` to the end, as [`Machine::run`] does it, and tells what it cost,
    /// also when it stopped.
    pub fn run(
        mut self,
        machine: &mut Machine<'p>,
        start: SymbolId,
        streams: &mut Streams<'_>,
    ) -> (Result<(), Stop>, Profile) {
        machine.watch(self.alarm);
        let begun = now();
        self.last = begun;
        let alarm = self.alarm;
        let result = with_alarm(alarm, || self.drive(machine, streams));
        let time = now().saturating_sub(begun);
        self.rest(machine, start);
        let (program, steps, samples) = (machine.program(), machine.steps(), self.stacks.samples);
        let (nodes, lines) = self.stacks.finish(program);
        (result, Profile { time, steps, samples, nodes, lines })
    }

    fn drive(&mut self, machine: &mut Machine<'p>, streams: &mut Streams<'_>) -> Result<(), Stop> {
        loop {
            let begun = Instant::now();
            let status = machine.run_for(u64::from(self.slice()), streams)?;
            if status == Status::Done {
                return Ok(());
            }
            self.adapt(begun.elapsed());
            if self.alarm.load(Ordering::Relaxed) {
                self.look(machine);
                self.alarm.store(false, Ordering::Relaxed);
            }
        }
    }

    /// The length of the next slice: any from half to one and a half of what it is in the mean.
    fn slice(&mut self) -> u32 {
        self.length / 2 + self.random.below(self.length)
    }

    fn adapt(&mut self, time: Duration) {
        let [least, most] = LENGTHS;
        if time > SLICE * 2 {
            self.length = (self.length / 2).max(least);
        } else if time < SLICE / 2 {
            self.length = (self.length * 2).min(most);
        }
    }

    fn look(&mut self, machine: &Machine<'p>) {
        let stack = self.stack(machine);
        let time = self.passed();
        self.stacks.add(&stack, time);
    }

    /// The procedures in execution, outermost first.
    fn stack(&self, machine: &Machine<'p>) -> Vec<Entry> {
        let entry = |activation: Activation| Entry::Called(activation.name, (self.line_of)(activation.place));
        let mut stack = machine.activations().take(INNERMOST + OUTERMOST).map(entry).collect::<Vec<_>>();
        if stack.len() == INNERMOST + OUTERMOST {
            stack.truncate(INNERMOST);
            stack.push(Entry::Omitted);
            stack.extend(machine.outermost(OUTERMOST).map(entry));
        }
        stack.reverse();
        stack
    }

    /// The time since the machine was looked at last.
    fn passed(&mut self) -> Duration {
        let last = std::mem::replace(&mut self.last, now());
        self.last.saturating_sub(last)
    }

    /// The end: a machine that stopped shows where; what one that has ended did last, nobody has seen.
    fn rest(&mut self, machine: &Machine<'p>, start: SymbolId) {
        match machine.status() {
            Status::Running => self.look(machine),
            Status::Done => {
                let (name, time) = (machine.program().symbol_id(start), self.passed());
                self.stacks.credit([Some(name)].into_iter(), time);
            }
        }
    }
}

/// Numbers as chance might give them, and every time the same.
#[derive(Debug)]
pub(super) struct Random(u32);

impl Default for Random {
    fn default() -> Self {
        Self(0x9e37_79b9)
    }
}

impl Random {
    /// A number below a bound above 0.
    pub(super) fn below(&mut self, bound: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 % bound
    }
}
