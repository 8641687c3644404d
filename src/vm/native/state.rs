//! What the translator knows at a place in the code: values that are not on the operand stack, and frames that are not
//! among the machine's, yet.
//!
//! Deliberately absent: the code that puts them there (that is `leave`).

use cranelift_codegen::ir::{Block, Value};

use super::range::Range;
use crate::vm::code::{Address, UNSTOPPED};
use crate::vm::frame::{Called, PART};
use crate::vm::names::NameId;
use crate::vm::value::{Packed, Value as Plain, is_whole};

/// What a value is known to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Is {
    /// Anything, as its bits.
    Packed(Value),
    /// A number.
    Number(Value),
    /// A whole number that is exact, and not -0.0, as an integer, and what it may be.
    Whole(Value, Range),
    /// A truth value, as 0 or 1.
    Boolean(Value),
    /// This value.
    Fixed(Packed),
}

/// A number as an integer, if it is a whole one, small, and not -0.0.
pub(super) fn whole(number: f64) -> Option<i64> {
    let is_it = is_whole(number) && number.abs() < 1e15 && number.to_bits() != (-0.0_f64).to_bits();
    is_it.then_some(number as i64)
}

/// The types that a value can have where paths meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The same value on all of them.
    Same,
    Whole(Range),
    Number,
    Boolean,
    Packed,
}

impl Kind {
    /// What is one or the other.
    pub(super) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Same, kind) | (kind, Self::Same) => kind,
            (Self::Whole(a), Self::Whole(b)) => Self::Whole(a.or(b)),
            (a, b) if a == b => a,
            (a, b) if a.is_number() && b.is_number() => Self::Number,
            _ => Self::Packed,
        }
    }

    /// What values are in each turn of a loop that are the one at first, and then become the other.
    pub(super) fn widened(self, other: Self) -> Self {
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => Self::Whole(a.widened(b)),
            _ => self.or(other),
        }
    }

    pub(super) const fn is_number(self) -> bool {
        matches!(self, Self::Whole(_) | Self::Number)
    }
}

impl Is {
    pub(super) fn kind(self) -> Kind {
        match self {
            Self::ABSENT => Kind::Same,
            Self::Number(_) => Kind::Number,
            Self::Whole(_, range) => Kind::Whole(range),
            Self::Boolean(_) => Kind::Boolean,
            Self::Packed(_) => Kind::Packed,
            Self::Fixed(value) if value.is_number() => match self.known_whole() {
                Some(number) => Kind::Whole(Range::of(number)),
                None => Kind::Number,
            },
            Self::Fixed(value) if value.as_boolean().is_some() => Kind::Boolean,
            Self::Fixed(_) => Kind::Packed,
        }
    }

    /// What stands for the value of a key that is not there.
    pub(super) const ABSENT: Self = Self::Fixed(Packed::NOTHING);

    pub(super) const fn number(number: f64) -> Self {
        Self::Fixed(Packed::number(number))
    }

    /// The whole number, if it is known to be one, small, and not -0.0.
    pub(super) fn known_whole(self) -> Option<i64> {
        whole(self.known_number()?)
    }

    /// Whether it is a number that is far from the greatest, so that no sum or product of two such is too great.
    pub(super) fn is_moderate(self) -> bool {
        match self {
            Self::Whole(..) => true,
            other => other.known_number().is_some_and(|number| number.abs() < 1e100),
        }
    }

    /// The number, if it is known.
    pub(super) fn known_number(self) -> Option<f64> {
        if let Self::Fixed(value) = self { value.as_number() } else { None }
    }

    /// Whether it may be a procedure or an operator.
    pub(super) fn may_be_code(self) -> bool {
        match self {
            Self::Packed(_) => true,
            Self::Fixed(value) => value.is_code(),
            _ => false,
        }
    }

    /// The name, if it is a known string.
    pub(super) fn known_name(self) -> Option<NameId> {
        match self {
            Self::Fixed(value) => match value.unpack() {
                Plain::Text(name) => Some(name),
                _ => None,
            },
            _ => None,
        }
    }
}

/// A value that belongs on the operand stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Operand {
    pub(super) is: Is,
    /// Where on the stack it stands already, if it does.
    pub(super) home: Option<i32>,
}

impl From<Is> for Operand {
    fn from(is: Is) -> Self {
        Self { is, home: None }
    }
}

/// As what something is executed: a constant, or what the region was entered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    Known(u32),
    /// The value, and the bits that are set in it besides.
    Entered(Value, u32),
}

