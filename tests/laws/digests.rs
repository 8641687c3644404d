//! A digest is a function of the normalised body, one to one, and of nothing else.

use std::collections::HashMap;

use proptest::prelude::*;
use toy::compile::Fingerprinter;
use toy::digest::FragmentDigest;

use crate::kit::cases;
use crate::program::{Body, Item, PLAIN, Style, body, same, spell, style};

/// The digest of a body, by way of its text.
fn digest(name: &str, body: &Body, style: &Style) -> FragmentDigest {
    let text = spell(&[(name, body)], style);
    let parsed = toy::syntax::parse(&text);
    assert_eq!(parsed.errors, [], "{text}");
    Fingerprinter::default().unit(&parsed.unit)[0]
}

/// Every body of at most `tokens` tokens over a small alphabet whose pieces could be taken for one another.
fn small_bodies(tokens: usize) -> Vec<Body> {
    let text = |text: &str| Item::Text(text.to_owned());
    let name = |name: &str| Item::Name(name.to_owned());
    let leaves = [
        Item::Number(1.0),
        text(""),
        text("a"),
        text("a a"),
        text("1"),
        name("a"),
        name("aa"),
        Item::Boolean(true),
    ];
    // Bodies by their number of tokens; a block is one token more than what is in it.
    let mut by_size = vec![vec![Body::new()]];
    for size in 1..=tokens {
        let mut bodies = Vec::new();
        for shorter in &by_size[size - 1] {
            bodies
                .extend(leaves.iter().map(|leaf| [shorter.as_slice(), std::slice::from_ref(leaf)].concat()));
        }
        for inside in 0..size {
            for (before, inner) in by_size[size - 1 - inside]
                .iter()
                .flat_map(|before| by_size[inside].iter().map(move |inner| (before, inner)))
            {
                bodies.push([before.as_slice(), &[Item::Block(inner.clone())]].concat());
            }
        }
        by_size.push(bodies);
    }
    by_size.concat()
}

#[test]
fn no_two_small_bodies_share_a_digest() {
    let bodies = small_bodies(4);
    assert!(bodies.len() > 5000);
    let mut digests = HashMap::new();
    for body in &bodies {
        if let Some(other) = digests.insert(digest("p", body, &PLAIN), body) {
            panic!("{body:?} and {other:?} have one digest");
        }
    }
}

/// A body that is nearly `body`: one item is split, wrapped, unwrapped, retyped, or left out.
fn nearly(body: &Body, at: usize) -> Body {
    let Some(item) = body.get(at % body.len().max(1)) else { return vec![Item::Block(Vec::new())] };
    let instead = match item {
        Item::Number(value) => vec![Item::Number(-value)],
        Item::Boolean(value) => vec![Item::Text(value.to_string())],
        Item::Name(name) => vec![Item::Text(name.clone())],
        Item::Text(text) if text.is_empty() => vec![],
        Item::Text(text) => {
            let half = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(at, _)| at);
            vec![Item::Text(text[..half].to_owned()), Item::Text(text[half..].to_owned())]
        }
        Item::Block(items) => items.clone(),
    };
    let at = at % body.len();
    [&body[..at], &instead, &body[at + 1..]].concat()
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn a_digest_stands_for_one_body(a in body(), b in body(), at in 0_usize..6, style in style()) {
        for other in [&b, &nearly(&a, at), &vec![Item::Block(a.clone())]] {
            let equal = digest("p", &a, &PLAIN) == digest("p", other, &style);
            prop_assert_eq!(equal, same(&a, other), "{:?}\n{:?}", a, other);
        }
    }

    #[test]
    fn name_and_spelling_are_not_in_the_digest(body in body(), style in style()) {
        prop_assert_eq!(digest("p", &body, &PLAIN), digest("another_name", &body, &style));
    }

    #[test]
    fn the_name_of_a_callee_is_in_the_digest_and_its_body_is_not(body in body(), one in body(), other in body()) {
        let caller = |callee: &str, of: &Body| {
            let caller = [body.as_slice(), &[Item::Name(callee.to_owned())]].concat();
            let text = spell(&[(callee, of), ("p", &caller)], &PLAIN);
            Fingerprinter::default().unit(&toy::syntax::parse(&text).unit)[1]
        };
        prop_assert_eq!(caller("callee", &one), caller("callee", &other));
        prop_assert_ne!(caller("callee", &one), caller("another", &one));
    }
}
