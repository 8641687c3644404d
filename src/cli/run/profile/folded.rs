//! Folded stacks: a line for each stack with its time in microseconds, as the tools read them that draw flame graphs.

use std::collections::BTreeMap;

use crate::profile::Profile;

/// What stands for the middle of a stack that is too deep to be shown.
pub(super) const OMITTED: &str = "…";

/// `main;sieve;strike 123`, in the order of the names.
pub(super) fn folded(profile: &Profile) -> String {
    let mut stacks = BTreeMap::new();
    for (at, node) in profile.nodes.iter().enumerate() {
        let micros = node.own.as_micros();
        if micros > 0 {
            let names = profile.stack(at).map(|node| node.name.as_deref().unwrap_or(OMITTED));
            let mut names = names.collect::<Vec<_>>();
            names.reverse();
            stacks.insert(names.join(";"), micros);
        }
    }
    stacks.iter().map(|(stack, micros)| format!("{stack} {micros}\n")).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::profile::Node;

    #[test]
    fn stacks_are_lines_with_microseconds() {
        let node = |parent, name: &str, nanos| Node {
            parent,
            name: (name != OMITTED).then(|| name.into()),
            own: Duration::from_nanos(nanos),
        };
        let nodes = vec![
            node(None, "main", 1500),
            node(Some(0), "sieve", 900),
            node(Some(1), "strike", 123_000),
            node(Some(0), OMITTED, 0),
            node(Some(3), "deep", 2_000_000),
        ];
        let folded = folded(&Profile { nodes, ..Profile::default() });
        assert_eq!(folded, "main 1\nmain;sieve;strike 123\nmain;…;deep 2000\n");
    }
}
