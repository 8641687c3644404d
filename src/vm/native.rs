//! Native code: what is executed often is translated for the processor, and executed there.
//!
//! The machine's state stays the one truth: native code is entered and left between two instructions, and a call or
//! return goes through the machine's frames, so that a program's depth never reaches the host's stack.
//! Deliberately absent: the decision what an instruction means, which `translate` shares with the machine.

use std::collections::HashMap;

use super::code::{Address, Code, EXEC, FIRST, Op, TURN, UNSTOPPED};
use super::machine::{Machine, Native};
use super::names::NameId;

mod compiler;
mod facts;
mod gate;
mod range;
mod state;
mod stubs;
mod translate;

use compiler::Compiler;
use translate::{Entry, Guesses, Surroundings};

impl Native {
    /// How hot an address is in the beginning.
    const fn first_heat(self) -> u8 {
        match self {
            Self::Auto => 0,
            Self::Always => HOT - 1,
            Self::Never => DONE,
        }
    }
}

/// So often something is begun before it is translated.
const HOT: u8 = 200;
/// What is not translated, or was.
const DONE: u8 = u8::MAX;
/// So many bytes of native code are made for what is hot. In a program that has more, each time that something is hot
/// allows for some more: else a large program that is short would wait for code that it hardly executes.
const FREE: usize = 96 << 10;
const PATIENCE: usize = 16;
/// So often a region is rejected before it must suit all dictionaries.
const PATIENT: usize = 30;

/// Whether a region must do so.
fn is_general(rejected: &[Address], at: Address) -> bool {
    rejected.iter().filter(|rejected| **rejected == at).count() >= PATIENT
}

/// How much hotter it makes an address when native code ends there.
const FROM_NATIVE: u8 = 10;

/// So often something may be guessed wrong in a region before less is guessed.
const MISGUESSES: u32 = 20;

/// The native code of a machine.
#[derive(Debug)]
pub(super) struct Engine {
    mode: Native,
    /// How often the code at each address was begun, up to [`HOT`].
    heat: Vec<u8>,
    /// The native code of each address.
    entries: Vec<usize>,
    /// The operations in whose place [`Op::Native`] stands.
    replaced: Vec<(Address, Op)>,
    compiler: Option<Box<Compiler>>,
    way_in: usize,
    way_out: usize,
    /// Code for what the machine itself executes.
    perform: usize,
    turn: usize,
    /// How often all native code was given up.
    epoch: u64,
    /// How often something was hot.
    asked: usize,
    /// How often something was guessed wrong in the region of an address.
    misguesses: HashMap<Address, u32>,
    /// Where regions began that did not suit another dictionary than the one that they were made for, once for each time.
    rejected: Vec<Address>,
    /// The keys that virtual dictionaries have, or some of them, where native code is left.
    shapes: Vec<Vec<NameId>>,
}

impl Engine {
    pub(super) fn new(mode: Native) -> Self {
        Self {
            mode,
            heat: Vec::new(),
            entries: Vec::new(),
            replaced: Vec::new(),
            compiler: None,
            way_in: 0,
            way_out: 0,
            perform: 0,
            turn: 0,
            epoch: 0,
            asked: 0,
            misguesses: HashMap::new(),
            rejected: Vec::new(),
            shapes: Vec::new(),
        }
    }

    /// Whether a region may be translated now, as it is hot.
    fn has_patience(&mut self) -> bool {
        self.asked += 1;
        let made = self.compiler.as_ref().map_or(0, |compiler| compiler.size());
        self.mode == Native::Always || made < FREE.saturating_add(PATIENCE.saturating_mul(self.asked))
    }

    /// Notes that the code at an address is begun. Tells whether it is to be translated now.
    #[inline(always)]
    pub(super) fn warm(&mut self, at: Address) -> bool {
        match self.heat.get_mut(at as usize) {
            Some(heat) if *heat < HOT => {
                *heat += 1;
                *heat == HOT
            }
            Some(_) => false,
            None => true,
        }
    }

    fn way_in(&self, at: Address) -> (usize, usize) {
        (self.way_in, self.entries[at as usize])
    }

    /// The native code of an address.
    fn entry(&self, at: Address) -> usize {
        self.entries.get(at as usize).copied().unwrap_or(self.way_out)
    }

    /// Whether the machine itself executes what is at an address, and there is no native code for it.
    fn is_performed(&self, at: Address) -> bool {
        self.entry(at) == self.perform
    }

    const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Where the entries of so many addresses are.
    fn entries(&mut self, addresses: usize) -> usize {
        if self.entries.len() < addresses {
            if self.entries.is_empty() {
                self.entries.resize(FIRST as usize, self.way_out);
                self.entries[TURN as usize] = self.turn;
                self.entries[UNSTOPPED as usize] = self.perform;
                self.entries[EXEC as usize] = self.perform;
            }
            self.entries.resize(addresses, self.way_out);
        }
        self.entries.as_ptr() as usize
    }

