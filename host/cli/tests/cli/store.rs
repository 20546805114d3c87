//! `ramal store`: an operator looks after the database.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::Place;

const CONFIG: &str = r#"
data = "data"
[[tenant]]
id = "acme"
[[tenant.token]]
id = "panel"
token = "only-for-this-test-0000000000000"
"#;

fn place() -> Place {
    let place = Place::new();
    place.put("ramal.toml", CONFIG);
    fs::create_dir(place.path().join("data")).unwrap();
    place
}

#[test]
fn a_database_is_made_checked_copied_and_put_back() {
    let place = place();
    assert_eq!(place.run(&["store", "migrate"]).code, 0);
    let checked = place.run(&["store", "check"]);
    assert_eq!((checked.code, checked.err.as_str()), (0, ""));
    assert!(checked.out.contains("sound: every row is what its events make"), "{}", checked.out);

    let copied = place.run(&["store", "backup", "copy.sqlite"]);
    assert_eq!((copied.code, copied.err.as_str()), (0, ""));
    let mode = fs::metadata(place.path().join("copy.sqlite")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let back = place.run(&["store", "restore", "copy.sqlite"]);
    assert_eq!((back.code, back.err.as_str()), (0, ""));
    assert!(back.out.contains("what was there is kept in data/ramal.sqlite.before-"), "{}", back.out);
    assert_eq!(place.run(&["store", "check"]).code, 0);
}

#[test]
fn what_cannot_be_done_is_said_with_what_to_do() {
    let place = place();
    let none = place.run(&["store", "check"]);
    assert_eq!(none.code, 5);
    assert!(none.err.contains("there is no database at"), "{}", none.err);
    assert!(!place.path().join("data/ramal.sqlite").exists(), "a check makes no database");

    place.run(&["store", "migrate"]);
    place.put("there.sqlite", "something else");
    let there = place.run(&["store", "backup", "there.sqlite"]);
    assert_eq!(there.code, 3);
    assert!(there.err.contains("is there already"), "{}", there.err);
    assert_eq!(place.read("there.sqlite"), "something else");

    let before = fs::read(place.path().join("data/ramal.sqlite")).unwrap();
    let wrong = place.run(&["store", "restore", "there.sqlite"]);
    assert_ne!(wrong.code, 0);
    assert_eq!(fs::read(place.path().join("data/ramal.sqlite")).unwrap(), before);

    place.put("server.toml", format!("postgres.url = \"postgres://127.0.0.1:1/x\"\n{CONFIG}"));
    let server = place.run(&["store", "backup", "x.sqlite", "--config", "server.toml"]);
    assert_eq!(server.code, 2);
    assert!(server.err.contains("pg_dump"), "{}", server.err);
}
