//! Where paths meet: values that differ become parameters of a block.

use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, Type, Value, types};

use super::Translator;
use crate::vm::native::state::{Begun, Edge, Is, Kind, Operand, State};

impl Kind {
    /// The type that a parameter has.
    pub(super) const fn parameter(self) -> Option<Type> {
        match self {
            Self::Same => None,
            Self::Number => Some(types::F64),
            Self::Boolean => Some(types::I8),
            Self::Whole(_) | Self::Packed => Some(types::I64),
        }
    }

    /// A value of the kind that is a parameter.
    pub(super) const fn of(self, parameter: Value) -> Is {
        match self {
            Self::Whole(range) => Is::Whole(parameter, range),
            Self::Number => Is::Number(parameter),
            Self::Boolean => Is::Boolean(parameter),
            Self::Same | Self::Packed => Is::Packed(parameter),
        }
    }
}

impl Translator<'_, '_> {
    /// Goes on where paths meet.
    pub(super) fn join(&mut self, join: usize) {
        let mut edges = std::mem::take(&mut self.joins[join]);
        match edges.len() {
            0 => {}
            1 => {
                if let Some(Edge { block, state }) = edges.pop() {
                    self.builder.switch_to_block(block);
                    self.follow(state);
                }
            }
            _ => {
                let state = self.unite(edges);
                self.follow(state);
            }
        }
    }

    fn unite(&mut self, mut edges: Vec<Edge>) -> State {
        let first = &edges[0].state;
        let (sp, height) = (first.sp, first.height());
        let is_level = edges.iter().all(|edge| edge.state.sp == sp && edge.state.height() == height);
        let block = self.builder.create_block();
        if is_level { self.unite_level(block, &mut edges) } else { self.unite_moved(block, edges) }
    }

    /// With the operand stack as high on all paths.
    fn unite_level(&mut self, block: Block, edges: &mut [Edge]) -> State {
        self.unite_virtuals(edges);
        let count = edges.iter().map(|edge| edge.state.operands.len()).max().unwrap_or_default();
        for edge in edges.iter_mut().filter(|edge| edge.state.operands.len() < count) {
            self.builder.switch_to_block(edge.block);
            self.mark(&edge.state);
            self.deepen(&mut edge.state, count);
            // A block is left only at its end.
            edge.block = self.builder.create_block();
            self.builder.ins().jump(edge.block, &[]);
        }
        let mut united = edges[0].state.clone();
        let others = &edges[1..];
        let mut kinds = Vec::new();
        for (at, operand) in united.operands.iter_mut().enumerate() {
            let same = |edge: &Edge| edge.state.operands[at].is == operand.is;
            let kind = if others.iter().all(same) {
                Kind::Same
            } else {
                let kinds = edges.iter().map(|edge| edge.state.operands[at].is.kind());
                kinds.reduce(Kind::or).unwrap_or(Kind::Packed)
            };
            if let Some(parameter) = kind.parameter() {
                operand.is = kind.of(self.builder.append_block_param(block, parameter));
            }
            if others.iter().any(|edge| edge.state.operands[at].home != operand.home) {
                operand.home = None;
            }
            kinds.push(kind);
        }
        let (held, differ) = self.unite_entries(block, &mut united, others);
        self.unite_names(&mut united, others);
        united.assured = edges.iter().map(|edge| edge.state.assured).max().unwrap_or_default();
        let counts_steps = self.unite_steps(block, &mut united, edges);
        for edge in edges.iter() {
            self.builder.switch_to_block(edge.block);
            let mut arguments: Vec<BlockArg> = Vec::new();
            let entries = edge.state.entries().map(|(_, is)| Operand::from(*is)).collect::<Vec<_>>();
            let operands = edge.state.operands.iter().zip(&kinds).chain(entries.iter().zip(&held));
            for (operand, kind) in operands {
                arguments.extend(self.argument(operand, *kind).map(BlockArg::from));
            }
            for (of, _) in edge.state.virtuals().zip(&differ).filter(|(_, differs)| **differs) {
                arguments.push(self.length_of(of).into());
            }
            if counts_steps {
                arguments.push(self.steps(&edge.state).into());
            }
            self.builder.ins().jump(block, &arguments);
        }
        self.builder.switch_to_block(block);
        self.start_segment(&mut united, edges);
        united
    }

    /// A value as an argument for a parameter of a kind.
    pub(super) fn argument(&mut self, operand: &Operand, kind: Kind) -> Option<Value> {
        match kind {
            Kind::Same => None,
            Kind::Whole(_) | Kind::Packed if operand.is == Is::ABSENT => Some(self.bits(0)),
            Kind::Number if operand.is == Is::ABSENT => Some(self.float(0.0)),
            Kind::Boolean if operand.is == Is::ABSENT => Some(self.builder.ins().iconst(types::I8, 0)),
            Kind::Whole(_) => self.whole(operand.is).ok().map(|(value, _)| value),
            Kind::Number => self.number(operand.is).ok(),
            Kind::Boolean => self.truth(operand.is).ok(),
            Kind::Packed => Some(self.packed(operand.is)),
        }
    }