    /// Gives up all native code: something that it relied on is not so any more.
    pub(super) fn give_up(&mut self, code: &mut Code<'_>) {
        if self.replaced.is_empty() {
            return;
        }
        self.epoch += 1;
        for (at, op) in std::mem::take(&mut self.replaced) {
            self.restore(code, at, op);
        }
    }

    /// Gives up the native code of an address.
    fn restore(&mut self, code: &mut Code<'_>, at: Address, op: Op) {
        code.ops[at as usize] = op;
        self.entries[at as usize] = self.way_out;
        self.heat[at as usize] = self.mode.first_heat();
    }

    /// Notes that something was guessed wrong in the region of an address, which is given up when that is so too often.
    fn misguess(&mut self, code: &mut Code<'_>, at: Address) {
        let count = self.misguesses.entry(at).or_default();
        *count += 1;
        if count.is_multiple_of(MISGUESSES)
            && let Some(index) = self.replaced.iter().position(|(replaced, _)| *replaced == at)
        {
            let (at, op) = self.replaced.swap_remove(index);
            self.restore(code, at, op);
        }
    }

    /// What may be guessed in the region of an address.
    fn guesses(&self, at: Address) -> Guesses {
        match self.misguesses.get(&at).map_or(0, |count| count / MISGUESSES) {
            0 => Guesses::All,
            1 => Guesses::Whole,
            _ => Guesses::None,
        }
    }

    /// Notes that a region does not suit the current dictionary. If that is so too often, it is given up, and the next one
    /// there must suit all.
    fn reject(&mut self, code: &mut Code<'_>, rejected: Address) {
        self.rejected.push(rejected);
        if !is_general(&self.rejected, rejected) {
            return;
        }
        if let Some(place) = self.replaced.iter().position(|(at, _)| *at == rejected) {
            let (at, op) = self.replaced.swap_remove(place);
            self.restore(code, at, op);
        }
    }

    /// A compiler, if there can be one.
    fn compiler(&mut self) -> Option<&mut Compiler> {
        if self.compiler.is_none() {
            let mut compiler = Box::new(Compiler::new()?);
            (self.way_in, self.way_out) = (compiler.way_in()?, compiler.way_out()?);
            (self.perform, self.turn) = (compiler.perform()?, compiler.turn()?);
            self.compiler = Some(compiler);
        }
        self.compiler.as_deref_mut()
    }
}

impl Machine<'_> {
    /// Translates what is at an address, if that is to be and can be.
    #[cold]
    #[inline(never)]
    pub(super) fn translate(&mut self, at: Address) {
        let addresses = self.code.ops.len();
        let engine = &mut self.native;
        let is_new = engine.heat.len() <= at as usize;
        if engine.heat.len() < addresses {
            engine.heat.resize(addresses, engine.mode.first_heat());
        }
        // Of what is new nobody knows yet how hot it is.
        if is_new && !engine.warm(at) {
            return;
        }
        engine.heat[at as usize] = DONE;
        let op = self.code.ops[at as usize];
        if at < FIRST {
            return;
        }
        let is_end = self.code.is_end(at);
        if !engine.has_patience() {
            engine.heat[at as usize] = 0;
            return;
        }
        if engine.compiler().is_none() {
            return;
        }
        engine.entries(addresses);
        let is_turn = !is_end && self.frames.last().is_some_and(|frame| frame.at == TURN);
        let turns = self.loops.last().filter(|turns| is_turn && turns.body == at).map(|turns| turns.kind);
        let (perform, guesses) = (engine.perform, engine.guesses(at));
        let Some(compiler) = engine.compiler.as_deref_mut() else { return };
        let mut around = Surroundings {
            code: &mut self.code,
            scope: &mut self.scope,
            heap: &self.heap,
            texts: &self.texts,
            operands: self.stack.values(),
            perform,
            rejected: &engine.rejected,
            shapes: &mut engine.shapes,
        };
        let Some(code) = compiler.region(&mut around, Entry { at, turns, guesses }) else { return };
        // Procedures may have been made for it.
        engine.entries(self.code.ops.len());
        engine.entries[at as usize] = code;
        engine.replaced.push((at, op));
        // These are no instructions: only native code that returns there goes on with it.
        if !is_end && !matches!(op, Op::Skip { .. }) {
            self.code.ops[at as usize] = Op::Native;
        }
    }

    /// Notes that native code has ended where there is none.
    fn warm_up(&mut self, at: Address) {
        let heat = self.native.heat.get_mut(at as usize).filter(|heat| **heat < HOT);
        let is_hot = match heat {
            Some(heat) => {
                *heat = (*heat + FROM_NATIVE).min(HOT);
                *heat == HOT
            }
            None => self.native.heat.len() <= at as usize,
        };
        if is_hot {
            self.translate(at);
        }
    }
}
