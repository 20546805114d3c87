//! CRMs that answer what they should not: what was asked given back in another dress, more than anybody can
//! hold, nothing at all, or an order to go elsewhere.

use std::time::Duration;

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use ramal_engine::{CallError, PluginError};
use ramal_ledger::Outcome;
use rstest::rstest;
use serde_json::{Value, json};

use super::crm::{Answer, Crm};
use super::host::{Cage, Host, Visited, With};
use super::people::{self, DOCUMENT, EMAIL, NAME, PHONE, TOKEN};

/// Sends the number (and the name, of which only people know) to a CRM that answers this.
async fn answered(answer: impl Fn() -> Answer + Send + Sync + 'static) -> (Host, Visited) {
    answered_to(Host::open().await, |cage| cage, answer).await
}

async fn answered_to(
    host: Host,
    change: impl FnOnce(Cage<'_>) -> Cage<'_>,
    answer: impl Fn() -> Answer + Send + Sync + 'static,
) -> (Host, Visited) {
    host.crm.answers(move |_| answer());
    let request = json!({"route": "find", "params": [["phone", "$0"]]});
    let visited = change(host.animal("parrot").asked_to(&request)).let_out().await;
    assert_eq!(
        visited.lines(),
        ["GET /api/contacts?phone=%2B5511900000021"],
        "one request, whatever was answered"
    );
    (host, visited)
}

fn items(fields: Value) -> Value {
    json!({"total": 1, "items": [fields]})
}

const NOTHING: &str = r#"200 {"total":1,"items":[{}]}"#;

// === Echoes ===

#[rstest]
#[case::plain(json!({"id": "5511900000021"}))]
#[case::with_words(json!({"id": "tel-5511900000021-x"}))]
#[case::national(json!({"id": "11-90000-0021"}))]
#[case::part(json!({"id": "11900000021"}))]
#[case::number(json!({"id": 5_511_900_000_021_u64}))]
#[case::int(json!({"count": 11_900_000_021_u64}))]
#[case::int_negative(json!({"count": -11_900_000_021_i64}))]
#[case::money(json!({"amount": "11900000021"}))]
#[case::money_with_cents(json!({"amount": "11900000021.00"}))]
#[case::money_with_a_point(json!({"amount": "5511900000.021"}))]
#[case::base64(json!({"id": BASE64_NOPAD.encode(PHONE.as_bytes())}))]
#[case::base64url(json!({"id": BASE64URL_NOPAD.encode(PHONE.as_bytes())}))]
#[case::base64_of_digits(json!({"id": BASE64URL_NOPAD.encode(b"5511900000021")}))]
#[case::base64_in_a_page(json!({"page": format!("https://crm.example/?n={}", BASE64.encode(PHONE.as_bytes()))}))]
#[case::hex(json!({"id": HEXLOWER.encode(PHONE.as_bytes())}))]
#[case::hex_in_capitals(json!({"id": HEXUPPER.encode(PHONE.as_bytes())}))]
#[case::hex_in_a_page(json!({"page": format!("https://crm.example/{}", HEXLOWER.encode(PHONE.as_bytes()))}))]
#[case::percent(json!({"page": "https://crm.example/?n=%2B5511900000021"}))]
#[case::percent_all(json!({"page": format!("https://crm.example/{}", PHONE.bytes().map(|b| format!("%{b:02X}")).collect::<String>())}))]
#[case::reversed(json!({"id": "1200000091155"}))]
#[case::reversed_in_a_page(json!({"page": "https://crm.example/1200000091155"}))]
#[case::instant(json!({"changed": "5511-09-00T00:00:21Z"}))]
#[tokio::test]
async fn a_number_that_comes_back_in_another_dress_is_withheld(#[case] fields: Value) {
    let (_, visited) = answered(move || Answer::json(200, &items(fields.clone()))).await;
    assert_eq!(visited.took("answer"), NOTHING);
    assert_eq!(visited.report.rules.withheld + visited.report.rules.misfits, 1);
}

#[rstest]
#[case::plain(json!({"page": "https://crm.example/Ana%20Lima%20Inventada"}))]
#[case::re_cased(json!({"page": "https://crm.example/ANA%20LIMA%20INVENTADA"}))]
#[case::joined(json!({"id": "AnaLimaInventada"}))]
#[case::with_dashes(json!({"id": "ana-lima-inventada"}))]
#[case::with_points(json!({"id": "Ana.Lima.Inventada"}))]
#[case::with_lines(json!({"page": "https://crm.example/ana_lima_inventada"}))]
#[case::reversed(json!({"page": "https://crm.example/adatnevnI%20amiL%20anA"}))]
#[case::reversed_with_dashes(json!({"id": "adatnevni-amil-ana"}))]
#[case::base64(json!({"id": BASE64URL_NOPAD.encode(NAME.as_bytes())}))]
#[case::base64_of_capitals(json!({"id": BASE64URL_NOPAD.encode(NAME.to_uppercase().as_bytes())}))]
#[case::hex(json!({"id": HEXLOWER.encode(NAME.as_bytes())}))]
#[tokio::test]
async fn a_name_that_comes_back_in_another_dress_is_withheld(#[case] fields: Value) {
    let host = Host::open().await;
    host.crm.answers(move |_| Answer::json(200, &items(fields.clone())));
    let request = json!({"route": "find", "params": [["phone", "$0"]]});
    let cage = host.animal("parrot").asked_to(&request).handed(&[NAME]);
    let visited = cage.let_out().await;
    assert_eq!(visited.lines(), ["GET /api/contacts?phone=Ana%20Lima%20Inventada"]);
    assert_eq!(visited.took("answer"), NOTHING);
    assert_eq!(visited.report.rules.withheld, 1);
}

#[rstest]
#[case::over_items(json!({"items": [{"count": 551}, {"count": 190}, {"count": 0}, {"count": 0}, {"count": 0}, {"count": 0}, {"count": "0"}, {"count": 21}]}))]
#[case::over_ids(json!({"items": [{"id": "551"}, {"id": "190"}, {"id": "0000"}, {"id": "021"}]}))]
#[case::over_fields(json!({"items": [{"id": "5511", "count": 9000, "amount": "00021"}]}))]
#[case::backwards(json!({"items": [{"id": "1200"}, {"id": "000"}, {"id": "091"}, {"id": "155"}]}))]
#[case::one_digit_each(json!({"items": "5511900000021".chars().map(|c| json!({"id": c.to_string()})).collect::<Vec<_>>()}))]
#[case::between_numbered_items(json!({"items": [
    {"id": "c-1", "count": 551}, {"id": "c-2", "count": 190}, {"id": "c-3", "amount": "000"}, {"id": "c-4", "amount": "0021"},
]}))]
#[tokio::test]
async fn a_number_that_comes_back_in_pieces_is_withheld(#[case] answer: Value) {
    let (_, visited) = answered(move || Answer::json(200, &answer.clone())).await;
    assert_eq!(visited.code(), "transient", "it received {}", visited.took("answer"));
    insta::allow_duplicates! {
        insta::assert_snapshot!(visited.took("answer"), @"unavailable: the answer spells a sealed value over its bounded fields; it was withheld");
    }
    assert_eq!(visited.report.rules.withheld, 1);
}

