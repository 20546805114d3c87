//! Every limit of a call, exceeded. `// exceeds: name` says which; those that need a machine to exceed them are
//! in `machine`, those about seals in `seals`, the time of a request in `answers`.

use ramal_capability::{Authority, Limits, Rule, Subject};
use ramal_engine::{CallError, Stop};
use rstest::rstest;
use serde_json::{Value, json};

use super::crm::{Answer, Crm, Gate};
use super::host::{Host, ask, authority, rule_in};
use super::{people, wasm_text};

fn find() -> Value {
    json!({"route": "find", "params": [["phone", "$0"]]})
}

#[test]
fn every_limit_has_a_test_that_exceeds_it() {
    let sources = [
        include_str!("answers.rs"),
        include_str!("limits.rs"),
        include_str!("machine.rs"),
        include_str!("seals.rs"),
    ];
    for limit in Limits::ALL {
        let mark = format!("// exceeds: {}\n", limit.name);
        assert!(sources.iter().any(|source| source.contains(&mark)), "nothing exceeds {}", limit.name);
    }
}

#[tokio::test]
async fn memory_time_and_copied_bytes() {
    // exceeds: memory_bytes
    // exceeds: cpu_ms
    // exceeds: hostcall_bytes
    let host = Host::open().await;
    let bomb = host.animal("memory-bomb").granted(|g| g.limits.memory_bytes = Some(8 << 20)).let_out().await;
    assert_eq!(bomb.stop(), Some(Stop::Memory));
    assert!(bomb.report.memory_bytes <= 8 << 20);
    let spinner = host.animal("infinite-loop").granted(|g| g.limits.cpu_ms = Some(20)).let_out().await;
    assert_eq!((spinner.stop(), spinner.report.cpu_ms), (Some(Stop::CpuTime), 21));
    let shouter =
        host.animal("giant-line").granted(|g| g.limits.hostcall_bytes = Some(10_000)).number(20_000);
    assert_eq!(shouter.let_out().await.stop(), Some(Stop::HostcallBytes));
    let whisperer =
        host.animal("giant-line").granted(|g| g.limits.hostcall_bytes = Some(10_000)).number(5_000);
    assert_eq!(whisperer.let_out().await.code(), "ok");
}

#[tokio::test]
async fn copied_bytes_are_counted_for_one_host_call_and_not_for_all() {
    let host = Host::open().await;
    let visited = host
        .animal("store-filler")
        .number(9_000)
        .granted(|g| g.limits.hostcall_bytes = Some(10_000))
        .let_out()
        .await;
    assert_eq!(
        visited.code(),
        "permanent",
        "a hundred calls of 9 kB each are as many as one: {}",
        visited.error()
    );
}

#[tokio::test]
async fn instances() {
    // exceeds: instances
    let host = Host::open().await;
    let visited = host.animal("tame").granted(|g| g.limits.instances = Some(1)).let_out().await;
    assert_eq!(visited.stop(), Some(Stop::Memory), "{}", visited.error());
}

#[tokio::test]
async fn elements_of_tables_at_the_start() {
    // exceeds: table_elements
    let host = Host::open().await;
    let wasm = wasm_text::find_with_realloc("(table 5000 funcref)", "i32.const 1024");
    let visited = host.animal("none").wasm(wasm).granted(|g| {
        g.routes.clear();
        g.limits.table_elements = Some(4_000);
    });
    assert_eq!(visited.let_out().await.stop(), Some(Stop::Memory));
}

#[tokio::test]
async fn requests_of_a_call() {
    // exceeds: requests
    let host = Host::open().await;
    let visited = host.animal("flooder").number(100).granted(|g| g.limits.requests = Some(3)).let_out().await;
    assert_eq!((visited.took("sent").as_str(), visited.lines().len()), ("3", 3));
    insta::assert_snapshot!(visited.took("answer"), @"denied (quota): asked for one more request; granted: 3 requests in a call; to allow it, add to grant.toml under [limits]: requests = 6");
    let visited = host.animal("crowd").number(5).granted(|g| g.limits.requests = Some(3)).let_out().await;
    let answers = visited.took("answer");
    let denied = answers.lines().filter(|line| rule_in(line) == Some("quota")).count();
    assert_eq!((denied, visited.lines().len()), (2, 3), "{answers}");
}

#[tokio::test]
async fn requests_at_once() {
    // exceeds: parallel_requests
    let host = Host::open().await;
    let gate = Gate::closed();
    let held = gate.clone();
    host.crm.answers(move |_| Answer::json(200, &people::found()).held_by(&held));
    let cage = host.animal("crowd").number(6).granted(|g| g.limits.parallel_requests = Some(2));
    let plugin = cage.load().await.unwrap();
    // Elsewhere, so that its requests are not counted among those of the crowd.
    let other = Crm::start().await;
    let neighbour = host.animal("tame").server(&other.origin()).load().await.unwrap();
    let watch = async {
        for _ in 0..3 {
            gate.arrived(2).await;
            // While the two wait, a whole call goes there and back: time enough for a third request.
            neighbour.call(authority(), ask(&[people::PHONE.into()])).await.outcome.unwrap();
            assert_eq!(gate.waiting(), 0, "more requests at once than are granted");
            gate.open(2);
        }
    };
    let (called, ()) = tokio::join!(plugin.call(authority(), ask(&[people::PHONE.into()])), watch);
    assert_eq!(host.watched(called).await.lines().len(), 6);
}

