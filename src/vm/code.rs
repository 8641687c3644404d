//! Code as the machine executes it: one operation an instruction, and a return after each body.
//!
//! A unit (the procedure of a symbol, with its blocks) is made when it is first needed. An operation stands for its
//! instruction under two assumptions, which the [scope](super::scope) holds: names that mean operators or procedures
//! whatever the dictionary stack is are bound; and a *fused* operation, which does the work of several, stands in
//! the place of the first of them, while the others stay where they are. When a name's meaning changes, the units
//! with it are made anew at the same places. So one can stop, and go on, at every instruction.
//! A block in place has no return after it, but that of a loop has [`Op::Again`].

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use super::fuse::{fuse, own};
use super::names::NameId;
use super::program::{Program, SymbolId};
use super::scope::Scope;
use super::value::{Procedure, Value};
use crate::isa::builtin::Builtin;
use crate::isa::instruction::Instruction;

mod elements;

/// An index into the code.
pub(super) type Address = u32;

/// What the machine does at an address.
#[derive(Debug, Clone, Copy)]
pub(super) enum Op {
    /// The end of a body: goes on where the frame says.
    Return,
    /// The end of the program.
    Halt,
    /// Begins the next turn of the innermost loop.
    Turn,
    /// The end of what `stopped` executes.
    Unstopped,
    /// Pushes a number.
    Number(f64),
    /// Pushes a truth value.
    Boolean(bool),
    /// Pushes a string.
    Text(NameId),
    /// Pushes the block that begins at the next address, and goes on after it.
    Block {
        procedure: Procedure,
        after: Address,
    },
    /// Executes a name.
    Name(NameId),
    /// Executes a name that means the procedure whose body is there.
    Enter {
        body: Address,
        name: NameId,
    },
    /// Executes an operator.
    Operator(Builtin),
    /// Goes on elsewhere. This is no step.
    Skip {
        to: Address,
    },
    /// What comes next has native code.
    Native,
    /// The end of the body of a loop in place: begins the next turn, without a return before it.
    Again,

    // Operators with their blocks in place. What comes next is the first of these.
    /// `if` or `ifelse`: goes on there if a condition is false.
    IfInPlace {
        after: Address,
    },
    ForInPlace {
        after: Address,
    },
    RepeatInPlace {
        after: Address,
    },
    LoopInPlace {
        after: Address,
    },
    /// Fused: a truth value, and [`Op::IfInPlace`], which goes on there.
    Chosen {
        to: Address,
    },

    // Operators that have an operation of their own.
    Add,
    Sub,
    Mul,
    Div,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Dup,
    Pop,
    Exch,
    Index,
    Get,
    Put,
    Def,
    Begin,
    End,
    IDiv,
    Mod,
    Not,
    Known,

    // Fused: a number, and an operator.
    AddNumber(f64),
    SubNumber(f64),
    MulNumber(f64),
    DivNumber(f64),
    IDivNumber(f64),
    ModNumber(f64),
    EqNumber(f64),
    NeNumber(f64),
    LtNumber(f64),
    LeNumber(f64),
    GtNumber(f64),
    GeNumber(f64),
    IndexNumber(u32),
    /// A number, a number, `roll`: the uppermost so many by so many towards the top.
    RollNumbers {
        count: u32,
        by: u32,
    },
    /// `2 copy`
    CopyTwo,
    /// A string, `exch`, `def`.
    Define(NameId),

    /// A string, a number, `def`; the number is at the next address.
    DefineNumber(NameId),
    /// A string, the same as a name, a number, `add` or `sub` (fused, at the address after the next), `def`.
    Increase(NameId),
    /// `dict`, `begin`
    BeginNew,

    // Fused: a name that means no procedure and no operator, as far as one can see, and what comes after it.
    AddName(NameId),
    SubName(NameId),
    MulName(NameId),
    DivName(NameId),
    GetName(NameId),
    /// Two names.
    Names(NameId, NameId),
    /// Two names, and `get`.
    GetNames(NameId, NameId),

    // Fused: blocks and the operator after them. `after` is the address after the operator.
    If {
        after: Address,
    },
    IfElse {
        second: Address,
        after: Address,
    },
    For {
        after: Address,
    },
    Repeat {
        after: Address,
    },
    Loop {
        after: Address,
    },