    /// Gives virtual dictionaries the same keys on all paths, some of which they may not have; or materializes them.
    fn unite_virtuals(&mut self, edges: &mut [Edge]) {
        let longest =
            edges.iter().max_by_key(|edge| edge.state.entries().count()).map(|edge| &edge.state.begun);
        let Some(longest) = longest.cloned() else { return };
        let fits = |pair: (&Begun, &Begun)| match pair {
            (Begun::Virtual(ours), Begun::Virtual(longest)) => ours.is_beginning_of(longest),
            (ours, longest) => ours == longest,
        };
        let are_fit = edges.iter().all(|Edge { state, .. }| {
            state.begun.len() == longest.len() && state.begun.iter().zip(&longest).all(fits)
        });
        for edge in edges.iter_mut().filter(|edge| edge.state.is_virtual()) {
            self.builder.switch_to_block(edge.block);
            if are_fit {
                self.extend(&mut edge.state, &longest);
            } else {
                self.mark(&edge.state);
                self.materialize(&mut edge.state);
            }
            // A block is left only at its end.
            edge.block = self.builder.create_block();
            self.builder.ins().jump(edge.block, &[]);
        }
    }

    /// Gives virtual dictionaries keys that others have, too, but they have not.
    fn extend(&mut self, state: &mut State, longest: &[Begun]) {
        for (begun, longest) in state.begun.iter_mut().zip(longest) {
            let (Begun::Virtual(of), Begun::Virtual(longest)) = (begun, longest) else { continue };
            let keys =
                longest.keys().skip(of.entries.len()).map(|name| (name, Is::ABSENT)).collect::<Vec<_>>();
            if !keys.is_empty() {
                of.length = Some(self.length_of(of));
                of.entries.extend(keys);
            }
        }
    }

    /// Makes parameters of what virtual dictionaries have different on some paths.
    fn unite_entries(&mut self, block: Block, united: &mut State, others: &[Edge]) -> (Vec<Kind>, Vec<bool>) {
        let (mut held, mut differ) = (Vec::new(), Vec::new());
        for (at, (_, is)) in united.entries_mut().enumerate() {
            let others = others.iter().filter_map(|edge| edge.state.entries().nth(at).map(|entry| entry.1));
            let kind = if others.clone().all(|other| other == *is) {
                Kind::Same
            } else {
                others.map(Is::kind).fold(is.kind(), Kind::or)
            };
            if let Some(parameter) = kind.parameter() {
                *is = kind.of(self.builder.append_block_param(block, parameter));
            }
            held.push(kind);
        }
        for (at, of) in united.virtuals_mut().enumerate() {
            let others = || others.iter().filter_map(|edge| edge.state.virtuals().nth(at));
            of.sure = others().map(|other| other.sure).fold(of.sure, usize::min);
            differ.push(others().any(|other| other.length != of.length));
            if differ.last() == Some(&true) {
                of.length = Some(self.builder.append_block_param(block, types::I64));
            }
        }
        (held, differ)
    }

    fn unite_names(&mut self, united: &mut State, others: &[Edge]) {
        united.names.retain(|name| others.iter().all(|edge| edge.state.names.contains(name)));
        united.is_in_program &= others.iter().all(|edge| edge.state.is_in_program);
        if others.iter().any(|edge| !edge.state.has_same_keys(united)) {
            united.begun.clear();
        }
    }

    /// Makes the steps that are left a parameter if they differ. Tells whether they do.
    fn unite_steps(&mut self, block: Block, united: &mut State, edges: &[Edge]) -> bool {
        let differs = |edge: &Edge| (edge.state.steps, edge.state.made) != (united.steps, united.made);
        let differ = edges.iter().any(differs);
        if differ {
            united.steps = self.builder.append_block_param(block, types::I64);
            united.made = 0;
        }
        united.spent = edges.iter().map(|edge| edge.state.spent).max().unwrap_or_default();
        differ
    }

    /// Begins a segment where paths from several meet.
    fn start_segment(&mut self, united: &mut State, edges: &[Edge]) {
        if edges.iter().all(|edge| edge.state.segment == united.segment) {
            return;
        }
        (united.segment, united.spent) = (self.segments, 0);
        self.segments += 1;
        united.spent = united.made;
        self.facts.spend(united.segment, united.spent);
        self.mark(united);
        self.check_steps(united);
        united.spent = united.made;
    }

    /// With the operand stack of different heights: all operands go to memory.
    fn unite_moved(&mut self, block: Block, mut edges: Vec<Edge>) -> State {
        for edge in &mut edges {
            self.builder.switch_to_block(edge.block);
            self.materialize(&mut edge.state);
            edge.block = self.builder.create_block();
            self.builder.ins().jump(edge.block, &[]);
        }
        let mut united = edges[0].state.clone();
        united.sp = self.builder.append_block_param(block, types::I64);
        united.steps = self.builder.append_block_param(block, types::I64);
        for edge in &edges {
            self.builder.switch_to_block(edge.block);
            let sp = self.put_operands(&edge.state);
            let steps = self.steps(&edge.state);
            self.builder.ins().jump(block, &[sp.into(), steps.into()]);
        }
        self.unite_names(&mut united, &edges[1..]);
        (united.below, united.assured, united.made, united.spent) = (0, 0, 0, 0);
        united.operands.clear();
        (united.reach, united.segment) = (self.reaches, self.segments);
        self.reaches += 1;
        self.segments += 1;
        self.builder.switch_to_block(block);
        self.mark(&united);
        self.check_room(&united);
        self.check_steps(&united);
        united
    }
}
