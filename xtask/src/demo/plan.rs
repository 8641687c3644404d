//! What the demo's rounds are to show: the sources, the one edit, and who compiles what.

use crate::{Result, files};

/// The program's sources, in the order in which they are named everywhere.
pub(super) const SOURCES: [&str; 3] = ["factorial.toy", "main.toy", "sieve.toy"];

/// The one edit of the demo: the factorial becomes the double factorial.
const EDIT: Edit = Edit {
    file: "factorial.toy",
    from: "dup 1 sub factorial",
    to: "dup 2 sub factorial",
    printed_before: "3628800.0",
    printed_after: "3840.0",
};

/// A change of one procedure, and of what the program prints.
#[derive(Debug)]
struct Edit {
    file: &'static str,
    from: &'static str,
    to: &'static str,
    printed_before: &'static str,
    printed_after: &'static str,
}

impl Edit {
    fn replace(text: &str, from: &str, to: &str) -> Result<String> {
        match text.matches(from).count() {
            1 => Ok(text.replacen(from, to, 1)),
            found => Err(format!("the sample has `{from}` {found} times; the demo edits the only one")),
        }
    }

    /// The edited source.
    fn source(&self, text: &str) -> Result<String> {
        Self::replace(text, self.from, self.to)
    }

    /// What the edited program prints.
    fn output(&self, text: &str) -> Result<String> {
        Self::replace(text, self.printed_before, self.printed_after)
    }
}

/// What an agent does in a round.
#[derive(Debug)]
pub(super) struct Job {
    /// The agent's directory.
    pub(super) directory: &'static str,
    /// What it compiles.
    pub(super) sources: [&'static str; 2],
    /// The procedures in these sources.
    pub(super) procedures: u64,
    /// The procedures among them that nobody has compiled before.
    pub(super) needed: u64,
}

/// What a round is to show.
#[derive(Debug)]
pub(super) struct Plan {
    /// The round's number, from one.
    pub(super) number: usize,
    /// The round in a few words.
    pub(super) title: &'static str,
    /// Why it is played.
    pub(super) purpose: &'static str,
    /// Whether the sources are the edited ones.
    pub(super) edited: bool,
    /// What the agents do.
    pub(super) jobs: [Job; 2],
    /// Fragments in the host's repository before the round.
    pub(super) fragments_before: u64,
    /// Fragments that the round must add.
    pub(super) fragments_new: u64,
}

const FIRST: [&str; 2] = ["factorial.toy", "main.toy"];
const SECOND: [&str; 2] = ["main.toy", "sieve.toy"];

fn job(directory: &'static str, sources: [&'static str; 2], needed: u64) -> Job {
    // factorial.toy and main.toy define one procedure each, sieve.toy defines three.
    Job { directory, sources, procedures: if sources == FIRST { 2 } else { 4 }, needed }
}

/// The demo's three rounds.
pub(super) fn plans() -> [Plan; 3] {
    [
        Plan {
            number: 1,
            title: "first build",
            purpose: "Nobody has a repository: all is generated, main by both agents.",
            edited: false,
            jobs: [job("remote/agent1", FIRST, 2), job("remote/site-b/agent2", SECOND, 4)],
            fragments_before: 0,
            fragments_new: 5,
        },
        Plan {
            number: 2,
            title: "one procedure edited",
            purpose: "factorial now calls itself with n - 2; only factorial is generated.",
            edited: true,
            jobs: [job("remote/agent1", FIRST, 1), job("remote/site-b/agent2", SECOND, 0)],
            fragments_before: 5,
            fragments_new: 1,
        },
        Plan {
            number: 3,
            title: "nothing edited, agents swapped",
            purpose: "Each agent gets the other's work, in a fresh tree: nothing is generated.",
            edited: true,
            jobs: [job("elsewhere/site-a/disk/agent1", SECOND, 0), job("elsewhere/agent2", FIRST, 0)],
            fragments_before: 6,
            fragments_new: 0,
        },
    ]
}

impl Plan {
    /// A source of the program in this round.
    pub(super) fn source(&self, name: &str) -> Result<String> {
        let text = files::read_text(&files::project_root().join("fixtures/sample").join(name))?;
        if self.edited && name == EDIT.file { EDIT.source(&text) } else { Ok(text) }
    }

    /// What the program must print.
    pub(super) fn output(&self) -> Result<String> {
        let text = files::read_text(&files::project_root().join("fixtures/sample/main.out"))?;
        let text = text.replace("\r\n", "\n");
        if self.edited { EDIT.output(&text) } else { Ok(text) }
    }
}

/// A ticket's name for a source's.
pub(super) fn ticket_of(source: &str) -> String {
    source.replace(".toy", ".to")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edit_fits_the_sample() {
        let [first, second, third] = plans();
        let differ = |name| first.source(name).unwrap() != second.source(name).unwrap();
        assert_eq!(SOURCES.map(differ), [true, false, false]);
        assert_ne!(first.output(), second.output());
        assert_eq!(second.output(), third.output());
    }
}
