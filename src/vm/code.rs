//! Code as the machine executes it: one operation an instruction, and a return after each body.
//!
//! A unit (the procedure of a symbol, with its blocks) is made when it is first needed. An operation stands for its
//! instruction under two assumptions, which the [scope](super::scope) holds: names that mean operators or procedures
//! whatever the dictionary stack is are bound; and a *fused* operation, which does the work of several, stands in
//! the place of the first of them, while the others stay where they are. When a name's meaning changes, the units
//! with it are made anew at the same places. So one can stop, and go on, at every instruction.

use std::collections::{BTreeMap, HashMap};

use super::fuse::fuse;
use super::names::NameId;
use super::program::{Program, SymbolId};
use super::scope::Scope;
use super::value::{Procedure, Value};
use crate::isa::builtin::Builtin;
use crate::isa::instruction::Instruction;

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

    // Fused: a comparison, and [`Op::If`] or [`Op::IfElse`] at the next address.
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
    /// Of a block: the number of its procedure. Of a name that is bound for ever: [`bound`]. Of another name: the latest
    /// address before with the same name, or [`NOTHING`].
    link: u32,
}

const NOTHING: u32 = u32::MAX;
/// From here on links are operators that are bound for ever.
const BOUND: u32 = NOTHING - Builtin::ALL.len() as u32;

/// A procedure that is a value: a unit, or a block in one.
#[derive(Debug, Clone, Copy)]
struct Body {
    symbol: SymbolId,
    /// Where it begins; [`NOTHING`] of a unit that is not made yet.
    start: Address,
    /// The address after it.
    after: Address,
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
    /// What `bind` has made of a block, with the operators that it found.
    bound: HashMap<Procedure, (Procedure, BTreeMap<NameId, Builtin>)>,
}

impl<'p> Code<'p> {
    pub(super) fn new(program: &'p Program) -> Self {
        let body = |symbol| Body { symbol, start: NOTHING, after: NOTHING };
        let note = Note { instruction: NOTHING, link: NOTHING };
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
        matches!(self.ops[at as usize], Op::Return)
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
        let Note { instruction, link } = self.notes[at as usize];
        if instruction == NOTHING {
            return self.ops[at as usize];
        }
        match self.program.code()[instruction as usize] {
            Instruction::Number(number) => Op::Number(number),
            Instruction::Boolean(value) => Op::Boolean(value),
            Instruction::String(text) => Op::Text(NameId::from_operand(text)),
            Instruction::Block(_) => {
                let after = self.procedures[link as usize].after;
                Op::Block { procedure: Procedure(link), after }
            }
            Instruction::Call(_) if (BOUND..NOTHING).contains(&link) => {
                Op::Operator(Builtin::ALL[(link - BOUND) as usize])
            }
            Instruction::Call(name) => Op::Name(NameId::from_operand(name)),
        }
    }

    /// Where the unit at an address begins, and its symbol.
    pub(super) fn unit(&self, at: Address) -> (Address, SymbolId) {
        let after = self.made.partition_point(|(start, _)| *start <= at);
        self.made[after.saturating_sub(1)]
    }

    /// The instruction at an address, as an index into the program's code.
    pub(super) fn instruction(&self, at: Address) -> Option<u32> {
        Some(self.notes.get(at as usize)?.instruction).filter(|instruction| *instruction != NOTHING)
    }

    /// Makes a unit, that of a symbol's procedure.
    #[cold]
    fn make(&mut self, procedure: Procedure, scope: &mut Scope) -> Address {
        let symbol = self.procedures[procedure.0 as usize].symbol;
        let start = self.append(symbol, self.program.section_range(symbol), scope, &BTreeMap::new());
        self.procedures[procedure.0 as usize].start = start;
        start
    }

    /// Appends a body and binds what can be bound. `bound` says which names are bound for ever.
    fn append(
        &mut self,
        symbol: SymbolId,
        (from, to): (u32, u32),
        scope: &mut Scope,
        bound: &BTreeMap<NameId, Builtin>,
    ) -> Address {
        let start = self.ops.len() as Address;
        self.made.push((start, symbol));
        let mut blocks: Vec<(u32, u32)> = Vec::new();
        for instruction in from..=to {
            while let Some((_, block)) = blocks.pop_if(|(end, _)| *end == instruction) {
                self.add(NOTHING, NOTHING);
                self.procedures[block as usize].after = self.ops.len() as Address;
            }
            if instruction == to {
                break;
            }
            let at = self.ops.len() as Address;
            let link = match self.program.code()[instruction as usize] {
                Instruction::Block(length) => {
                    let block = self.procedures.len() as u32;
                    self.procedures.push(Body { symbol, start: at + 1, after: NOTHING });
                    blocks.push((instruction + 1 + length, block));
                    block
                }
                Instruction::Call(name) => {
                    let name = NameId::from_operand(name);
                    match bound.get(&name) {
                        Some(operator) => BOUND + *operator as u32,
                        None => self.sites.insert(name, at).unwrap_or(NOTHING),
                    }
                }
                _ => NOTHING,
            };
            self.add(instruction, link);
        }
        self.add(NOTHING, NOTHING);
        self.bind(start, scope);
        start
    }

