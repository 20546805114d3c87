//! The help of every command, as people read it.

use crate::support::Place;
use rstest::rstest;

#[rstest]
#[case::ramal(&["--help"])]
#[case::build(&["build", "--help"])]
#[case::inspect(&["inspect", "--help"])]
#[case::grant(&["grant", "--help"])]
#[case::grant_propose(&["grant", "propose", "--help"])]
#[case::grant_check(&["grant", "check", "--help"])]
#[case::call(&["call", "--help"])]
#[case::practice_crm(&["practice-crm", "--help"])]
#[case::run(&["run", "--help"])]
#[case::channel_try(&["channel", "try", "--help"])]
#[case::credential(&["credential", "--help"])]
#[case::credential_set(&["credential", "set", "--help"])]
#[case::store(&["store", "--help"])]
#[case::channels(&["channels", "--help"])]
#[case::simulate(&["simulate", "--help"])]
fn help(#[case] arguments: &[&str]) {
    let ran = Place::new().run(arguments);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    insta::assert_snapshot!(arguments.join("_").replace("--", ""), ran.out);
}

#[test]
fn the_version_is_told() {
    let ran = Place::new().run(&["--version"]);
    assert_eq!((ran.code, ran.out), (0, format!("ramal {}\n", env!("CARGO_PKG_VERSION"))));
}
