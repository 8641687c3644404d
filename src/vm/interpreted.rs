//! In the place of native code, where there can be none: everything is interpreted.

use super::code::{Address, Code};
use super::fault::Fault;
use super::machine::{Machine, Native, Streams};

/// No native code.
#[derive(Debug)]
pub(super) struct Engine;

impl Engine {
    pub(super) const fn new(_: Native) -> Self {
        Self
    }

    #[inline(always)]
    pub(super) const fn warm(&mut self, _: Address) -> bool {
        false
    }

    pub(super) const fn give_up(&mut self, _: &mut Code<'_>) {}
}

impl Machine<'_> {
    pub(super) const fn translate(&mut self, _: Address) {}

    pub(super) const fn run_native(
        &mut self,
        _: Address,
        _: &mut i64,
        _: &mut Streams<'_>,
    ) -> Result<(), Fault> {
        Ok(())
    }
}
