//! Numbers and digests as people read them.

/// A count with commas between the thousands.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A size in bytes, exactly.
pub(crate) fn bytes(size: u64) -> String {
    format!("{} B", thousands(size))
}

/// The first digits of a digest: enough to tell two apart.
pub(crate) fn short_digest(digest: &str) -> &str {
    digest.get(..8).unwrap_or(digest)
}

/// "1 procedure", "2 procedures".
pub(crate) fn count(number: u64, thing: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {thing}{ending}", thousands(number))
}

/// Text that is safe between the tags and in the attributes of SVG and HTML.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_apart() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(thousands(number), text);
        }
        assert_eq!(count(1, "procedure"), "1 procedure");
        assert_eq!(count(0, "procedure"), "0 procedures");
    }
}