    // Fused: a comparison, and [`Op::If`], [`Op::IfElse`] or [`Op::IfInPlace`] at the next address.
    EqIf,
    NeIf,
    LtIf,
    LeIf,
    GtIf,
    GeIf,
    // Fused: a number, a comparison, and one of these at the address after the next.
    EqNumberIf(f64),
    NeNumberIf(f64),
    LtNumberIf(f64),
    LeNumberIf(f64),
    GtNumberIf(f64),
    GeNumberIf(f64),
    // Fused: a name as above, a comparison, and one of these at the address after the next.
    EqNameIf(NameId),
    NeNameIf(NameId),
    LtNameIf(NameId),
    LeNameIf(NameId),
    GtNameIf(NameId),
    GeNameIf(NameId),
}

const _: () = assert!(size_of::<Op>() == 16);

/// Where code that belongs to no unit stands.
pub(super) const HALT: Address = 0;
/// Where a loop's body returns to.
pub(super) const TURN: Address = 1;
/// Where what `stopped` executes returns to.
pub(super) const UNSTOPPED: Address = 2;
/// Executes what is on top of the operand stack.
pub(super) const EXEC: Address = 3;
/// The first address of a unit.
pub(super) const FIRST: Address = 5;

/// What is known of an operation besides itself.
#[derive(Debug, Clone, Copy)]
struct Note {
    /// The instruction, as an index into the program's code; [`NOTHING`] of a return.
    instruction: u32,
    /// Of a block, or an operator with its block in place: the number of its procedure. Of [`Op::Again`]: [`AGAIN`]. Of a name that is bound for ever: [`bound`]. Of another name: the latest
    /// address before with the same name, or [`NOTHING`].
    link: u32,
    /// The unit, as an index into those that are made.
    unit: u32,
}

const NOTHING: u32 = u32::MAX;
/// From here on links are operators that are bound for ever.
const BOUND: u32 = NOTHING - Builtin::ALL.len() as u32;
const AGAIN: u32 = BOUND - 1;

/// The names that `bind` has bound in a procedure for ever.
type Bound = Rc<BTreeMap<NameId, Builtin>>;

/// A procedure that is a value: a unit, or a block in one.
#[derive(Debug, Clone)]
struct Body {
    symbol: SymbolId,
    /// The instructions: the first, and that after the last, as indices into the program's code.
    range: (u32, u32),
    /// Where it begins; [`NOTHING`] when it is not made yet.
    start: Address,
    /// The address after it.
    after: Address,
    bound: Bound,
    /// Its elements, once somebody has asked for them.
    elements: Option<Rc<[Value]>>,
}

/// A block whose operations are being made.
struct Open {
    /// The instruction after its last.
    end: u32,
    procedure: u32,
    /// What it is a part of.
    of: Instruction,
    /// That, as an index into the program's code.
    instruction: u32,
}

/// All code of a running program.
#[derive(Debug)]
pub(super) struct Code<'p> {
    program: &'p Program,
    /// What to do at each address.
    pub(super) ops: Vec<Op>,
    notes: Vec<Note>,
    /// The procedures by number: first that of each symbol, then the others in the units that are made.
    procedures: Vec<Body>,
    /// The units that are made, by address.
    made: Vec<(Address, SymbolId)>,
    /// The latest address of each name.
    sites: HashMap<NameId, Address>,
    /// What `bind` has made of a procedure.
    bound: HashMap<Procedure, Procedure>,
}

impl<'p> Code<'p> {
    pub(super) fn new(program: &'p Program) -> Self {
        let nothing = Bound::default();
        let body = |symbol| Body::new(symbol, program.section_range(symbol), &nothing);
        let note = Note { instruction: NOTHING, link: NOTHING, unit: 0 };
        Self {
            program,
            ops: vec![Op::Halt, Op::Turn, Op::Unstopped, Op::Operator(Builtin::Exec), Op::Return],
            notes: vec![note; FIRST as usize],
            procedures: program.symbols().map(body).collect(),
            made: Vec::new(),
            sites: HashMap::new(),
            bound: HashMap::new(),
        }
    }

