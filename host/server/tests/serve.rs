//! A real socket: it serves, and it stops in order.

use std::time::Duration;

use crate::support::*;
use ramal_server::serve;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

async fn until(stream: &mut TcpStream, wanted: &str) -> String {
    let (mut text, mut buffer) = (String::new(), [0; 4096]);
    while !text.contains(wanted) {
        let n = stream.read(&mut buffer).await.unwrap();
        assert!(n > 0, "the connection ended before `{wanted}`: {text}");
        text.push_str(std::str::from_utf8(&buffer[..n]).unwrap());
    }
    text
}

#[tokio::test]
async fn a_shutdown_ends_the_streams_and_returns() {
    let w = ready(Options::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(serve(listener, w.state.clone(), async {
        let _ = stopped.await;
    }));

    let mut live = TcpStream::connect(address).await.unwrap();
    let ask =
        format!("GET /v1/live?after=0 HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {TOKEN}\r\n\r\n");
    live.write_all(ask.as_bytes()).await.unwrap();
    until(&mut live, "retry: 1000").await;

    let mut page = TcpStream::connect(address).await.unwrap();
    page.write_all(format!("GET /healthz HTTP/1.1\r\nhost: {address}\r\n\r\n").as_bytes()).await.unwrap();
    until(&mut page, r#"{"status":"ok"}"#).await;

    send(&w, signed(ringing("e1", "c1"))).await;
    until(&mut live, "event: call").await;

    stop.send(()).unwrap();
    let ended =
        tokio::time::timeout(Duration::from_secs(8), server).await.expect("the server must stop by itself");
    ended.unwrap().unwrap();
    // The stream ended in order: a last chunk, then the end of the connection.
    let mut rest = String::new();
    live.read_to_string(&mut rest).await.unwrap();
    assert!(rest.ends_with("0\r\n\r\n"), "{rest:?}");
    assert!(TcpStream::connect(address).await.is_err());
}
