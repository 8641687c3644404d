//! What a round's drawings show: names, and the figures written beside them.

/// A file, with a word about it.
#[derive(Debug, Clone)]
pub(crate) struct File {
    /// The file's name.
    pub(crate) name: String,
    /// A size, a digest or nothing.
    pub(crate) detail: String,
}

impl File {
    /// A file with a word about it.
    pub(crate) fn new(name: &str, detail: impl Into<String>) -> Self {
        Self { name: name.to_owned(), detail: detail.into() }
    }
}

/// The fragments of a repository, by what is there of them. Each is drawn as one small square.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cells {
    /// Fragments whose code is stored.
    pub(crate) stored: u64,
    /// Fragments of which only the digest is known.
    pub(crate) known: u64,
    /// Fragments that this round generated.
    pub(crate) fresh: u64,
}

/// A repository, or whatever else is made of fragments.
#[derive(Debug, Clone)]
pub(crate) struct Repository {
    /// The file.
    pub(crate) file: File,
    /// Its fragments.
    pub(crate) cells: Cells,
}

impl Repository {
    /// The same fragments under another file name, as after a copy.
    pub(crate) fn named(&self, name: &str) -> Self {
        Self { file: File::new(name, self.file.detail.clone()), cells: self.cells }
    }
}

/// A ticket that an agent made.
#[derive(Debug, Clone)]
pub(crate) struct Ticket {
    /// The file.
    pub(crate) file: File,
    /// Whether the host links it; otherwise it is only compared with the other agent's.
    pub(crate) used: bool,
}

/// What one agent was given and made.
#[derive(Debug, Clone)]
pub(crate) struct Agent {
    /// The agent's name.
    pub(crate) name: String,
    /// The sources it was sent.
    pub(crate) sources: Vec<File>,
    /// Said of what the host sends, one line each.
    pub(crate) sent: Vec<String>,
    /// The tickets it made.
    pub(crate) tickets: Vec<Ticket>,
    /// Its repository after compilation.
    pub(crate) after: Repository,
    /// The name that this repository gets on the host.
    pub(crate) returned_as: String,
    /// How many procedures it generated.
    pub(crate) generated: u64,
    /// How many procedures were known already.
    pub(crate) reused: u64,
    /// Said of what the agent sends back, one line each.
    pub(crate) returned: Vec<String>,
}

/// One round of the workflow.
#[derive(Debug, Clone)]
pub(crate) struct Figures {
    /// The program's sources.
    pub(crate) sources: Vec<File>,
    /// The host's repository before the round; the first round has none.
    pub(crate) before: Option<Repository>,
    /// Its stripped copy.
    pub(crate) stripped: Option<Repository>,
    /// The two agents.
    pub(crate) agents: [Agent; 2],
    /// The host's repository after the merge.
    pub(crate) merged: Repository,
    /// The executable.
    pub(crate) executable: Repository,
    /// The first lines that the program prints.
    pub(crate) output: Vec<String>,
}

impl Figures {
    /// The example of the documentation, without any run's figures: the sample after `factorial` was edited.
    pub(crate) fn general() -> Self {
        let cells = |stored, known, fresh| Cells { stored, known, fresh };
        let repository =
            |name: &str, detail: &str, cells| Repository { file: File::new(name, detail), cells };
        Self {
            sources: files(&["factorial.toy", "main.toy", "sieve.toy"]),
            before: Some(repository("repo.yaml", "digests, code", cells(5, 0, 0))),
            stripped: Some(repository("repoc.yaml", "digests only", cells(0, 5, 0))),
            agents: [general_agent(1, ["factorial", "main"], 1), general_agent(2, ["main", "sieve"], 0)],
            merged: repository("repo.yaml", "", cells(5, 0, 1)),
            executable: repository("main.tx", "", cells(4, 0, 1)),
            output: ["10 factorial is", "3840.0", "the primes up to 50 are", "2.0"]
                .map(String::from)
                .to_vec(),
        }
    }
}

fn files(names: &[&str]) -> Vec<File> {
    names.iter().map(|name| File::new(name, "")).collect()
}

fn general_agent(number: u64, stems: [&str; 2], generated: u64) -> Agent {
    let procedures = if number == 1 { 2 } else { 4 };
    let ticket = |stem: &str| Ticket {
        file: File::new(&format!("{stem}.to"), ""),
        used: number == 1 || stem != "main",
    };
    let cells = Cells { stored: 0, known: 5, fresh: generated };
    Agent {
        name: format!("agent {number}"),
        sources: files(&stems.map(|stem| format!("{stem}.toy")).each_ref().map(String::as_str)),
        sent: vec!["sources".into(), "stripped repository".into()],
        tickets: stems.map(ticket).to_vec(),
        after: Repository { file: File::new("repo.yaml", ""), cells },
        returned_as: format!("repo{number}.yaml"),
        generated,
        reused: procedures - generated,
        returned: vec!["tickets".into(), "repository".into()],
    }
}
