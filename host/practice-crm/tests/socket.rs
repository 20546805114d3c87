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
