//! Laws of the formatter, held against random texts.

#[path = "common/formatted.rs"]
mod formatted;
#[path = "common/texts.rs"]
mod texts;

use proptest::prelude::*;
use texts::{blanks, bodies, narrow_blanks, program, texts};
use toy::format::format;

proptest! {
    #[test]
    fn right_programs_mean_and_say_the_same_and_stay_so(bodies in bodies(12), blanks in blanks()) {
        let text = program(&bodies, &blanks);
        formatted::check(&text);
        prop_assert!(format(&text).is_ok());
    }

    #[test]
    fn so_do_programs_of_long_lines(bodies in bodies(50), blanks in narrow_blanks()) {
        let text = program(&bodies, &blanks);
        formatted::check(&text);
        prop_assert!(format(&text).is_ok());
    }

    #[test]
    fn any_text_is_formatted_or_refused(text in texts()) {
        formatted::check(&text);
    }

    #[test]
    fn blanks_within_lines_make_no_difference(bodies in bodies(12), blanks in blanks()) {
        let spread = blanks.iter().map(|blank| format!("\t {blank} \x0c")).collect::<Vec<_>>();
        prop_assert_eq!(format(&program(&bodies, &spread)), format(&program(&bodies, &blanks)));
    }
}

/// Time and room are those of the text, however it is made: none of these would end otherwise.
#[test]
fn large_texts_are_formatted() {
    let size = 100_000;
    let texts = [
        format!("a {{ {}{} }}", "{".repeat(size), "}".repeat(size)),
        format!("a {{ {}{} }}", "{ 1 [".repeat(size / 5), "] x } if ".repeat(size / 5)),
        format!("a {{ {} }}", "1 ".repeat(size)),
        format!("a {{ {} }}", "[".repeat(size)),
        format!("a {{ {} }}", "{ 1 } if ".repeat(size / 4)),
        format!("a {{ {} }}", format!("{{ {} }} if ", "word ".repeat(30)).repeat(size / 40)),
        format!("a {{\n{} }}", format!("{{ {}\n}} if ", "word ".repeat(30)).repeat(size / 40)),
        format!("a {{\n{} }}", "1 # c\n".repeat(size / 2)),
        format!("a {{\n\"{}\" # c\n{} }}", "s".repeat(size), "1 # c\n".repeat(size)),
        format!("a {}{{ }}", "# c\n".repeat(size)),
    ];
    for text in texts {
        let result = format(&text).unwrap_or_default();
        assert!(result.len() > 1 && result.len() < 64 * text.len());
        assert_eq!(format(&result).as_ref(), Ok(&result));
    }
}