    /// Whether nothing is left to do at an address but to return.
    #[inline]
    pub(super) fn is_end(&self, at: Address) -> bool {
        matches!(self.ops[at as usize], Op::Return | Op::Again)
    }

    /// Where the body of a procedure begins.
    #[inline]
    pub(super) fn body(&mut self, procedure: Procedure, scope: &mut Scope) -> Address {
        match self.procedures[procedure.0 as usize].start {
            NOTHING => self.make(procedure, scope),
            start => start,
        }
    }

    /// What one instruction alone does, with nothing assumed.
    pub(super) fn plain(&self, at: Address) -> Op {
        let Note { instruction, link, .. } = self.notes[at as usize];
        if instruction == NOTHING {
            return self.ops[at as usize];
        }
        if link == AGAIN {
            return Op::Again;
        }
        let after = || self.procedures[link as usize].after;
        match self.program.code()[instruction as usize] {
            Instruction::Number(number) => Op::Number(number),
            Instruction::Boolean(value) => Op::Boolean(value),
            Instruction::String(text) => Op::Text(NameId::from_operand(text)),
            Instruction::Block(_) => Op::Block { procedure: Procedure(link), after: after() },
            Instruction::Operator(operator) => Op::Operator(operator),
            Instruction::If(_) | Instruction::IfElse(_) => Op::IfInPlace { after: after() },
            Instruction::Else(_) => Op::Skip { to: after() },
            Instruction::For(_) => Op::ForInPlace { after: after() },
            Instruction::Repeat(_) => Op::RepeatInPlace { after: after() },
            Instruction::Loop(_) => Op::LoopInPlace { after: after() },
            // It has no operation.
            Instruction::Instead { .. } => self.ops[at as usize],
            Instruction::Call(_) if (BOUND..NOTHING).contains(&link) => {
                Op::Operator(Builtin::ALL[(link - BOUND) as usize])
            }
            Instruction::Call(name) => Op::Name(NameId::from_operand(name)),
        }
    }

    /// Where the unit at an address begins, and its symbol.
    pub(super) fn unit(&self, at: Address) -> (Address, SymbolId) {
        self.made[self.notes[at as usize].unit as usize]
    }

    /// The name of the symbol whose unit has an address.
    pub(super) fn written_in(&self, at: Address) -> NameId {
        self.program.symbol_id(self.unit(at).1)
    }

    /// The instruction at an address, as an index into the program's code.
    pub(super) fn instruction(&self, at: Address) -> Option<u32> {
        Some(self.notes.get(at as usize)?.instruction).filter(|instruction| *instruction != NOTHING)
    }

    /// Makes a unit: the procedure of a symbol, or a part of one that is needed by itself.
    #[cold]
    fn make(&mut self, procedure: Procedure, scope: &mut Scope) -> Address {
        let start = self.append(&self.procedures[procedure.0 as usize].clone(), scope);
        self.procedures[procedure.0 as usize].start = start;
        start
    }

    /// Appends a body and binds what can be bound.
    fn append(&mut self, body: &Body, scope: &mut Scope) -> Address {
        let start = self.ops.len() as Address;
        self.made.push((start, body.symbol));
        let mut open: Vec<Open> = Vec::new();
        let (mut at, end) = body.range;
        loop {
            while let Some(block) = open.pop_if(|open| open.end == at) {
                self.close(&block);
            }
            if at == end {
                break;
            }
            let instruction = self.program.code()[at as usize];
            if let Instruction::Instead { source, .. } = instruction {
                at += 1 + source;
                continue;
            }
            let link = match instruction {
                Instruction::Call(name) => {
                    let name = NameId::from_operand(name);
                    match body.bound.get(&name) {
                        Some(operator) => BOUND + *operator as u32,
                        None => self.sites.insert(name, self.ops.len() as Address).unwrap_or(NOTHING),
                    }
                }
                Instruction::Block(_) => self.open(instruction, at, body, &mut open),
                _ if instruction.in_place().is_some() => self.open(instruction, at, body, &mut open),
                _ => NOTHING,
            };
            self.add(at, link);
            at += 1;
        }
        self.add(NOTHING, NOTHING);
        self.bind(start, scope);
        start
    }