impl Named {
    pub(super) const fn by(name: NameId) -> Self {
        Self::Known(Called::by(name).bits())
    }

    pub(super) const fn part(self) -> Self {
        match self {
            Self::Known(bits) => Self::Known(bits | PART),
            Self::Entered(value, bits) => Self::Entered(value, bits | PART),
        }
    }
}

/// What decides about the turns of a loop whose state is in registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turning {
    /// The control value of the next turn, the increment and the limit.
    For {
        next: Is,
        increment: Is,
        limit: Is,
    },
    /// The number of turns to come.
    Repeat {
        left: Value,
    },
    Loop,
    /// What has the elements, and the place of the next one.
    ForAll {
        of: Is,
        elements: Elements,
        next: Value,
    },
}

/// What `forall` goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Elements {
    Array,
    String,
    Dictionary,
}

/// A loop whose state is in registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Loop {
    pub(super) turning: Turning,
    pub(super) body: Address,
    /// As what the body is executed.
    pub(super) called: Named,
    /// Which of the translator's headers it has.
    pub(super) header: usize,
}

/// A frame that is not among the machine's yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) at: Address,
    pub(super) called: Named,
    /// Where the paths meet that go on with it.
    pub(super) join: usize,
    /// Of the frame of a turn: the loop. Between two turns, the loop has its entry already, but no frame.
    pub(super) turns: Option<Loop>,
    /// How many places in place there were around it.
    pub(super) places: usize,
}

impl Waiting {
    /// Whether it is a turn of `forall`.
    pub(super) fn is_forall(&self) -> bool {
        self.turns.is_some_and(|turns| matches!(turns.turning, Turning::ForAll { .. }))
    }
}

/// What is known at a place in the code.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) at: Address,
    pub(super) called: Named,
    /// Where the operand stack ends without `operands`, but for `below` slots.
    pub(super) sp: Value,
    pub(super) below: i32,
    pub(super) operands: Vec<Operand>,
    /// Where the machine's frames end, and its loops, if some of them were taken over.
    pub(super) fp: Value,
    pub(super) loops: Option<Value>,
    /// How many steps were left when they were last counted, and how many were made since.
    pub(super) steps: Value,
    pub(super) made: u32,
    /// The segment in which there were so many steps at most since they were last looked at.
    pub(super) segment: usize,
    pub(super) spent: u32,
    /// The part of the code with the same `sp`, and down to which height operands are surely there.
    pub(super) reach: usize,
    pub(super) assured: i32,
    pub(super) waiting: Vec<Waiting>,
    /// The ends of blocks in place, with where paths meet there.
    pub(super) places: Vec<(Address, usize)>,
    /// What names mean that were looked up.
    pub(super) names: Vec<(NameId, Is)>,
    /// Whether the current dictionary is surely the program's.
    pub(super) is_in_program: bool,
    /// The dictionaries that were begun here, the current one last. Virtual ones are above all others.
    pub(super) begun: Vec<Begun>,
}

/// What is known of a dictionary that was begun here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Begun {
    /// It may have any keys.
    Any,
    /// It is no value, and has these keys, in their places.
    Known(Vec<NameId>),
    /// It is virtual: the machine does not have it, but there is room for it, and memory for all entries that it may have.
    Virtual(Virtual),
}

/// A virtual dictionary.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Virtual {
    /// Its keys, in their places, and their values.
    pub(super) entries: Vec<(NameId, Is)>,
    /// How many of them it surely has; and how many it has, if that is not known to be all.
    pub(super) sure: usize,
    pub(super) length: Option<Value>,
}

impl Virtual {
    /// The keys.
    pub(super) fn keys(&self) -> impl Iterator<Item = NameId> {
        self.entries.iter().map(|(name, _)| *name)
    }

    /// Whether all keys of this are the first of another.
    pub(super) fn is_beginning_of(&self, other: &Self) -> bool {
        self.entries.len() <= other.entries.len() && self.keys().zip(other.keys()).all(|(a, b)| a == b)
    }
}

impl State {
    /// What is known where a region begins.
    pub(super) const fn new(at: Address, called: Named, sp: Value, fp: Value, steps: Value) -> Self {
        Self {
            at,
            called,
            sp,
            below: 0,
            operands: Vec::new(),
            fp,
            loops: None,
            steps,
            made: 0,
            segment: 0,
            spent: 0,
            reach: 0,
            assured: 0,
            waiting: Vec::new(),
            places: Vec::new(),
            names: Vec::new(),
            is_in_program: false,
            begun: Vec::new(),
        }
    }

