//! A made-up day against a host that runs, and the inventory of what came. Everybody is invented.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::Place;

const CONFIG: &str = r#"
listen = "127.0.0.1:0"
data = "data"
[[tenant]]
id = "acme"
[[tenant.token]]
id = "panel"
token = "only-for-this-test-0000000000000"
[[tenant.source]]
id = "pbx"
secret = "only-for-this-test-1111111111111"
"#;

/// A host on a port that the system chose. Ends with the test.
struct Host {
    child: Child,
    origin: String,
}

impl Host {
    fn start(place: &Place) -> Self {
        place.put("ramal.toml", CONFIG);
        let mut command = place.ramal(&["run"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let panel = lines.map(Result::unwrap).find(|line| line.trim_start().starts_with("panel")).unwrap();
        let origin = panel.split_whitespace().last().unwrap().to_owned();
        Self { child, origin }
    }

    fn stop(&mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_day_of_500_calls_is_taken_once_and_the_histories_are_sound() {
    let place = Place::new();
    let mut host = Host::start(&place);
    let day = ["simulate", "--to", host.origin.as_str(), "--calls", "500", "--seed", "5", "--json"];
    let (code, told) = place.json(&day);
    assert_eq!(code, 0, "{told}");
    let events = told["events"].as_u64().unwrap();
    assert!((1200..1500).contains(&events), "{told}");
    assert_eq!(
        (&told["accepted"], &told["repeated"], &told["refused"]),
        (&events.into(), &0.into(), &0.into())
    );
    // The same day again is known, to the last event.
    let (code, again) = place.json(&day);
    assert_eq!((code, &again["repeated"], &again["accepted"]), (0, &events.into(), &0.into()), "{again}");
    host.stop();

    let checked = place.run(&["store", "check"]);
    assert_eq!(checked.code, 0, "{}", checked.err);
    assert!(checked.out.contains(&format!("500 interactions, {events} events")), "{}", checked.out);
    let (code, channels) = place.json(&["channels", "--json"]);
    assert_eq!((code, &channels[0]["tenant"]), (0, &"acme".into()));
    let pbx = &channels[0]["channels"][0];
    assert_eq!((&pbx["channel"], &pbx["last_30_days"]["fixed"]), (&"pbx".into(), &500.into()), "{pbx}");
    assert_eq!(pbx["lines"], serde_json::json!(["+551131110001", "+551131110002"]));
    let page = place.run(&["channels"]);
    assert_eq!((page.code, page.err.as_str()), (0, ""));
    assert!(page.out.contains("what they collect"), "{}", page.out);
}

#[test]
fn a_simulation_speaks_to_this_machine_only() {
    let place = Place::new();
    place.put("ramal.toml", CONFIG);
    let ran = place.run(&["simulate", "--to", "https://ramal.example", "--calls", "1"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("https://ramal.example is not this machine"), "{}", ran.err);
    let none = place.run(&["simulate", "--source", "fax"]);
    assert_eq!(none.code, 2);
    assert!(none.err.contains("the configuration has no such source"), "{}", none.err);
}
