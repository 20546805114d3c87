//! The API as a client meets it.

use std::collections::HashMap;

use crate::support::*;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use futures_util::future::BoxFuture;
use ramal_center::{Agent, Ambiguity, CallId, InteractionId, LookUpRules, Origin, SourceId, TenantId};
use ramal_channels::{CallControl, ControlError, Dial, Order};
use ramal_server::{CallControls, Secret, document, sign};
use rstest::rstest;

// === events in ===

#[tokio::test]
async fn a_signed_event_is_taken_once_and_a_repeat_says_so() {
    let w = ready(Options::default());
    let first = send(&w, signed(ringing("e1", "c1"))).await;
    assert_eq!(first.status, StatusCode::ACCEPTED);
    assert_eq!(
        (first.json()["state"].as_str(), first.json()["repeated"].as_bool()),
        (Some("ringing"), Some(false))
    );
    let again = send(&w, signed(ringing("e1", "c1"))).await;
    assert_eq!((again.status, again.json()["repeated"].as_bool()), (StatusCode::OK, Some(true)));
    assert_eq!(again.json()["interaction"], first.json()["interaction"]);
    let answered =
        send(&w, signed(r#"{"event_id":"e2","call_id":"c1","type":"answered","agent":"Bruna"}"#)).await;
    assert_eq!(
        (answered.status, answered.json()["state"].as_str()),
        (StatusCode::ACCEPTED, Some("answered"))
    );
}

fn unsigned() -> Request<Body> {
    post("/v1/events/calls?source=pbx", ringing("e1", "c1"))
}
fn with(mut request: Request<Body>, name: &'static str, value: &str) -> Request<Body> {
    request.headers_mut().insert(name, value.parse().unwrap());
    request
}
fn old() -> Request<Body> {
    let body = ringing("e1", "c1");
    let header = sign(&Secret::new(SECRET), jiff::Timestamp::now().as_second() - 900, body.as_bytes());
    with(unsigned(), "ramal-signature", &header)
}
fn method(method: &str, path: &str) -> Request<Body> {
    Request::builder().method(method).uri(path).header("host", "localhost").body(Body::empty()).unwrap()
}

#[rstest]
#[case::nothing_there(get("/v1/nothing"), 404, "not-found")]
#[case::panel_file(get("/panel/nothing.js"), 404, "not-found")]
#[case::wrong_method(method("DELETE", "/v1/calls"), 405, "method-not-allowed")]
#[case::not_json_by_header(with(signed("{}"), "content-type", "text/plain"), 415, "unsupported-media-type")]
#[case::no_source(post("/v1/events/calls", "{}"), 400, "bad-query")]
#[case::unknown_source(post("/v1/events/calls?source=fax", "{}"), 401, "source-unknown")]
#[case::source_is_no_name(post("/v1/events/calls?source=%00", "{}"), 401, "source-unknown")]
#[case::practice_source_from_outside(post("/v1/events/calls?source=practice", "{}"), 401, "source-unknown")]
#[case::no_signature(unsigned(), 401, "signature-missing")]
#[case::garbage_signature(with(unsigned(), "ramal-signature", "hello"), 401, "signature-malformed")]
#[case::old_signature(old(), 401, "signature-expired")]
#[case::wrong_signature(with(signed(ringing("e1", "c1")), "ramal-signature", &sign(&Secret::new("x"), jiff::Timestamp::now().as_second(), b"")), 401, "signature-wrong")]
#[case::too_large(signed("x".repeat(64 * 1024 + 1)), 413, "body-too-large")]
#[case::at_the_size_but_no_json(signed("x".repeat(64 * 1024)), 400, "not-json")]
#[case::no_object(signed("[]"), 422, "invalid")]
#[case::deep(signed("[".repeat(5000)), 400, "not-json")]
#[case::unknown_call(signed(r#"{"event_id":"e","call_id":"c9","type":"answered"}"#), 409, "call-unknown")]
#[case::calls_without_token(get("/v1/calls"), 401, "unauthorized")]
#[case::live_without_token(get("/v1/live"), 401, "unauthorized")]
#[case::practice_without_token(post("/v1/practice/calls", "{}"), 401, "unauthorized")]
#[case::wrong_token(with(get("/v1/calls"), "authorization", "Bearer nonsense"), 401, "unauthorized")]
#[case::other_scheme(with(get("/v1/calls"), "authorization", "Basic nonsense"), 401, "unauthorized")]
#[case::wrong_cookie(with(get("/v1/calls"), "cookie", "ramal_session=nonsense"), 401, "unauthorized")]
#[case::token_as_cookie(with(get("/v1/calls"), "cookie", &format!("ramal_session={TOKEN}")), 401, "unauthorized")]
#[case::bad_limit(with_token(get("/v1/calls?limit=0")), 400, "bad-query")]
#[case::bad_event_id(with_token(get("/v1/live?after=yesterday")), 400, "bad-query")]
#[case::foreign_host(with(get("/healthz"), "host", "attacker.example"), 421, "wrong-host")]
#[case::foreign_origin(
    with(with_token(post("/v1/practice/calls", "{}")), "origin", "https://attacker.example"),
    403,
    "wrong-origin"
)]
#[case::cross_site(
    with(with_token(post("/v1/practice/calls", "{}")), "sec-fetch-site", "cross-site"),
    403,
    "wrong-origin"
)]
#[case::practice_bad_number(with_token(post("/v1/practice/calls", r#"{"number":"CANARY"}"#)), 422, "invalid")]
#[case::practice_bad_body(with_token(post("/v1/practice/calls", r#"{"nummer":"CANARY"}"#)), 422, "invalid")]
#[case::practice_bad_step(with_token(post("/v1/practice/calls/c1/explode", "")), 404, "not-found")]
#[case::route_without_token(get("/v1/route?number=%2B5511987654321"), 401, "unauthorized")]
#[case::route_without_number(with_token(get("/v1/route")), 400, "bad-query")]
#[case::route_of_an_extension(with_token(get("/v1/route?number=2001")), 400, "bad-query")]
#[case::route_of_words(with_token(get("/v1/route?number=CANARY")), 400, "bad-query")]
#[case::practice_unknown_call(with_token(post("/v1/practice/calls/c1/answered", "")), 409, "call-unknown")]
#[tokio::test]
async fn every_mistake_is_a_problem_that_says_what_to_do(
    #[case] request: Request<Body>,
    #[case] status: u16,
    #[case] code: &str,
) {
    let w = ready(Options::default());
    let reply = send(&w, request).await;
    assert_eq!(
        (reply.status.as_u16(), reply.json()["code"].as_str()),
        (status, Some(code)),
        "{}",
        reply.text
    );
    assert_eq!(reply.header("content-type"), "application/problem+json");
    assert_eq!(reply.json()["status"], status);
    assert_eq!(reply.json()["type"], format!("urn:ramal:problem:{code}"));
    assert!(!reply.text.contains("CANARY") && !reply.text.contains("98765"), "{}", reply.text);
    // And the host keeps serving the others.
    assert_eq!(send(&w, signed(ringing("e77", "c77"))).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_contradiction_names_both_states() {
    let w = ready(Options::default());
    send(&w, signed(ringing("e1", "c1"))).await;
    send(&w, signed(r#"{"event_id":"e2","call_id":"c1","type":"ended","cause":"missed"}"#)).await;
    let later = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(60);
    let body = format!(r#"{{"event_id":"e3","call_id":"c1","type":"answered","at":"{later}"}}"#);
    let reply = send(&w, signed(&body)).await;
    assert_eq!(reply.status, StatusCode::CONFLICT);
    assert_eq!(reply.json()["code"], "wrong-transition");
    assert_eq!(reply.json()["detail"], "the call is ended, it cannot become answered");
}

#[tokio::test]
async fn a_database_that_fails_is_said_and_nothing_is_lost() {
    let w = ready(Options::default());
    break_store(&w);
    let reply = send(&w, signed(ringing("e1", "c1"))).await;
    assert_eq!((reply.status.as_u16(), reply.json()["code"].as_str()), (503, Some("store-failed")));
    assert_eq!(reply.header("retry-after"), "5");
    w.store.break_with(None);
    assert_eq!(send(&w, signed(ringing("e1", "c1"))).await.status, StatusCode::ACCEPTED);
}

// === who may read ===

#[tokio::test]
async fn the_printed_address_opens_a_session_and_drops_the_token() {
    let w = ready(Options::default());
    let opened = send(&w, get(&format!("/?token={TOKEN}"))).await;
    assert_eq!((opened.status, opened.header("location")), (StatusCode::SEE_OTHER, "/"));
    let cookie = opened.header("set-cookie").to_owned();
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict") && !cookie.contains(TOKEN), "{cookie}");
    let session = cookie.split(';').next().unwrap();
    let calls = send(&w, with(get("/v1/calls"), "cookie", &format!("theme=dark; {session}"))).await;
    assert_eq!(calls.status, StatusCode::OK);
    let value = session.split_once('=').unwrap().1;
    let as_token = send(&w, with(get("/v1/calls"), "authorization", &format!("Bearer {value}"))).await;
    assert_eq!(as_token.status, StatusCode::UNAUTHORIZED, "a cookie that leaks must be no token");
}

#[tokio::test]
async fn logging_out_takes_the_cookie_back() {
    let w = ready(Options::default());
    let out = send(&w, method("DELETE", "/v1/session")).await;
    assert_eq!(
        (out.status, out.header("set-cookie")),
        (StatusCode::NO_CONTENT, "ramal_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0")
    );
    let foreign = with(method("DELETE", "/v1/session"), "origin", "https://attacker.example");
    assert_eq!(send(&w, foreign).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_wrong_token_opens_no_session() {
    let reply = send(&ready(Options::default()), get("/?token=wrong")).await;
    assert_eq!((reply.status, reply.header("set-cookie")), (StatusCode::SEE_OTHER, ""));
}

#[tokio::test]
async fn a_tenant_sees_only_its_own_calls() {
    let w = ready(Options::default());
    send(&w, signed(ringing("e1", "c1"))).await;
    settle(&w).await;
    let mine = send(&w, with_token(get("/v1/calls"))).await.json();
    assert_eq!(mine["calls"].as_array().unwrap().len(), 1);
    assert_eq!(mine["calls"][0]["findings"].as_array().unwrap().len(), 2);
    let other = with(get("/v1/calls"), "authorization", &format!("Bearer {OTHER_TOKEN}"));
    let theirs = send(&w, other).await.json();
    assert_eq!((theirs["calls"].as_array().unwrap().len(), theirs["last_event_id"].as_u64()), (0, Some(0)));
}

// === every answer ===

#[rstest]
#[case::page(get("/"))]
#[case::file(get("/favicon.svg"))]
#[case::error(get("/v1/calls"))]
#[case::wrong_host(with(get("/"), "host", "attacker.example"))]
#[case::nothing(get("/nothing"))]
#[tokio::test]
async fn every_answer_has_the_security_headers(#[case] request: Request<Body>) {
    let reply = send(&ready(Options::default()), request).await;
    let csp = reply.header("content-security-policy");
    assert!(
        csp.starts_with("default-src 'none'; script-src 'self'; style-src 'self';")
            && !csp.contains("unsafe")
    );
    assert_eq!(reply.header("x-content-type-options"), "nosniff");
    assert_eq!(reply.header("referrer-policy"), "no-referrer");
    assert_eq!(reply.header("x-frame-options"), "DENY");
    assert!(!reply.header("cache-control").is_empty() && !reply.header("ramal-request-id").is_empty());
}

#[tokio::test]
async fn the_page_is_cached_by_its_tag() {
    let w = ready(Options::default());
    let first = send(&w, get("/favicon.svg")).await;
    assert_eq!((first.header("content-type"), first.header("cache-control")), ("image/svg+xml", "no-cache"));
    let again = send(&w, with(get("/favicon.svg"), "if-none-match", first.header("etag"))).await;
    assert_eq!((again.status, again.text.as_str()), (StatusCode::NOT_MODIFIED, ""));
}

// === operation ===

#[tokio::test]
async fn readiness_follows_plugins_and_database() {
    let w = world(Options::default());
    let before = send(&w, get("/readyz")).await;
    assert_eq!((before.status.as_u16(), before.json()["code"].as_str()), (503, Some("not-ready")));
    assert_eq!(before.json()["errors"][0]["detail"], "the plugins are not loaded yet");
    assert_eq!(send(&w, get("/healthz")).await.status, StatusCode::OK);

    let w = ready(Options::default());
    assert_eq!(send(&w, get("/readyz")).await.json()["status"], "ready");
    break_store(&w);
    let broken = send(&w, get("/readyz")).await;
    assert!(
        broken.json()["errors"][0]["detail"].as_str().unwrap().contains("the disk is full; free some space")
    );
    assert_eq!(send(&w, get("/healthz")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_handler_that_panics_costs_its_own_request_only() {
    let w = ready(Options { health: Some(std::sync::Arc::new(Defect)), ..Options::default() });
    let reply = send(&w, get("/readyz")).await;
    assert_eq!((reply.status.as_u16(), reply.json()["code"].as_str()), (500, Some("internal")));
    assert_eq!(send(&w, get("/healthz")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn metrics_count_by_route_and_plugin() {
    let w = ready(Options::default());
    send(&w, signed(ringing("e1", "c1"))).await;
    send(&w, get("/nobody/knows/this")).await;
    for method in ["PUT", "DELETE", "PATCH", "INVENTED"] {
        let mut request = get("/nobody/knows/this");
        *request.method_mut() = method.parse().unwrap();
        send(&w, request).await;
    }
    settle(&w).await;
    let reply = send(&w, get("/metrics")).await;
    assert_eq!(reply.header("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    for line in [
        r#"ramal_http_requests_total{route="/v1/events/calls",method="POST",status="202"} 1"#,
        r#"ramal_http_requests_total{route="unmatched",method="GET",status="404"} 1"#,
        r#"ramal_http_requests_total{route="unmatched",method="PUT",status="404"} 1"#,
        r#"ramal_http_requests_total{route="unmatched",method="DELETE",status="404"} 1"#,
        r#"ramal_http_requests_total{route="unmatched",method="PATCH",status="404"} 1"#,
        r#"ramal_http_requests_total{route="unmatched",method="Other",status="404"} 1"#,
        r#"ramal_call_events_total{kind="ringing",outcome="stored"} 1"#,
        r#"ramal_look_ups_total{plugin="practice",outcome="card"} 1"#,
        r#"ramal_look_ups_total{plugin="broken",outcome="unavailable"} 1"#,
        r#"ramal_look_up_seconds_count{plugin="practice"} 1"#,
        "ramal_live_subscribers 0",
    ] {
        assert!(reply.text.contains(line), "{line} is not in\n{}", reply.text);
    }
}

#[test]
fn the_api_is_what_the_golden_file_says() {
    insta::assert_snapshot!("openapi.json", document());
}

#[tokio::test]
async fn the_document_is_served() {
    let reply = send(&ready(Options::default()), get("/openapi.json")).await;
    assert_eq!(reply.json()["openapi"], "3.1.0");
    assert_eq!(reply.text, document());
}

// === practice ===

#[tokio::test]
async fn a_simulated_call_goes_the_whole_road() {
    let w = ready(Options::default());
    let session = send(&w, with_token(get("/v1/session"))).await.json();
    assert_eq!((session["tenant"].as_str(), session["practice"].as_bool()), (Some("acme"), Some(true)));
    assert_eq!(send(&w, with_token(post("/v1/practice/calls", "{}"))).await.status, StatusCode::ACCEPTED);
    assert_eq!(
        send(&w, with_token(post("/v1/practice/calls", r#"{"number":""}"#))).await.status,
        StatusCode::ACCEPTED
    );
    let chosen = r#"{"number":"(11) 3333-4444"}"#;
    assert_eq!(send(&w, with_token(post("/v1/practice/calls", chosen))).await.status, StatusCode::ACCEPTED);
    let calls = send(&w, with_token(get("/v1/calls"))).await.json();
    let numbers: std::collections::BTreeSet<&str> = calls["calls"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["call"]["from"]["e164"].as_str().unwrap())
        .collect();
    assert_eq!(numbers.into_iter().collect::<Vec<_>>(), ["+551133334444", "+5511987654321", "+552133334444"]);

    let call_id = calls["calls"][0]["call"]["call_id"].as_str().unwrap();
    for (step, state) in [("answered", "answered"), ("completed", "ended")] {
        let reply = send(&w, with_token(post(&format!("/v1/practice/calls/{call_id}/{step}"), ""))).await;
        assert_eq!((reply.status, reply.json()["state"].as_str()), (StatusCode::ACCEPTED, Some(state)));
    }
}

#[tokio::test]
async fn without_practice_nothing_can_be_simulated() {
    let w = ready(Options { practice: false, ..Options::default() });
    for path in ["/v1/practice/calls", "/v1/practice/calls/c1/answered"] {
        let reply = send(&w, with_token(post(path, "{}"))).await;
        assert_eq!((reply.status.as_u16(), reply.json()["code"].as_str()), (404, Some("not-found")));
    }
    assert_eq!(send(&w, with_token(get("/v1/session"))).await.json()["practice"], false);
}

// === a dialplan asks ===

/// The exchange knows the owner of the contact as 2001.
fn with_agents(w: &World) {
    let names = vec!["Bruno CANARY (invented)".to_owned()];
    let rules = LookUpRules {
        ambiguous: Ambiguity::Ask,
        agents: vec![Agent { extension: "2001".to_owned(), names }],
    };
    w.center.set_look_up_rules(HashMap::from([(TenantId::new("acme").unwrap(), rules)]));
}

#[rstest]
#[case::escaped("%2B5511987654321")]
#[case::as_people_forget_to("+5511987654321")]
#[case::as_dialled("11987654321")]
#[tokio::test]
async fn a_dialplan_is_told_the_owner_in_any_spelling_of_the_number(#[case] number: &str) {
    let w = ready(Options::default());
    with_agents(&w);
    let reply = send(&w, with_token(get(&format!("/v1/route?number={number}")))).await;
    let mut told = reply.json();
    assert!(told["took_ms"].take().as_u64().unwrap() <= 300);
    assert_eq!(
        told,
        serde_json::json!({
            "decision": "owner",
            "owner": { "name": "Bruno CANARY (invented)", "extension": "2001" },
            "plugin": "practice",
            "reason": "owner",
            "took_ms": null,
        })
    );
    let metrics = send(&w, get("/metrics")).await.text;
    assert!(metrics.contains(r#"ramal_routes_total{reason="owner"} 1"#), "{metrics}");
}

fn plain(path: &str) -> Request<Body> {
    with(get(path), "accept", "text/plain")
}

#[rstest]
#[case::the_owner(with_token(plain("/v1/route?number=+5511987654321")), true, 200, "2001")]
#[case::nobody_knows_the_extension(with_token(plain("/v1/route?number=+5511987654321")), false, 200, "")]
#[case::no_number(with_token(plain("/v1/route?number=anonymous")), true, 400, "")]
#[case::no_token(plain("/v1/route?number=+5511987654321"), true, 401, "")]
#[tokio::test]
async fn whoever_wants_plain_text_gets_an_extension_or_nothing(
    #[case] request: Request<Body>,
    #[case] agents: bool,
    #[case] status: u16,
    #[case] text: &str,
) {
    let w = ready(Options::default());
    if agents {
        with_agents(&w);
    }
    let reply = send(&w, request).await;
    assert_eq!((reply.status.as_u16(), reply.text.as_str()), (status, text));
    assert_eq!(reply.header("content-type"), "text/plain; charset=utf-8");
}

#[rstest]
#[case::nobody_knows_the_extension(TOKEN, "no-extension", serde_json::json!({"name": "Bruno CANARY (invented)", "extension": null}))]
#[case::a_tenant_without_crms(OTHER_TOKEN, "no-directory", serde_json::Value::Null)]
#[tokio::test]
async fn without_an_owner_the_decision_is_default_and_says_why(
    #[case] token: &str,
    #[case] reason: &str,
    #[case] owner: serde_json::Value,
) {
    let w = ready(Options::default());
    let request = with(get("/v1/route?number=%2B5511987654321"), "authorization", &format!("Bearer {token}"));
    let reply = send(&w, request).await;
    let told = reply.json();
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(
        (&told["decision"], &told["reason"], &told["owner"]),
        (&"default".into(), &reason.into(), &owner)
    );
}

// === orders for calls ===

/// An exchange that writes down what it is asked, and refuses one call.
#[derive(Default)]
struct Exchange(parking_lot::Mutex<Vec<String>>);

impl CallControl for Exchange {
    fn dial(&self, dial: Dial) -> BoxFuture<'_, Result<InteractionId, ControlError>> {
        self.0.lock().push(format!("dial {} for {}", dial.to.e164(), dial.agent.expose()));
        Box::pin(async move {
            if dial.agent.expose() == "nobody" {
                return Err(ControlError::UnknownAgent);
            }
            Ok(InteractionId(uuid::Uuid::nil()))
        })
    }
    fn act(&self, call: CallId, order: Order) -> BoxFuture<'_, Result<(), ControlError>> {
        self.0.lock().push(format!("{} {order:?}", call.as_str()));
        Box::pin(
            async move { if order == Order::Mute { Err(ControlError::NotOurs("mute")) } else { Ok(()) } },
        )
    }
}

#[rstest]
#[case::hangup("hangup", "", 204, "c1 HangUp")]
#[case::hold("hold", "", 204, "c1 Hold")]
#[case::resume("resume", "", 204, "c1 Resume")]
#[case::unmute("unmute", "", 204, "c1 Unmute")]
#[case::not_ours("mute", "", 409, "c1 Mute")]
#[case::blind("transfer", r#"{"mode":"blind","agent":"caio"}"#, 204, "c1 Transfer(Blind(Agent(<personal>)))")]
#[case::complete("transfer", r#"{"mode":"complete"}"#, 204, "c1 Transfer(Complete)")]
#[case::no_target("transfer", r#"{"mode":"blind"}"#, 422, "")]
#[case::two_targets("transfer", r#"{"mode":"ask","agent":"a","number":"1133334444"}"#, 422, "")]
#[case::bad_number("transfer", r#"{"mode":"ask","number":"x"}"#, 422, "")]
#[case::record("recording/pause", "", 204, "c1 Record(Pause)")]
#[case::no_step("recording/rewind", "", 404, "")]
#[tokio::test]
async fn an_order_goes_to_the_exchange_of_the_call(
    #[case] order: &str,
    #[case] body: &str,
    #[case] status: u16,
    #[case] asked: &str,
) {
    let exchange = std::sync::Arc::new(Exchange::default());
    let mut controls = CallControls::default();
    let pbx = Origin { tenant: TenantId::new("acme").unwrap(), source: SourceId::new("pbx").unwrap() };
    controls.add(pbx, exchange.clone());
    let w = ready(Options { controls, ..Options::default() });
    let taken = send(&w, signed(ringing("e1", "c1"))).await.json();
    let path = format!("/v1/interactions/{}/{order}", taken["interaction"].as_str().unwrap());
    assert_eq!(send(&w, post(&path, body)).await.status.as_u16(), 401);
    let reply = send(&w, with_token(post(&path, body))).await;
    assert_eq!(reply.status.as_u16(), status, "{}", reply.text);
    assert_eq!(exchange.0.lock().join(", "), asked);
}

#[tokio::test]
async fn a_call_that_nobody_controls_is_said_to_be_so_and_another_tenants_is_none() {
    let exchange = std::sync::Arc::new(Exchange::default());
    let mut controls = CallControls::default();
    let other = Origin { tenant: TenantId::new("beta").unwrap(), source: SourceId::new("other").unwrap() };
    controls.add(other, exchange.clone());
    let w = ready(Options { controls, ..Options::default() });
    let taken = send(&w, signed(ringing("e1", "c1"))).await.json();
    let path = format!("/v1/interactions/{}/hold", taken["interaction"].as_str().unwrap());
    let reply = send(&w, with_token(post(&path, ""))).await;
    insta::assert_json_snapshot!("a_call_that_nobody_controls", reply.json());
    let reply = send(&w, with_token(post("/v1/calls", r#"{"agent":"bruna","to":"1133334444"}"#))).await;
    assert_eq!((reply.status.as_u16(), reply.json()["code"].as_str()), (404, Some("channel-unknown")));
    assert!(exchange.0.lock().is_empty());
}

#[tokio::test]
async fn a_call_is_made_by_the_tenants_exchange() {
    let exchange = std::sync::Arc::new(Exchange::default());
    let mut controls = CallControls::default();
    let pbx = Origin { tenant: TenantId::new("acme").unwrap(), source: SourceId::new("pbx").unwrap() };
    controls.add(pbx, exchange.clone());
    let w = ready(Options { controls, ..Options::default() });
    let made = send(&w, with_token(post("/v1/calls", r#"{"agent":"bruna","to":"(11) 3333-4444"}"#))).await;
    assert_eq!((made.status, made.json()["interaction"].is_string()), (StatusCode::ACCEPTED, true));
    let refused = send(&w, with_token(post("/v1/calls", r#"{"agent":"nobody","to":"1133334444"}"#))).await;
    assert_eq!((refused.status.as_u16(), refused.json()["code"].as_str()), (422, Some("invalid")));
    let asked = ["dial +551133334444 for bruna", "dial +551133334444 for nobody"];
    assert_eq!(*exchange.0.lock(), asked);
}
