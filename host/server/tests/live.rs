//! The live events as a client meets them.

use std::time::Duration;

use crate::support::*;
use axum::http::StatusCode;

#[tokio::test]
async fn the_call_comes_first_and_then_each_plugins_answer() {
    let w = ready(Options::default());
    let mut live = SseReader::open(&w, with_token(get("/v1/live?after=0"))).await;
    send(&w, signed(ringing("e1", "c1"))).await;
    let call = live.next().await.unwrap();
    assert_eq!((call.id, call.event.as_str()), (Some(1), "call"));
    assert!(call.data.contains(r#""national":"(11) 98765-4321""#), "{}", call.data);
    let mut kinds = [live.next().await.unwrap().event, live.next().await.unwrap().event];
    kinds.sort();
    assert_eq!(kinds, ["card", "card-failed"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_client_that_comes_back_gets_everything_once_and_in_order() {
    const CALLS: u64 = 60;
    // Each call tells three events: itself and the answers of two plugins.
    const LAST: u64 = CALLS * 3;
    let w = std::sync::Arc::new(ready(Options::default()));
    let writers: Vec<_> = (0..CALLS)
        .map(|i| {
            let w = w.clone();
            tokio::spawn(
                async move { send(&w, signed(ringing(&format!("e{i}"), &format!("c{i}")))).await.status },
            )
        })
        .collect();
    let reader = {
        let w = w.clone();
        tokio::spawn(async move {
            let mut seen = vec![];
            let mut last = 0;
            while last < LAST {
                // The header goes before the address, as when a browser reconnects.
                let mut request = with_token(get("/v1/live?after=0"));
                if last > 0 {
                    request.headers_mut().insert("last-event-id", last.to_string().parse().unwrap());
                }
                let mut live = SseReader::open(&w, request).await;
                for _ in 0..7 {
                    if last == LAST {
                        break;
                    }
                    last = live.next().await.unwrap().id.unwrap();
                    seen.push(last);
                }
            }
            seen
        })
    };
    for writer in writers {
        assert_eq!(writer.await.unwrap(), StatusCode::ACCEPTED);
    }
    assert_eq!(reader.await.unwrap(), (1..=LAST).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_client_that_was_away_too_long_is_told_to_load_afresh() {
    let w = ready(Options { live_events: 2, ..Options::default() });
    for i in 0..3 {
        send(&w, signed(ringing(&format!("e{i}"), &format!("c{i}")))).await;
    }
    settle(&w).await;
    let mut live = SseReader::open(&w, with_token(get("/v1/live?after=1"))).await;
    let reset = live.next().await.unwrap();
    assert_eq!((reset.event.as_str(), reset.id), ("reset", Some(9)));
    assert_eq!(reset.data, r#"{"last_event_id":9}"#);
}

#[tokio::test]
async fn what_the_list_told_the_stream_does_not_repeat() {
    let w = ready(Options::default());
    send(&w, signed(ringing("e1", "c1"))).await;
    let list = send(&w, with_token(get("/v1/calls"))).await.json();
    let told = list["last_event_id"].as_u64().unwrap();
    let mut live = SseReader::open(&w, with_token(get(&format!("/v1/live?after={told}")))).await;
    send(&w, signed(ringing("e2", "c2"))).await;
    assert_eq!(live.next().await.unwrap().id, Some(told + 1));
}

#[tokio::test(start_paused = true)]
async fn a_quiet_stream_says_that_it_lives() {
    use http_body_util::BodyExt;
    use tower::ServiceExt;
    let w = ready(Options::default());
    let response = w.router.clone().oneshot(with_token(get("/v1/live"))).await.unwrap();
    let mut body = response.into_body();
    let mut text = async || {
        String::from_utf8(body.frame().await.unwrap().unwrap().into_data().unwrap().to_vec()).unwrap()
    };
    assert!(text().await.contains("retry: 1000"));
    let begun = tokio::time::Instant::now();
    assert_eq!((text().await.trim(), begun.elapsed()), (": alive", Duration::from_secs(15)));
}

#[tokio::test]
async fn readers_past_the_limit_are_refused_until_one_goes() {
    let w = ready(Options { readers: 2, ..Options::default() });
    let one = SseReader::open(&w, with_token(get("/v1/live"))).await;
    let _two = SseReader::open(&w, with_token(get("/v1/live"))).await;
    assert!(send(&w, get("/metrics")).await.text.contains("ramal_live_subscribers 2"));
    let refused = send(&w, with_token(get("/v1/live"))).await;
    assert_eq!((refused.status.as_u16(), refused.json()["code"].as_str()), (503, Some("too-many-readers")));
    drop(one);
    SseReader::open(&w, with_token(get("/v1/live"))).await;
}

#[tokio::test]
async fn a_stream_whose_store_fails_ends_and_the_client_may_come_back() {
    let w = ready(Options::default());
    break_store(&w);
    let mut live = SseReader::open(&w, with_token(get("/v1/live?after=0"))).await;
    assert_eq!(live.next().await, None);
    w.store.break_with(None);
    let mut live = SseReader::open(&w, with_token(get("/v1/live?after=0"))).await;
    send(&w, signed(ringing("e1", "c1"))).await;
    assert_eq!(live.next().await.unwrap().event, "call");
}
