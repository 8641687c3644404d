//! The options of a chore: `--name value`, `--name=value`, and flags, which have no value; nothing else.

use std::collections::BTreeMap;

use crate::Result;

/// The options that were given, by name.
#[derive(Debug)]
pub(crate) struct Options(BTreeMap<String, String>);

impl Options {
    /// Reads options; a name that is not `allowed` is an error.
    pub(crate) fn parse(arguments: impl Iterator<Item = String>, allowed: &[&str]) -> Result<Self> {
        Self::parse_with_flags(arguments, allowed, &[])
    }

    /// Reads options and flags.
    pub(crate) fn parse_with_flags(
        mut arguments: impl Iterator<Item = String>,
        allowed: &[&str],
        flags: &[&str],
    ) -> Result<Self> {
        let mut options = BTreeMap::new();
        while let Some(argument) = arguments.next() {
            if flags.contains(&argument.as_str()) {
                options.insert(argument, String::new());
                continue;
            }
            let (name, value) = match argument.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (argument, None),
            };
            if !allowed.contains(&name.as_str()) {
                return Err(format!("`{name}` is not an option here; `cargo xtask help` lists them"));
            }
            let value = value.or_else(|| arguments.next()).ok_or_else(|| format!("{name} needs a value"))?;
            options.insert(name, value);
        }
        Ok(Self(options))
    }

    /// Whether a flag or an option was given.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The value of an option as it was written.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The value of an option as a number greater than zero.
    pub(crate) fn number(&self, name: &str, default: usize) -> Result<usize> {
        self.text(name).map_or(Ok(default), |text| positive(name, text))
    }

    /// The value of an option as a comma-separated list of numbers greater than zero.
    pub(crate) fn numbers(&self, name: &str, default: &[usize]) -> Result<Vec<usize>> {
        let read = |text: &str| text.split(',').map(|part| positive(name, part)).collect();
        self.text(name).map_or_else(|| Ok(default.to_vec()), read)
    }
}

fn positive(name: &str, text: &str) -> Result<usize> {
    let number = text.trim().parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| format!("{name}: `{text}` is not a number greater than zero"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Options> {
        Options::parse(arguments.iter().map(ToString::to_string), &["--sizes"])
    }

    #[test]
    fn both_spellings_are_read() {
        for arguments in [&["--sizes", "1,20"][..], &["--sizes=1,20"]] {
            assert_eq!(parse(arguments).unwrap().numbers("--sizes", &[5]), Ok(vec![1, 20]));
        }
        assert_eq!(parse(&[]).unwrap().numbers("--sizes", &[5]), Ok(vec![5]));
    }

    #[test]
    fn flags_have_no_value() {
        let arguments = ["--all", "--sizes", "3"].map(str::to_owned);
        let options =
            Options::parse_with_flags(arguments.into_iter(), &["--sizes"], &["--all", "--none"]).unwrap();
        assert_eq!(["--all", "--none"].map(|flag| options.has(flag)), [true, false]);
        assert_eq!(options.number("--sizes", 1), Ok(3));
    }

    #[test]
    fn mistakes_are_named() {
        assert!(parse(&["--size", "1"]).unwrap_err().contains("`--size`"));
        assert!(parse(&["--sizes"]).unwrap_err().contains("needs a value"));
        assert!(parse(&["--sizes=0"]).unwrap().numbers("--sizes", &[5]).is_err());
    }
}
