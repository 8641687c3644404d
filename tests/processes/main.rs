//! Many processes on one repository, some of them killed: nothing is lost, and what is built is what one would build.
//!
//! Deliberately absent: a kill at each call; `cargo xtask torture` has those.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail by panicking")]

mod crowd;
mod killed;
mod site;

/// Makes each of these a test on repositories of one kind.
macro_rules! on_store {
    ($store:ident: $($room:ident::$test:ident)*) => {
        mod $store {
            $(#[test]
            fn $test() {
                super::$room::$test(stringify!($store));
            })*
        }
    };
}

/// Makes each of these a test on repositories of every kind.
macro_rules! on_every_store {
    ($($tests:tt)*) => {
        on_store!(yaml: $($tests)*);
        on_store!(tdb: $($tests)*);
    };
}

on_every_store! {
    crowd::eight_compilers_on_one_new_repository
    crowd::thirty_two_compilers_on_one_new_repository
    crowd::eight_first_runs_of_the_same_source
    crowd::agents_merging_while_compilers_run
    crowd::collecting_while_compilers_run
    crowd::collecting_while_tickets_go_and_come
    crowd::collecting_while_tickets_flicker
    crowd::linking_while_compilers_run
    crowd::readers_of_all_kinds_while_writers_of_all_kinds_work
    crowd::merges_that_cross
    killed::killed_processes_leave_the_old_state_or_the_new_one
    killed::what_killed_processes_leave_behind_disturbs_nobody
}