    /// The height of the operand stack, relative to `sp`.
    pub(super) fn height(&self) -> i32 {
        self.below + self.operands.len() as i32
    }

    pub(super) fn push(&mut self, is: Is) {
        self.operands.push(is.into());
    }

    /// Notes that the value with these bits is something better known.
    pub(super) fn learn(&mut self, value: Value, is: Is) {
        let operands = self.operands.iter_mut().map(|operand| &mut operand.is);
        let names = self.names.iter_mut().chain(entries(&mut self.begun)).map(|(_, is)| is);
        let is_it = |known: &Is| *known == Is::Packed(value) || *known == Is::Number(value);
        operands.chain(names).filter(|known| is_it(known)).for_each(|known| *known = is);
    }

    /// The keys of the machine's current dictionary, if they are known.
    pub(super) fn keys(&self) -> Option<&Vec<NameId>> {
        let is_real = |begun: &&Begun| !matches!(begun, Begun::Virtual(_));
        if let Begun::Known(keys) = self.begun.iter().rev().find(is_real)? { Some(keys) } else { None }
    }

    /// Notes that the machine's current dictionary, in which there is no virtual one, may get keys that are not seen here.
    pub(super) fn forget_keys(&mut self) {
        self.begun.last_mut().into_iter().for_each(|begun| *begun = Begun::Any);
    }

    /// Notes what a name means from now on.
    pub(super) fn know(&mut self, name: NameId, is: Is) {
        self.names.retain(|(known, _)| *known != name);
        if !is.may_be_code() {
            self.names.push((name, is));
        }
    }

    /// The dictionaries that are virtual.
    pub(super) fn virtuals(&self) -> impl DoubleEndedIterator<Item = &Virtual> {
        self.begun.iter().filter_map(|begun| if let Begun::Virtual(of) = begun { Some(of) } else { None })
    }

    /// The same, to be changed.
    pub(super) fn virtuals_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut Virtual> {
        self.begun.iter_mut().filter_map(|begun| if let Begun::Virtual(of) = begun { Some(of) } else { None })
    }

    /// Whether a virtual dictionary may have a name, or not.
    pub(super) fn may_lack(&self, name: NameId) -> bool {
        let place = |of: &Virtual| of.keys().position(|key| key == name).map(|at| at >= of.sure);
        self.virtuals().rev().find_map(place).unwrap_or(false)
    }

    /// Whether there are any.
    pub(super) fn is_virtual(&self) -> bool {
        self.virtuals().next().is_some()
    }

    /// Whether the same dictionaries were begun here as there, with the same keys.
    pub(super) fn has_same_keys(&self, other: &Self) -> bool {
        let is_same = |pair: (&Begun, &Begun)| match pair {
            (Begun::Virtual(ours), Begun::Virtual(theirs)) => ours.keys().eq(theirs.keys()),
            (ours, theirs) => ours == theirs,
        };
        self.begun.len() == other.begun.len() && self.begun.iter().zip(&other.begun).all(is_same)
    }

    /// What virtual dictionaries have, the current one last.
    pub(super) fn entries(&self) -> impl DoubleEndedIterator<Item = &(NameId, Is)> {
        self.begun.iter().flat_map(|begun| match begun {
            Begun::Virtual(of) => &of.entries[..],
            _ => &[],
        })
    }

    /// The same, to be changed.
    pub(super) fn entries_mut(&mut self) -> impl Iterator<Item = &mut (NameId, Is)> {
        entries(&mut self.begun)
    }

    /// Notes that something may have been done to dictionaries, and to which of them are on the stack.
    pub(super) fn forget_scope(&mut self) {
        self.names.clear();
        self.begun.clear();
        self.is_in_program = false;
    }

    /// The innermost loop, or what catches errors if that is further in.
    pub(super) fn innermost(&self) -> Option<usize> {
        self.waiting.iter().rposition(|waiting| waiting.turns.is_some() || waiting.at == UNSTOPPED)
    }
}

fn entries(begun: &mut [Begun]) -> impl Iterator<Item = &mut (NameId, Is)> {
    begun.iter_mut().flat_map(|begun| match begun {
        Begun::Virtual(of) => &mut of.entries[..],
        _ => &mut [],
    })
}

/// The end of a path that goes on elsewhere together with others.
#[derive(Debug, Clone)]
pub(super) struct Edge {
    pub(super) block: Block,
    pub(super) state: State,
}
