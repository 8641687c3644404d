//! Which warnings are shown, and which count as errors.

use std::sync::OnceLock;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use crate::lint::{Lint, Warning};

/// What to do with warnings.
#[derive(Debug, Args)]
pub struct LintArgs {
    /// Do not warn of this; a comment `# allow: LINT` says so for a line or a procedure
    #[arg(long, value_name = "LINT", value_delimiter = ',', help_heading = "Warnings")]
    allow: Vec<Choice>,

    /// Take this for an error; what is allowed is none
    #[arg(long, value_name = "LINT", value_delimiter = ',', help_heading = "Warnings")]
    deny: Vec<Choice>,
}

impl LintArgs {
    /// Whether no warning would be shown, so that none need be looked for.
    pub fn allow_all(&self) -> bool {
        self.allow.contains(&Choice::All)
    }

    /// Drops the warnings that are allowed, and marks those that are denied.
    pub fn apply(&self, warnings: &mut Vec<Warning>) {
        warnings.retain(|warning| !has(&self.allow, warning.lint));
        warnings.iter_mut().for_each(|warning| warning.is_denied = has(&self.deny, warning.lint));
    }
}

fn has(choices: &[Choice], lint: Lint) -> bool {
    choices.contains(&Choice::All) || choices.contains(&Choice::One(lint))
}

/// A kind of warning, or every kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    All,
    One(Lint),
}

impl ValueEnum for Choice {
    fn value_variants<'a>() -> &'a [Self] {
        static CHOICES: OnceLock<Vec<Choice>> = OnceLock::new();
        let lints = || Lint::ALL.iter().copied().map(Choice::One);
        CHOICES.get_or_init(|| [Choice::All].into_iter().chain(lints()).collect())
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::All => PossibleValue::new("all"),
            Self::One(lint) => PossibleValue::new(lint.name()).alias(lint.code()),
        })
    }
}