#[rstest]
#[case::in_listed_fields(
    json!({"total": 1, "items": [{"id": "c-7", "name": PHONE, "phone": NAME, "email": "sealed_contact.phone_AAAAAAAAAAAAAAAAAAAAAAAAAA"}]}),
    r#"200 {"total":1,"items":[{"id":"c-7","name":"‹contact.name›","phone":"‹contact.phone›","email":"‹contact.email›"}]}"#
)]
#[case::in_fields_that_are_not_listed(
    json!({"total": 1, "phone": PHONE, "items": [{"id": "c-7", "note": NAME, "Name": NAME, "items": [{"id": PHONE}]}], PHONE: "x"}),
    r#"200 {"total":1,"items":[{"id":"c-7"}]}"#
)]
#[case::in_fields_of_another_type(
    json!({"total": NAME, "items": [{"id": NAME, "count": EMAIL, "amount": DOCUMENT, "page": NAME, "changed": NAME, "born": PHONE, "state": NAME, "active": NAME}]}),
    r#"200 {"items":[{}]}"#
)]
#[case::in_shapes_of_another_kind(
    json!({"total": {"v": PHONE}, "items": [{"id": [PHONE], "name": {"first": NAME}, "phone": [PHONE]}]}),
    r#"200 {"items":[{}]}"#
)]
#[case::as_a_list_of_texts(json!({"items": [PHONE, NAME, 7, null]}), r#"200 {"items":[null,null,null,null]}"#)]
#[case::as_the_whole(json!(PHONE), "200 {}")]
#[case::as_a_number(json!({"items": [{"name": 5_511_900_000_021_u64, "phone": 5_511_900_000_021_u64}]}), r#"200 {"items":[{"name":"‹contact.name›","phone":"‹contact.phone›"}]}"#)]
#[tokio::test]
async fn what_is_not_listed_never_reaches_the_guest(#[case] answer: Value, #[case] expected: &str) {
    let (_, visited) = answered(move || Answer::json(200, &answer.clone())).await;
    assert_eq!(visited.took("answer"), expected);
}