    fn add(&mut self, instruction: u32, link: u32) {
        self.ops.push(Op::Return);
        self.notes.push(Note { instruction, link });
    }

    /// Gives the unit that begins at an address its operations.
    fn bind(&mut self, start: Address, scope: &mut Scope) {
        let end = self.end_of(start);
        for at in start..end {
            self.ops[at as usize] = match self.plain(at) {
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

    /// The value of an element of a procedure, and the address of the next; `None` after the last.
    pub(super) fn element(&self, at: Address) -> Option<(Value, Address)> {
        Some(match self.plain(at) {
            Op::Number(number) => (Value::Number(number), at + 1),
            Op::Boolean(value) => (Value::Boolean(value), at + 1),
            Op::Text(name) | Op::Name(name) => (Value::Text(name), at + 1),
            Op::Block { procedure, after } => (Value::Procedure(procedure), after),
            Op::Operator(operator) => (Value::Operator(operator), at + 1),
            _ => return None,
        })
    }

    /// The names that the body of a procedure executes.
    pub(super) fn names(&mut self, procedure: Procedure, scope: &mut Scope) -> Vec<NameId> {
        let body = self.body(procedure, scope);
        let (from, to) = self.instructions(body);
        let calls = self.program.code()[from as usize..to as usize].iter();
        let name = |instruction: &Instruction| match instruction {
            Instruction::Call(name) => Some(NameId::from_operand(*name)),
            _ => None,
        };
        calls.filter_map(name).collect()
    }

    /// The procedure in which these names are bound to operators for ever, and how many operations were made for it.
    pub(super) fn bound(
        &mut self,
        procedure: Procedure,
        operators: BTreeMap<NameId, Builtin>,
        scope: &mut Scope,
    ) -> (Procedure, usize) {
        if let Some((made, same)) = self.bound.get(&procedure)
            && *same == operators
        {
            return (*made, 0);
        }
        let body = self.body(procedure, scope);
        let range = self.instructions(body);
        let symbol = self.procedures[procedure.0 as usize].symbol;
        let start = self.append(symbol, range, scope, &operators);
        let made = Procedure(self.procedures.len() as u32);
        self.procedures.push(Body { symbol, start, after: NOTHING });
        self.bound.insert(procedure, (made, operators));
        (made, self.ops.len() - start as usize)
    }

    /// The instructions of the body at an address: the first, and that after the last.
    fn instructions(&self, body: Address) -> (u32, u32) {
        let mut at = body;
        while let Some((_, next)) = self.element(at) {
            at = next;
        }
        let instructions = (body..at).filter_map(|at| self.instruction(at));
        instructions.fold((0, 0), |(from, to), at| (if to == 0 { at } else { from }, at + 1))
    }
}

/// The operation of an operator.
const fn own(operator: Builtin) -> Op {
    match operator {
        Builtin::Add => Op::Add,
        Builtin::Sub => Op::Sub,
        Builtin::Mul => Op::Mul,
        Builtin::Div => Op::Div,
        Builtin::Eq => Op::Eq,
        Builtin::Ne => Op::Ne,
        Builtin::Lt => Op::Lt,
        Builtin::Le => Op::Le,
        Builtin::Gt => Op::Gt,
        Builtin::Ge => Op::Ge,
        Builtin::Dup => Op::Dup,
        Builtin::Pop => Op::Pop,
        Builtin::Exch => Op::Exch,
        Builtin::Index => Op::Index,
        Builtin::Get => Op::Get,
        Builtin::Put => Op::Put,
        Builtin::Def => Op::Def,
        Builtin::Begin => Op::Begin,
        Builtin::End => Op::End,
        Builtin::IDiv => Op::IDiv,
        Builtin::Mod => Op::Mod,
        Builtin::Not => Op::Not,
        Builtin::Known => Op::Known,
        other => Op::Operator(other),
    }
}
