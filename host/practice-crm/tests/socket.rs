//! Over a real socket, once: what the router's tests cannot see.

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use ramal_practice_crm::{ApiKey, BaseUrl, PracticeCrm, ServeError, serve};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

fn crm(base: BaseUrl) -> PracticeCrm {
    PracticeCrm::new(ApiKey::new("practice-key-0016").unwrap(), base)
}

#[tokio::test]
async fn it_answers_on_loopback_until_it_is_told_to_stop() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = BaseUrl::from(listener.local_addr().unwrap());
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(serve(listener, crm(base.clone()), async {
        let _ = stopped.await;
    }));

    let client: Client<_, Body> = Client::builder(TokioExecutor::new()).build_http();
    let api = Request::get(format!("{base}/api/v1/contacts/c-0001"))
        .header("authorization", "Bearer practice-key-0016");
    let answer = client.request(api.body(Body::empty()).unwrap()).await.unwrap();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    let url = serde_json::from_slice::<serde_json::Value>(&body).unwrap()["url"].as_str().unwrap().to_owned();

    let page = client.request(Request::get(url).body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(page.status(), 200);
    drop(client);
    stop.send(()).unwrap();
    server.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_listener_that_other_machines_reach_is_refused() {
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let base = BaseUrl::from(listener.local_addr().unwrap());
    let error = serve(listener, crm(base), std::future::pending()).await.unwrap_err();
    assert!(matches!(error, ServeError::NotLoopback { .. }));
    insta::assert_snapshot!(error.to_string().replace(&port.to_string(), "PORT"), @"serve the practice CRM on 0.0.0.0:PORT: other machines could reach it, and its pages ask for no login; bind it to 127.0.0.1 or [::1]");
}

/// What one hook got, and its answer.
async fn one_delivery(listener: &TcpListener, status: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut got = String::new();
    loop {
        let mut bytes = [0; 4096];
        let length = stream.read(&mut bytes).await.unwrap();
        got.push_str(std::str::from_utf8(&bytes[..length]).unwrap());
        let whole = got.split_once("\r\n\r\n").is_some_and(|(head, body)| {
            let length = head.split("Content-Length: ").nth(1).and_then(|rest| rest.split("\r\n").next());
            length.and_then(|length| length.parse::<usize>().ok()) == Some(body.len())
        });
        if whole {
            break;
        }
    }
    stream.write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").as_bytes()).await.unwrap();
    got
}

#[tokio::test]
async fn a_change_is_told_signed_and_again_under_the_same_name() {
    use tower::ServiceExt;
    let hook = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/v1/hooks/practice/changes/demo", hook.local_addr().unwrap());
    let target = ramal_practice_crm::HookTarget::new(&address, "a-made-up-secret").unwrap();
    let crm = crm("http://127.0.0.1:8099".parse().unwrap()).telling(target);
    let change = Request::patch("/api/v1/contacts/c-0001")
        .header("authorization", "Bearer practice-key-0016")
        .header("content-type", "application/json")
        .body(Body::from(r#"{"city":"Recife"}"#))
        .unwrap();
    assert_eq!(crm.router().oneshot(change).await.unwrap().status(), 200);
    let first = one_delivery(&hook, "503 Busy").await;
    let again = one_delivery(&hook, "202 Accepted").await;
    let header = |got: &str, name: &str| {
        let line = got.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        line.unwrap_or_else(|| panic!("no {name} in {got}")).to_owned()
    };
    assert!(first.starts_with("POST /v1/hooks/practice/changes/demo HTTP/1.1\r\n"));
    assert_eq!(header(&first, "X-Practice-Delivery"), header(&again, "X-Practice-Delivery"));
    let (head, body) = again.split_once("\r\n\r\n").unwrap();
    let told: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!((&told["event"], &told["contact"]["id"]), (&"contact.changed".into(), &"c-0001".into()));
    let message =
        format!("{}.{}.{body}", header(head, "X-Practice-Delivery"), header(head, "X-Practice-Time"));
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, b"a-made-up-secret");
    let tag = aws_lc_rs::hmac::sign(&key, message.as_bytes());
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(header(head, "X-Practice-Signature"), format!("v1={hex}"));
}
