//! What make lends is given back, whatever becomes of the work.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rayon::current_num_threads;

use super::*;

/// Most ways of making need Linux; this takes tokens as every system can.
fn borrowed(client: &Client, tokens: usize) -> Share {
    let tokens = (0..tokens).map(|_| client.acquire().unwrap()).collect::<Vec<_>>();
    Share { threads: 1 + tokens.len(), _tokens: tokens }
}

#[test]
fn tokens_are_given_back_when_the_work_ends() {
    let client = Client::new(3).unwrap();
    let found = borrowed(&client, 2).run(|| (current_num_threads(), client.available().unwrap()));
    assert_eq!(found, (3, 1));
    assert_eq!(client.available().unwrap(), 3);
}

#[test]
fn tokens_are_given_back_when_the_work_panics() {
    let client = Client::new(3).unwrap();
    let share = borrowed(&client, 3);
    catch_unwind(AssertUnwindSafe(|| share.run(|| panic!("on purpose")))).unwrap_err();
    assert_eq!(client.available().unwrap(), 3);
}

#[test]
fn one_part_is_done_by_the_current_thread_however_often() {
    let current = std::thread::current().id();
    for most in [0, 1, 8] {
        let threads = Threads { most };
        assert_eq!(threads.run(1, || (current_num_threads(), std::thread::current().id())), (1, current));
        assert_eq!(Threads { most: 1 }.run(8, current_num_threads), 1);
        // Who has worked alone can have others do the work afterwards.
        assert_eq!(Share { threads: 2, _tokens: Vec::new() }.run(current_num_threads), 2);
    }
}