#[rstest]
#[case::first_counts(r#"{"items":[{"id":"a","id":"b"}]}"#, r#"200 {"items":[{"id":"a"}]}"#)]
#[case::escaped_name(r#"{"items":[{"\u0069d":"a"}]}"#, r#"200 {"items":[{"id":"a"}]}"#)]
#[case::two_documents(r#"{"total":1}{"total":2}"#, "unavailable: the answer is no JSON (line 1, column 12)")]
#[case::not_a_number(r#"{"total":NaN}"#, "unavailable: the answer is no JSON (line 1, column 10)")]
#[case::enormous_number(r#"{"total":1e999}"#, "unavailable: the answer is no JSON (line 1, column 14)")]
#[case::number_beyond(r#"{"total":99999999999999999999999999}"#, "200 {}")]
#[case::lone_surrogate(
    r#"{"items":[{"name":"\ud800"}]}"#,
    "unavailable: the answer is no JSON (line 1, column 26)"
)]
#[case::cut(r#"{"items":[{"id":"a""#, "unavailable: the answer is no JSON (line 1, column 19)")]
#[case::html("<h1>Ana Lima Inventada</h1>", "unavailable: the answer is no JSON (line 1, column 1)")]
#[tokio::test]
async fn json_that_parsers_disagree_about_is_read_one_way(
    #[case] body: &'static str,
    #[case] expected: &str,
) {
    let (_, visited) = answered(move || Answer::typed(200, "application/json", body)).await;
    assert_eq!(visited.took("answer"), expected);
}

// === Credentials ===

#[rstest]
#[case::plain(TOKEN.to_owned())]
#[case::as_it_was_sent(format!("Bearer-{TOKEN}"))]
#[case::base64(BASE64URL_NOPAD.encode(TOKEN.as_bytes()))]
#[case::hex(HEXLOWER.encode(TOKEN.as_bytes()))]
#[case::reversed(TOKEN.chars().rev().collect())]
#[case::re_cased(TOKEN.to_uppercase())]
#[tokio::test]
async fn a_credential_that_the_crm_repeats_is_withheld(#[case] id: String) {
    let (_, visited) = answered(move || Answer::json(200, &items(json!({"id": id})))).await;
    assert_eq!(visited.took("answer"), NOTHING);
    assert_eq!(visited.report.rules.withheld, 1);
}

