//! What comes back, and what of it is believed.

use std::time::Duration;

use ramal_capability::EgressFailure;
use ramal_ledger::Outcome;
use rstest::rstest;
use tokio::time::Instant;

use crate::bench::{Setup, begin, find_call, get_call, soon};
use crate::crm::{Answer, Crm, Raw, Then, answer};

#[tokio::test]
async fn a_reply_is_projected_and_its_names_are_sealed() {
    let crm =
        Crm::answers(|_| answer(200, r#"{"id":"c-1","name":"Maria da Silva","secret":"not listed"}"#)).await;
    let reply = Setup::at(crm.address).bench().find().await.unwrap();
    let body: serde_json::Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!((reply.status, &body["id"]), (200, &"c-1".into()));
    assert!(body["name"].as_str().unwrap().starts_with("sealed_"), "{body}");
    assert!(body.get("secret").is_none());
}

#[tokio::test]
async fn the_wire_holds_what_the_host_wrote_and_nothing_else() {
    let crm = Crm::finds().await;
    Setup::at(crm.address).bench().find().await.unwrap();
    let seen = &crm.seen()[0];
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", "/find?limit=1"));
    assert_eq!(seen.body, r#"{"phone":"+5511987654321"}"#);
    let mut headers: Vec<_> =
        seen.headers.iter().map(|(n, v)| format!("{n}: {}", v.to_str().unwrap())).collect();
    headers.sort();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        headers,
        [
            "accept-encoding: identity".to_owned(),
            "accept: application/json".to_owned(),
            "content-length: 26".to_owned(),
            "content-type: application/json".to_owned(),
            format!("host: crm.test:{}", crm.address.port()),
            format!("user-agent: Ramal/{version}"),
        ]
    );
}

fn html(status: u16) -> Answer {
    answer(status, "<h1>Maria da Silva</h1>").with("content-type", "text/html")
}

#[rstest]
#[case::redirect(answer(302, "").with("location", "http://127.0.0.1:1/"), "unavailable: redirect refused: the CRM answered 302")]
#[case::moved(answer(308, "{}").with("location", "/elsewhere"), "unavailable: redirect refused: the CRM answered 308")]
#[case::expired(answer(401, "{}"), "the credential is missing or no longer accepted")]
#[case::proxy(answer(407, "{}"), "unavailable: the CRM answered 407: a proxy stands before it")]
#[case::broken(html(500), "unavailable: the CRM answered 500")]
#[case::gateway(html(502), "unavailable: the CRM answered 502")]
#[case::gzip(answer(200, "\u{1f}").with("content-encoding", "gzip"), "unavailable: the answer is compressed although that was not offered")]
#[case::html(html(200), "unavailable: the answer is not JSON")]
#[case::no_type(answer(200, "{}").without_type(), "unavailable: the answer is not JSON")]
#[tokio::test]
async fn refused_answers_say_why_without_the_crms_words(#[case] given: Answer, #[case] expected: &str) {
    let given = std::sync::Mutex::new(Some(given));
    let crm = Crm::answers(move |_| given.lock().unwrap().take().unwrap()).await;
    let bench = Setup::at(crm.address).bench();
    assert_eq!(bench.find().await.unwrap_err().to_string(), expected);
    assert_eq!(crm.seen().len(), 1, "sent once, and nowhere else");
    assert_eq!(bench.ledger.rows()[0].outcome, Outcome::SentAnswered);
}

#[rstest]
#[case::seconds(429, "120", Some(120))]
#[case::date(429, "Tue, 31 Dec 2999 23:59:59 GMT", Some(3600))]
#[case::unavailable(503, "7", Some(7))]
#[case::words(429, "later", None)]
#[tokio::test]
async fn a_busy_crm_says_when_to_come_back(
    #[case] status: u16,
    #[case] after: &'static str,
    #[case] expected: Option<u32>,
) {
    let crm = Crm::answers(move |_| answer(status, "{}").with("retry-after", after)).await;
    let failure = Setup::at(crm.address).bench().find().await.unwrap_err();
    assert_eq!(failure, EgressFailure::RateLimited(expected));
}

#[rstest]
#[case::json(answer(404, r#"{"message":"Maria da Silva is not here"}"#))]
#[case::html(html(404))]
#[case::empty(answer(422, ""))]
#[tokio::test]
async fn a_refusal_of_the_crm_is_a_reply_with_its_status_alone(#[case] given: Answer) {
    let given = std::sync::Mutex::new(Some(given));
    let crm = Crm::answers(move |_| given.lock().unwrap().take().unwrap()).await;
    let reply = Setup::at(crm.address).bench().find().await.unwrap();
    assert!((400..500).contains(&reply.status));
    assert_eq!(reply.body, "{}");
}

#[rstest]
#[case::no_content(answer(204, "").without_type())]
#[case::empty(answer(200, "").without_type())]
#[case::empty_json(answer(201, ""))]
#[tokio::test]
async fn an_empty_success_is_an_empty_object(#[case] given: Answer) {
    let given = std::sync::Mutex::new(Some(given));
    let crm = Crm::answers(move |_| given.lock().unwrap().take().unwrap()).await;
    assert_eq!(Setup::at(crm.address).bench().find().await.unwrap().body, "{}");
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";

#[rstest]
#[case::declared_too_large(format!("{OK}content-length: 9999999\r\n\r\n"), Then::Hold, EgressFailure::TooLarge)]
#[case::endless(format!("{OK}\r\n"), Then::Flood, EgressFailure::TooLarge)]
#[case::header_flood(format!("{OK}{}\r\n", "x-a: b\r\n".repeat(200)), Then::Hold, EgressFailure::TooLarge)]
#[case::huge_header(format!("{OK}x-a: {}\r\n\r\n", "b".repeat(200_000)), Then::Hold, EgressFailure::TooLarge)]
#[case::truncated(format!("{OK}content-length: 30\r\n\r\n{{\"id\""), Then::Close, unavailable("the answer broke off"))]
#[case::half_closed(format!("{OK}content-length: 30\r\n\r\n{{\"id\""), Then::HalfClose, unavailable("the answer broke off"))]
#[case::bad_chunk(format!("{OK}transfer-encoding: chunked\r\n\r\nzz\r\n"), Then::Hold, unavailable("the answer broke off"))]
#[case::two_lengths(format!("{OK}content-length: 2\r\ncontent-length: 30\r\n\r\n{{}}"), Then::Hold, broke())]
#[case::not_http("SSH-2.0-OpenSSH\r\n\r\n".to_owned(), Then::Hold, broke())]
#[case::nothing(String::new(), Then::Close, broke())]
#[case::upgrade("HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n".to_owned(), Then::Hold, unavailable("the CRM answered 101"))]
#[tokio::test]
async fn nasty_bytes_end_in_a_typed_failure(
    #[case] bytes: String,
    #[case] then: Then,
    #[case] expected: EgressFailure,
) {
    let raw = Raw::writes(bytes, then).await;
    let bench = Setup::at(raw.address).bench();
    assert_eq!(bench.find().await.unwrap_err(), expected);
    assert_eq!(bench.ledger.rows().len(), 1, "it left, whatever came back");
}

fn unavailable(text: &str) -> EgressFailure {
    EgressFailure::Unavailable(text.to_owned())
}
fn broke() -> EgressFailure {
    unavailable("the connection broke before an answer came")
}

#[tokio::test]
async fn a_body_that_ends_with_the_connection_is_whole() {
    let raw = Raw::writes(format!("{OK}\r\n{{\"id\":\"c-1\"}}"), Then::Close).await;
    assert_eq!(Setup::at(raw.address).bench().find().await.unwrap().body, r#"{"id":"c-1"}"#);
}

#[tokio::test]
async fn an_answer_one_byte_over_the_granted_size_is_too_large() {
    for (bytes, ok) in [(64, true), (65, false)] {
        let body = format!(r#"{{"id":"c-1","pad":"{}"}}"#, "x".repeat(bytes - 21));
        assert_eq!(body.len(), bytes);
        let crm = Crm::answers(move |_| answer(200, &body)).await;
        let bench = Setup::at(crm.address).limits("answer-bytes = 64").bench();
        assert_eq!(bench.find().await.is_ok(), ok, "{bytes}");
    }
}

/// Waits for the server's first bytes, stops the clock, and tells the failure and the time until it came.
async fn stalled(setup: Setup, raw: &Raw, idle: u64) -> (EgressFailure, Duration, Outcome) {
    let bench = setup.bench_with(|b| b.idle_timeout(Duration::from_secs(idle)));
    let mut inv = begin(&bench.plan);
    let call = find_call(&mut inv);
    let watch = async {
        raw.written.notified().await;
        tokio::time::pause();
        Instant::now()
    };
    let (result, began) = tokio::join!(bench.egress.send(&mut inv, &call, soon()), watch);
    (result.unwrap_err(), began.elapsed(), bench.ledger.rows()[0].outcome)
}

#[tokio::test]
async fn a_server_that_never_answers_is_left_when_the_grants_time_is_over() {
    let raw = Raw::writes("", Then::Hold).await;
    let (failure, took, outcome) =
        stalled(Setup::at(raw.address).limits("request-ms = 5000"), &raw, 60).await;
    assert_eq!((failure, outcome), (EgressFailure::Timeout, Outcome::SentFailed));
    assert!(took <= Duration::from_secs(6), "{took:?}");
}

#[tokio::test]
async fn a_body_that_falls_silent_is_left_before_the_grants_time_is_over() {
    let raw = Raw::writes(format!("{OK}content-length: 30\r\n\r\n{{"), Then::Hold).await;
    let (failure, took, outcome) =
        stalled(Setup::at(raw.address).limits("request-ms = 30000"), &raw, 2).await;
    assert_eq!((failure, outcome), (EgressFailure::Timeout, Outcome::SentFailed));
    assert!(took <= Duration::from_secs(3), "{took:?}");
}

#[tokio::test]
async fn a_slow_drip_does_not_outlast_the_grants_time() {
    let raw = Raw::writes(format!("{OK}\r\n{{"), Then::Drip).await;
    let (failure, took, _) = stalled(Setup::at(raw.address).limits("request-ms = 5000"), &raw, 3).await;
    assert_eq!(failure, EgressFailure::Timeout);
    assert!((Duration::from_secs(4)..=Duration::from_secs(6)).contains(&took), "{took:?}");
}

#[tokio::test]
async fn a_deadline_of_the_whole_call_comes_before_the_grants_time() {
    let raw = Raw::writes("", Then::Hold).await;
    let bench = Setup::at(raw.address).limits("request-ms = 30000").bench();
    let mut inv = begin(&bench.plan);
    let call = find_call(&mut inv);
    let deadline = Instant::now() + Duration::from_secs(3);
    let watch = async {
        raw.written.notified().await;
        tokio::time::pause();
        Instant::now()
    };
    let (result, began) = tokio::join!(bench.egress.send(&mut inv, &call, deadline), watch);
    assert_eq!(result.unwrap_err(), EgressFailure::Timeout);
    assert!(began.elapsed() <= Duration::from_secs(4));
}

#[tokio::test]
async fn several_requests_are_answered_in_their_order_and_a_denied_one_holds_back_none() {
    let crm = Crm::answers(|seen| {
        let id = seen.target.rsplit('/').next().unwrap();
        answer(200, &format!(r#"{{"id":"{id}"}}"#))
    })
    .await;
    let bench = Setup::at(crm.address).limits("parallel-requests = 2").bench();
    let mut inv = begin(&bench.plan);
    let unknown = ramal_capability::EgressCall { route: "none".to_owned(), ..get_call("x") };
    let calls = vec![get_call("a"), unknown, get_call("b"), get_call("c"), get_call("d")];
    let replies = bench.egress.send_all(&mut inv, calls, soon()).await;
    let told: Vec<_> = replies
        .into_iter()
        .map(|r| match r {
            Ok(reply) => reply.body,
            Err(EgressFailure::Denied(denial)) => denial.rule.code().to_owned(),
            Err(other) => panic!("{other}"),
        })
        .collect();
    assert_eq!(told, [r#"{"id":"a"}"#, "unknown-route", r#"{"id":"b"}"#, r#"{"id":"c"}"#, r#"{"id":"d"}"#]);
    assert_eq!(bench.ledger.rows().len(), 4);
    assert!(crm.accepts() <= 2, "no more at once than granted: {}", crm.accepts());
}
