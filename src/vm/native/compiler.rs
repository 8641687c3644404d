//! Makes machine code of what the translator says, and keeps it.
//!
//! Deliberately absent: what the code does, and when it is worth while.

use cranelift_codegen::ir::{AbiParam, Function, Signature, UserFuncName, types};
use cranelift_codegen::isa::{CallConv, OwnedTargetIsa};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_codegen::{CodegenError, Context};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use memmap2::{Mmap, MmapMut};

use super::facts::Facts;
use super::translate::{Entry, Surroundings, Translator};

/// How often a region is translated, at most, until nothing is learned any more.
const ATTEMPTS: usize = 16;
/// How many bytes of code there may be.
const MOST: usize = 64 << 20;

/// How regions are entered: context, operands, frames, steps, as what, and where.
pub(super) fn region_signature() -> Signature {
    let mut signature = Signature::new(CallConv::Tail);
    signature.params.extend([AbiParam::new(types::I64); 6]);
    signature
}

/// The compiler, with all code that it has made.
pub(super) struct Compiler {
    isa: OwnedTargetIsa,
    context: Context,
    builder: FunctionBuilderContext,
    code: Vec<Mmap>,
    size: usize,
}

impl std::fmt::Debug for Compiler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compiler").field("size", &self.size).finish_non_exhaustive()
    }
}

impl Compiler {
    /// A compiler for this processor, if there can be one.
    pub(super) fn new() -> Option<Self> {
        let mut flags = settings::builder();
        for (name, value) in [
            ("opt_level", "speed"),
            ("enable_verifier", if cfg!(debug_assertions) { "true" } else { "false" }),
            ("enable_probestack", "false"),
            ("unwind_info", "false"),
            // Tail calls need them.
            ("preserve_frame_pointers", "true"),
        ] {
            flags.set(name, value).ok()?;
        }
        let isa = cranelift_native::builder().ok()?.finish(settings::Flags::new(flags)).ok()?;
        let builder = FunctionBuilderContext::new();
        Some(Self { isa, context: Context::new(), builder, code: Vec::new(), size: 0 })
    }

    /// How many bytes of code there are.
    pub(super) const fn size(&self) -> usize {
        self.size
    }

    /// Makes the code of a region. Gives its address.
    pub(super) fn region(&mut self, around: &mut Surroundings<'_, '_>, entry: Entry) -> Option<usize> {
        let mut facts = Facts::default();
        for _ in 0..ATTEMPTS {
            facts.begin();
            self.context.clear();
            self.context.func = Function::with_name_signature(UserFuncName::default(), region_signature());
            let builder = FunctionBuilder::new(&mut self.context.func, &mut self.builder);
            let around = Surroundings {
                code: around.code,
                scope: around.scope,
                heap: around.heap,
                texts: around.texts,
                operands: around.operands,
                perform: around.perform,
                rejected: around.rejected,
                shapes: around.shapes,
            };
            Translator::new(builder, around, &mut facts, entry).run(entry);
            if facts.is_settled() {
                return self.finish();
            }
        }
        None
    }

    pub(super) fn make(
        &mut self,
        signature: Signature,
        body: impl Fn(&mut FunctionBuilder<'_>),
    ) -> Option<usize> {
        self.context.clear();
        self.context.func = Function::with_name_signature(UserFuncName::default(), signature);
        let mut builder = FunctionBuilder::new(&mut self.context.func, &mut self.builder);
        body(&mut builder);
        builder.seal_all_blocks();
        builder.finalize();
        self.finish()
    }

    /// Makes machine code of the function. Gives its address.
    fn finish(&mut self) -> Option<usize> {
        let compiled = self.context.compile(&*self.isa, &mut Default::default());
        let compiled = compiled.inspect_err(|error| {
            // A function that is too large is left to the interpreter; one that is wrong is not to be made.
            let is_wrong = matches!(error.inner, CodegenError::Verifier(_));
            debug_assert!(!is_wrong, "{:?}\n{}", error.inner, error.func.display());
        });
        let compiled = compiled.ok()?;
        // Nothing in it depends on where it is.
        if !compiled.buffer.relocs().is_empty() {
            return None;
        }
        let code = compiled.code_buffer();
        if self.size + code.len() > MOST {
            return None;
        }
        let mut memory = MmapMut::map_anon(code.len()).ok()?;
        memory.copy_from_slice(code);
        let memory = memory.make_exec().ok()?;
        let address = memory.as_ptr() as usize;
        self.size += code.len();
        self.code.push(memory);
        Some(address)
    }
}