    /// Begins a block, or one in place, whose instruction comes now. Gives the number of its procedure.
    fn open(&mut self, of: Instruction, instruction: u32, outer: &Body, open: &mut Vec<Open>) -> u32 {
        let procedure = self.procedures.len() as u32;
        let (from, end) = (instruction + 1, instruction + 1 + of.inner());
        let mut body = Body::new(outer.symbol, (from, end), &outer.bound);
        if let Instruction::Block(_) = of {
            body.start = self.ops.len() as Address + 1;
        }
        self.procedures.push(body);
        open.push(Open { end, procedure, of, instruction });
        procedure
    }

    fn close(&mut self, block: &Open) {
        match block.of {
            Instruction::Block(_) => self.add(NOTHING, NOTHING),
            Instruction::For(_) | Instruction::Repeat(_) | Instruction::Loop(_) => {
                self.add(block.instruction, AGAIN);
            }
            _ => {}
        }
        // The first of two goes on after the operation at its end, which skips the second.
        let skip = u32::from(matches!(block.of, Instruction::IfElse(_)));
        self.procedures[block.procedure as usize].after = self.ops.len() as Address + skip;
    }

    fn add(&mut self, instruction: u32, link: u32) {
        self.ops.push(Op::Return);
        self.notes.push(Note { instruction, link, unit: self.made.len() as u32 - 1 });
    }

    /// Gives the unit that begins at an address its operations.
    fn bind(&mut self, start: Address, scope: &mut Scope) {
        let end = self.end_of(start);
        // From the end on: what skips looks at where it goes.
        for at in (start..end).rev() {
            self.ops[at as usize] = match self.plain(at) {
                Op::Skip { to } => match self.ops[to as usize] {
                    there @ (Op::Return | Op::Again | Op::Skip { .. }) => there,
                    _ => Op::Skip { to },
                },
                Op::Operator(operator) => own(operator),
                Op::Name(name) => match scope.trusted(name) {
                    Some(Value::Operator(operator)) => own(operator),
                    _ => Op::Name(name),
                },
                other => other,
            };
        }
        for at in start..end {
            if let Some(fused) = fuse(&self.ops, at, |name| scope.is_code(name)) {
                self.ops[at as usize] = fused;
            }
        }
    }

    fn end_of(&self, start: Address) -> Address {
        let next = self.made.partition_point(|(other, _)| *other <= start);
        self.made.get(next).map_or(self.ops.len() as Address, |(next, _)| *next)
    }

    /// How many operations the unit at an address has.
    pub(super) fn size(&self, at: Address) -> u32 {
        let (start, _) = self.unit(at);
        self.end_of(start) - start
    }

    /// Whether the unit at an address executes a name.
    pub(super) fn is_calling(&self, at: Address, name: NameId) -> bool {
        let (start, _) = self.unit(at);
        let is_call = |at| matches!(self.plain(at), Op::Name(called) if called == name);
        (start..self.end_of(start)).any(is_call)
    }

    /// Lets a call of a name enter the procedure that it means for the time being.
    pub(super) fn trust(&mut self, at: Address, name: NameId, body: Address) {
        if matches!(self.ops[at as usize], Op::Name(_)) {
            self.ops[at as usize] = Op::Enter { body, name };
        }
    }

    /// Takes a fused operation back: a name in it means what is executed.
    #[cold]
    pub(super) fn separate(&mut self, at: Address) {
        self.ops[at as usize] = self.plain(at);
    }

    /// Makes the units with a name anew: it does not mean any more what it meant.
    #[cold]
    pub(super) fn distrust(&mut self, name: NameId, scope: &mut Scope) {
        let mut site = self.sites.get(&name).copied();
        let mut last = None;
        while let Some(at) = site.filter(|at| *at != NOTHING) {
            let (start, _) = self.unit(at);
            if last.replace(start) != Some(start) {
                self.bind(start, scope);
            }
            site = Some(self.notes[at as usize].link);
        }
    }
}

impl Body {
    /// A body that is not made yet.
    fn new(symbol: SymbolId, range: (u32, u32), bound: &Bound) -> Self {
        let bound = Rc::clone(bound);
        Self { symbol, range, start: NOTHING, after: NOTHING, bound, elements: None }
    }
}