#[rstest]
#[case::parameter(json!({"route": "find", "params": [["phone", "x".repeat(2_000)]]}))]
#[case::encoded_parameter(json!({"route": "find", "params": [["phone", "ü".repeat(450)]]}))]
#[case::body(json!({"route": "note", "body": json!({"text": "x".repeat(2_000)}).to_string()}))]
#[tokio::test]
async fn bytes_of_a_request(#[case] request: Value) {
    // exceeds: request_bytes
    let host = Host::open().await;
    let visited = host
        .animal("parrot")
        .asked_to(&request)
        .granted(|g| g.limits.request_bytes = Some(1_000))
        .let_out()
        .await;
    assert_eq!((visited.rule(), visited.lines().len()), (Some("quota"), 0), "{}", visited.error());
}

#[tokio::test]
async fn bytes_of_all_requests() {
    // exceeds: total_out_bytes
    let host = Host::open().await;
    let visited =
        host.animal("flooder").number(10).granted(|g| g.limits.total_out_bytes = Some(100)).let_out().await;
    // 36 bytes each.
    assert_eq!((visited.took("sent").as_str(), visited.lines().len()), ("2", 2));
    assert_eq!(rule_in(&visited.took("answer")), Some("quota"));
}

#[tokio::test]
async fn bytes_of_an_answer() {
    // exceeds: answer_bytes
    let host = Host::open().await;
    host.crm.answers(|_| Answer::json(200, &json!({"total": 1, "filling": "x".repeat(2_000)})));
    let visited = host
        .animal("parrot")
        .asked_to(&find())
        .granted(|g| g.limits.answer_bytes = Some(1_000))
        .let_out()
        .await;
    assert_eq!((visited.took("answer").as_str(), visited.lines().len()), ("too large", 1));
}

#[rstest]
#[case::one_after_the_other("flooder")]
#[case::side_by_side("crowd")]
#[tokio::test]
async fn bytes_of_all_answers(#[case] animal: &str) {
    // exceeds: total_in_bytes
    let host = Host::open().await;
    host.crm.answers(|_| Answer::json(200, &json!({"total": 1, "filling": "x".repeat(900)})));
    let visited =
        host.animal(animal).number(5).granted(|g| g.limits.total_in_bytes = Some(2_000)).let_out().await;
    let answers = visited.took("answer");
    assert_eq!(answers.lines().last(), Some("too large"), "{answers}");
    assert!(visited.report.rules.bytes_in <= 2_000 || animal == "crowd", "{}", visited.report.rules.bytes_in);
    if animal == "crowd" {
        assert_eq!(answers.lines().filter(|line| line.starts_with("200 ")).count(), 2, "{answers}");
    }
}

// Each answer used to be read under the cap that was left when all requests were prepared.
#[tokio::test]
async fn bytes_of_all_answers_side_by_side_are_not_even_read() {
    let host = Host::open().await;
    host.crm.answers(|_| Answer::json(200, &json!({"total": 1, "filling": "x".repeat(900)})));
    let cage = host.animal("crowd").number(10).granted(|g| {
        g.limits.total_in_bytes = Some(2_000);
        g.limits.parallel_requests = Some(1);
    });
    cage.let_out().await;
    let read: u64 = host.ledger.rows().iter().take(10).map(|row| row.bytes_in).sum();
    assert!(read <= 3_000, "2,000 bytes are granted and {read} were read");
}

#[rstest]
#[case::listed(json!({"items": [{"id": {"a": {"b": 1}}}]}))]
#[case::dropped(json!({"more": [[[[1]]]]}))]
#[tokio::test]
async fn depth_of_an_answer(#[case] answer: Value) {
    // exceeds: json_depth
    let host = Host::open().await;
    host.crm.answers(move |_| Answer::json(200, &answer));
    let visited =
        host.animal("parrot").asked_to(&find()).granted(|g| g.limits.json_depth = Some(4)).let_out().await;
    assert_eq!((visited.took("answer").as_str(), visited.code()), ("too large", "permanent"));
}

#[tokio::test]
async fn bytes_of_a_result() {
    // exceeds: result_bytes
    let host = Host::open().await;
    let visited = host
        .animal("giant-result")
        .number(2_000)
        .granted(|g| g.limits.result_bytes = Some(1_000))
        .let_out()
        .await;
    assert!(matches!(visited.outcome, Err(CallError::ResultTooLarge(1_000))), "{}", visited.error());
}