#[tokio::test]
async fn a_credential_in_an_error_reaches_nobody() {
    let error =
        json!({"code": "no-right", "id": TOKEN, "message": format!("{TOKEN} may not see {NAME} ({PHONE})")});
    let (host, visited) = answered(move || Answer::json(403, &error)).await;
    assert_eq!(visited.took("answer"), r#"403 {"code":"no-right"}"#);
    assert!(host.traces.text().contains("the CRM refused a request"), "operators must see that it did");
}

// === Statuses and heads ===

#[rstest]
#[case::permanent(301)]
#[case::found(302)]
#[case::see_other(303)]
#[case::again(307)]
#[case::again_for_ever(308)]
#[tokio::test]
async fn nobody_follows_to_another_host(#[case] status: u16) {
    let elsewhere = Crm::start().await;
    let target = format!("{}/api/contacts?phone=5511900000021", elsewhere.origin());
    let (_, visited) = answered(move || Answer::with(status, &[("Location", &target)], b"")).await;
    assert_eq!(visited.took("answer"), format!("unavailable: redirect refused: the CRM answered {status}"));
    assert!(elsewhere.asked().is_empty());
}

#[rstest]
#[case::no_right_any_more(Answer_(401, &[], ""), "auth expired", "auth-expired")]
#[case::wait(Answer_(429, &[("Retry-After", "7")], ""), "rate limited: Some(7)", "rate-limited")]
#[case::wait_a_year(Answer_(429, &[("Retry-After", "31536000")], ""), "rate limited: Some(3600)", "rate-limited")]
#[case::broken(Answer_(500, &[], "Ana Lima Inventada"), "unavailable: the CRM answered 500", "transient")]
#[case::proxy(Answer_(407, &[], ""), "unavailable: the CRM answered 407: a proxy stands before it", "transient")]
#[case::other_protocol(Answer_(101, &[("Upgrade", "evil"), ("Connection", "upgrade")], ""), "unavailable: the CRM answered 101", "transient")]
#[case::page(Answer_(200, &[("Content-Type", "text/html")], "<h1>Ana Lima Inventada</h1>"), "unavailable: the answer is not JSON", "transient")]
#[case::no_type(Answer_(200, &[], "{\"total\":1}"), "unavailable: the answer is not JSON", "transient")]
#[case::two_types(Answer_(200, &[("Content-Type", "application/json"), ("Content-Type", "text/html")], "{}"), "unavailable: the answer is not JSON", "transient")]
#[case::error_page(Answer_(404, &[("Content-Type", "text/html")], "no Ana Lima Inventada here"), "404 {}", "ok")]
#[case::error_in_json(Answer_(422, &[("Content-Type", "application/json")], "{\"code\":\"gone\",\"id\":\"Ana Lima Inventada\"}"), "422 {\"code\":\"gone\"}", "ok")]
#[case::compressed(Answer_(200, &[("Content-Type", "application/json"), ("Content-Encoding", "gzip")], "\u{1f}"), "unavailable: the answer is compressed although that was not offered", "transient")]
#[case::compressed_twice(Answer_(200, &[("Content-Type", "application/json"), ("Content-Encoding", "gzip, br")], "x"), "unavailable: the answer is compressed although that was not offered", "transient")]
#[case::nothing(Answer_(204, &[], ""), "200 {}", "ok")]
#[tokio::test]
async fn what_a_status_says_is_said_in_the_contracts_words(
    #[case] answer: Answer_,
    #[case] expected: &str,
    #[case] code: &str,
) {
    let Answer_(status, headers, body) = answer;
    let (_, visited) = answered(move || Answer::with(status, headers, body.as_bytes())).await;
    let expected = if status == 204 { "204 {}" } else { expected };
    assert_eq!((visited.took("answer").as_str(), visited.code()), (expected, code));
}

/// Status, headers and body of an answer.
#[derive(Clone, Copy)]
struct Answer_(u16, &'static [(&'static str, &'static str)], &'static str);

#[tokio::test]
async fn cookies_and_other_roads_are_not_remembered() {
    let host = Host::open().await;
    let elsewhere = Crm::start().await;
    let other = format!("h2=\"127.0.0.1:{}\"; ma=86400", elsewhere.port());
    host.crm.answers(move |_| {
        let headers =
            [("Set-Cookie", "who=ana; Path=/"), ("Alt-Svc", &other), ("Content-Type", "application/json")];
        Answer::with(200, &headers, b"{}")
    });
    let visited = host.animal("crowd").number(3).let_out().await;
    assert_eq!(visited.asked.len(), 3);
    assert!(visited.asked.iter().all(|asked| asked.header("cookie").is_none()));
    assert!(elsewhere.asked().is_empty());
}

// === Too much, too slow, too little ===

fn hurried() -> With {
    With { egress: |builder| builder.idle_timeout(Duration::from_millis(200)), ..With::default() }
}

fn good_body() -> Vec<u8> {
    people::found().to_string().into_bytes()
}

#[rstest]
#[case::huge(|| Answer::raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n").then_for_ever(&[b' '; 4096]), "too large", Outcome::SentAnswered)]
#[case::endless(|| Answer::chunked().then_for_ever(&chunk(&[b' '; 4096])), "too large", Outcome::SentFailed)]
#[case::endless_without_length(|| Answer::raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n").then_for_ever(&[b' '; 4096]), "too large", Outcome::SentFailed)]
#[case::endless_text(|| Answer::chunked().then_for_ever(&chunk(b"\"Ana Lima Inventada\",")), "too large", Outcome::SentFailed)]
#[case::endless_head(|| Answer::raw(b"HTTP/1.1 200 OK\r\n").then_for_ever(b"X-More: and more\r\n"), "too large", Outcome::SentFailed)]
#[case::endless_head_line(|| Answer::raw(b"HTTP/1.1 200 OK\r\nX-Long: ").then_for_ever(&[b'x'; 4096]), "too large", Outcome::SentFailed)]
#[case::silent_body(|| Answer::raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{").then_silence(), "timeout", Outcome::SentFailed)]
#[case::half_body(|| Answer::raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{").then_close(), "unavailable: the answer broke off", Outcome::SentFailed)]
#[case::half_chunk(|| Answer::raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{").then_close(), "unavailable: the answer broke off", Outcome::SentFailed)]
#[case::chunk_of_no_size(|| Answer::raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}").then_close(), "unavailable: the answer broke off", Outcome::SentFailed)]
#[case::no_answer(|| Answer::raw(b"").then_close(), "unavailable: the connection broke before an answer came", Outcome::SentFailed)]
#[case::half_head(|| Answer::raw(b"HTTP/1.1 200 OK\r\nContent-").then_close(), "unavailable: the connection broke before an answer came", Outcome::SentFailed)]
#[case::no_http(|| Answer::raw(b"220 smtp.example ESMTP Ana Lima Inventada\r\n").then_close(), "unavailable: the connection broke before an answer came", Outcome::SentFailed)]
#[case::two_lengths(|| Answer::raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nContent-Length: 20\r\n\r\n{}").then_close(), "unavailable: the connection broke before an answer came", Outcome::SentFailed)]
#[case::negative_length(|| Answer::raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: -2\r\n\r\n{}").then_close(), "unavailable: the connection broke before an answer came", Outcome::SentFailed)]
#[tokio::test]
async fn an_answer_that_never_is_one_ends(
    #[case] answer: fn() -> Answer,
    #[case] expected: &str,
    #[case] outcome: Outcome,
) {
    let (host, visited) = answered_to(Host::open_with(hurried()).await, |cage| cage, answer).await;
    assert_eq!(visited.took("answer"), expected);
    assert_eq!(host.ledger.rows()[0].outcome, outcome, "the CRM has the number in any case");
    assert!(host.ledger.rows()[0].bytes_in < 4 << 20);
}

/// One piece of a chunked body.
fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

#[rstest]
#[case::silence(|| Answer::raw(b"").then_silence())]
#[case::endless_preludes(|| Answer::raw(b"").then_for_ever(b"HTTP/1.1 102 Processing\r\n\r\n"))]
#[case::drops(|| Answer::chunked().then_for_ever(b"1\r\n \r\n"))]
#[tokio::test]
async fn a_request_ends_with_its_time(#[case] answer: fn() -> Answer) {
    // exceeds: request_ms
    let host = Host::open().await;
    let (host, visited) =
        answered_to(host, |cage| cage.granted(|g| g.limits.request_ms = Some(250)), answer).await;
    let got = visited.took("answer");
    assert!(got == "timeout" || got == "too large", "{got}");
    assert!(visited.report.took_us < 3_000_000, "{} us", visited.report.took_us);
    assert_eq!(host.ledger.rows()[0].outcome, Outcome::SentFailed);
}

#[tokio::test]
async fn a_compressed_bomb_is_not_unpacked() {
    // 16 MiB of zeros would take 16 KiB; the head alone is enough to refuse it.
    let headers: &[(&str, &str)] = &[("Content-Type", "application/json"), ("Content-Encoding", "gzip")];
    let (host, visited) = answered(move || Answer::with(200, headers, &[0x1f; 16 << 10])).await;
    assert_eq!(visited.took("answer"), "unavailable: the answer is compressed although that was not offered");
    assert_eq!(host.ledger.rows()[0].bytes_in, 0);
    assert_eq!(visited.asked[0].header("accept-encoding"), Some("identity"));
}

#[rstest]
#[case::deep_where_listed(r#"{"items":"#, "[", "]", "}")]
#[case::deep_where_dropped(r#"{"more":"#, "[", "]", "}")]
#[case::deep_objects(r#"{"more":"#, "{\"a\":", "1}", "}")]
#[tokio::test]
async fn a_deep_answer_is_not_climbed_into(
    #[case] before: &str,
    #[case] open: &str,
    #[case] close: &str,
    #[case] after: &str,
) {
    let body = format!("{before}{}{}{after}", open.repeat(50_000), close.repeat(50_000));
    let (_, visited) = answered(move || Answer::typed(200, "application/json", &body)).await;
    assert_eq!(visited.took("answer"), "too large");
}

#[tokio::test]
async fn an_answer_behind_an_answer_is_nobodys() {
    let host = Host::open().await;
    host.crm.answers(|_| {
        let good = good_body();
        let one = |body: &[u8]| {
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            [head.as_bytes(), body].concat()
        };
        Answer::raw(&[one(&good), one(b"{\"total\":666}")].concat())
    });
    let visited = host.animal("flooder").number(3).let_out().await;
    assert!(host.kept().values().all(|kept| !kept.contains("666")), "{:?}", host.kept());
    assert!(visited.asked.len() <= 3);
}

#[tokio::test]
async fn a_crm_that_is_not_there_is_told_without_its_address() {
    let host = Host::open().await;
    let gone = Crm::start().await;
    let origin = gone.origin();
    drop(gone);
    tokio::task::yield_now().await;
    let request = json!({"route": "find", "params": [["phone", "$0"]]});
    let visited = host.animal("parrot").asked_to(&request).server(&origin).let_out().await;
    assert!(
        matches!(visited.outcome, Err(CallError::Plugin(PluginError::Transient(_)))),
        "{}",
        visited.error()
    );
    assert_eq!(visited.took("answer"), "unavailable: no address takes a connection");
    assert!(host.ledger.rows().iter().all(|row| row.origin.as_ref() != origin), "nothing left");
}