#[tokio::test]
async fn calls_at_once() {
    // exceeds: calls_in_flight
    let host = Host::open().await;
    let gate = Gate::closed();
    let held = gate.clone();
    host.crm.answers(move |_| Answer::json(200, &people::found()).held_by(&held));
    let plugin = host.animal("tame").granted(|g| g.limits.calls_in_flight = Some(2)).load().await.unwrap();
    let call = || plugin.call(authority(), ask(&[people::PHONE.into()]));
    let (first, second, third) = tokio::join!(call(), call(), async {
        gate.arrived(2).await;
        let third = call().await;
        gate.open(2);
        third
    });
    assert!(first.outcome.is_ok() && second.outcome.is_ok());
    insta::assert_snapshot!(third.outcome.unwrap_err(), @"too many calls: the grant's calls-in-flight are used up; wait, or raise the limit in the grant");
    gate.open(1);
    assert!(call().await.outcome.is_ok(), "who left made room");
    host.still_serves().await;
}

#[tokio::test]
async fn calls_in_a_minute() {
    // exceeds: calls_per_minute
    let host = Host::open().await;
    let plugin = host.animal("tame").granted(|g| g.limits.calls_per_minute = Some(2)).load().await.unwrap();
    let call = || plugin.call(authority(), ask(&[people::PHONE.into()]));
    assert!(call().await.outcome.is_ok() && call().await.outcome.is_ok());
    insta::assert_snapshot!(call().await.outcome.unwrap_err(), @"too many calls: the grant's calls-per-minute are used up; wait, or raise the limit in the grant");
    assert_eq!(host.crm.asked().len(), 2);
    host.still_serves().await;
}

#[rstest]
#[case::hour(Some(2), None)]
#[case::day(None, Some(2))]
#[tokio::test]
async fn people_in_an_hour_and_in_a_day(#[case] hour: Option<u64>, #[case] day: Option<u64>) {
    // exceeds: subjects_per_hour
    // exceeds: subjects_per_day
    let host = Host::open().await;
    let cage = host.animal("tame").granted(|g| {
        g.limits.subjects_per_hour = hour;
        g.limits.subjects_per_day = day;
    });
    let plugin = cage.load().await.unwrap();
    let about = async |who: &str| {
        let who = Authority { subject: Some(Subject(who.to_owned())), ..authority() };
        plugin.call(who, ask(&[people::PHONE.into()])).await.outcome.map_err(|error| match error {
            CallError::Denied(denial) => denial.rule,
            other => panic!("{other}"),
        })
    };
    for who in ["s-1", "s-2", "s-1", "s-2"] {
        assert!(about(who).await.is_ok(), "the same people again are no more people");
    }
    assert_eq!(about("s-3").await.unwrap_err(), Rule::Subjects);
    assert_eq!(about("s-1").await.unwrap_err(), Rule::Suspended, "it stays out until a person decides");
    assert!(plugin.is_resting());
    assert_eq!(host.crm.asked().len(), 4);
    plugin.resume();
    assert!(about("s-1").await.is_ok());
    host.still_serves().await;
}

#[tokio::test]
async fn lines_of_a_call_and_characters_of_a_line() {
    // exceeds: log_lines
    // exceeds: log_line_chars
    let host = Host::open().await;
    let visited = host
        .animal("log-flood")
        .number(10_000)
        .told("x".repeat(1_000))
        .granted(|g| {
            g.limits.log_lines = Some(3);
            g.limits.log_line_chars = Some(40);
            g.limits.cpu_ms = Some(5_000);
        })
        .let_out()
        .await;
    assert_eq!((visited.code(), visited.report.log_lines), ("ok", 10_000));
    insta::assert_snapshot!(host.lines.all().join("\n"), @r"
    line 0 and a second one xxxxxxxxxxxxxxxx…
    line 1 and a second one xxxxxxxxxxxxxxxx…
    line 2 and a second one xxxxxxxxxxxxxxxx…
    more lines than the grant allows; the rest of this call is not logged
    ");
}

#[rstest]
#[case::entries("store-hoarder", 1)]
#[case::bytes("store-filler", 100)]
#[tokio::test]
async fn entries_and_bytes_of_the_store(#[case] animal: &str, #[case] size: u64) {
    // exceeds: store_entries
    // exceeds: store_bytes
    let host = Host::open().await;
    let cage = host.animal(animal).number(size).granted(|g| {
        g.limits.store_entries = Some(10);
        g.limits.store_bytes = Some(512);
    });
    let visited = cage.let_out().await;
    // `k0` and 100 bytes each: five are 510.
    let expected = if size == 1 { "full after 10" } else { "full after 5" };
    assert_eq!((visited.code(), visited.error().as_str()), ("permanent", expected));
}

#[tokio::test]
async fn bytes_of_a_stored_value() {
    // exceeds: store_value_bytes
    let host = Host::open().await;
    let visited = host
        .animal("store-giant")
        .number(101)
        .granted(|g| g.limits.store_value_bytes = Some(100))
        .let_out()
        .await;
    assert_eq!((visited.code(), visited.error().as_str()), ("permanent", "a value has at most 100 bytes"));
    assert!(host.kept().is_empty());
}
