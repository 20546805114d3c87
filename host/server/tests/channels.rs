//! `/v1/channels/{channel}/webhook` from outside: who is let in, what is stored, what bad input comes to. All people and
//! numbers are invented.

use std::sync::Arc;

use crate::support::*;
use axum::body::Body;
use axum::http::Request;
use ramal_center::{Clear, Origin, Region, SourceId, TenantId};
use ramal_channels::{Mapped, Mapping};
use ramal_server::{ChannelDoor, ChannelDoors};
use rstest::rstest;

const KEY: &str = "0123456789abcdef0123456789abcdef";
const OTHER_KEY: &str = "fedcba9876543210fedcba9876543210";
const MAPPING: &str = include_str!("../../../docs/channels/zenvia.toml");
const MESSAGE: &str = r#"{"id":"e1","timestamp":"2026-11-23T19:00:00Z","type":"MESSAGE","channel":"sms","direction":"IN",
"message":{"id":"m1","from":"5511987654321","to":"28908","contents":[{"type":"text","text":"Olá CANARY"}]}}"#;

/// Two companies with a channel of the same provider each.
fn desk() -> World {
    let mut doors = ChannelDoors::default();
    for (tenant, channel, key) in [("acme", "zenvia", KEY), ("beta", "other", OTHER_KEY)] {
        let origin =
            Origin { tenant: TenantId::new(tenant).unwrap(), source: SourceId::new(channel).unwrap() };
        let mapping = Mapping::parse("zenvia.toml", MAPPING).unwrap();
        let webhook = Arc::new(Mapped::new(mapping, vec![Clear::from(key)], Region::BR));
        doors.add(ChannelDoor { origin, webhook });
    }
    world(Options { channels: doors, ..Options::default() })
}

fn to(channel: &str, key: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(format!("/v1/channels/{channel}/webhook"))
        .header("host", "127.0.0.1:7700")
        .header("x-ramal-key", key)
        .body(body.into())
        .unwrap()
}

#[rstest]
#[case::right("zenvia", KEY, MESSAGE.to_owned(), 200, "")]
#[case::forged("zenvia", "guessed", MESSAGE.to_owned(), 403, "channel-unproved")]
#[case::of_another_tenant("zenvia", OTHER_KEY, MESSAGE.to_owned(), 403, "channel-unproved")]
#[case::nobodys_channel("nobody", KEY, MESSAGE.to_owned(), 404, "channel-unknown")]
#[case::truncated("zenvia", KEY, MESSAGE[..40].to_owned(), 400, "channel-unreadable")]
#[case::oversized("zenvia", KEY, "x".repeat(1024 * 1024 + 1), 413, "body-too-large")]
#[case::unknown_kind("zenvia", KEY, "{}".to_owned(), 200, "")]
#[tokio::test]
async fn bad_input_is_refused_or_counted(
    #[case] channel: &str,
    #[case] key: &str,
    #[case] body: String,
    #[case] status: u16,
    #[case] code: &str,
) {
    let w = desk();
    let reply = send(&w, to(channel, key, body)).await;
    assert_eq!(reply.status.as_u16(), status, "{}", reply.text);
    if !code.is_empty() {
        assert_eq!(reply.json()["code"], code);
    }
    assert!(!reply.text.contains("CANARY") && !reply.text.contains("98765"), "{}", reply.text);
}

#[tokio::test]
async fn wrong_bytes_are_no_text_and_no_defect() {
    let w = desk();
    let reply = send(&w, to("zenvia", KEY, vec![0xff, 0xfe, 0x00])).await;
    assert_eq!((reply.status.as_u16(), reply.json()["code"].as_str()), (400, Some("channel-unreadable")));
}

#[tokio::test]
async fn what_is_sent_again_is_counted_as_known() {
    let w = desk();
    for _ in 0..3 {
        assert_eq!(send(&w, to("zenvia", KEY, MESSAGE)).await.status.as_u16(), 200);
    }
    let metrics = send(&w, get("/metrics")).await.text;
    let count = |outcome: &str| {
        let line = format!("ramal_channel_events_total{{channel=\"zenvia\",outcome=\"{outcome}\"}} ");
        metrics.lines().find_map(|l| l.strip_prefix(&line)).map(str::to_owned)
    };
    assert_eq!((count("stored").as_deref(), count("repeated").as_deref()), (Some("1"), Some("2")));
    assert!(!metrics.contains("98765"));
}

#[tokio::test]
async fn what_could_not_be_stored_is_to_be_sent_again() {
    let w = desk();
    break_store(&w);
    assert_eq!(send(&w, to("zenvia", KEY, MESSAGE)).await.status.as_u16(), 503);
}

#[tokio::test]
async fn a_provider_that_only_posts_is_not_asked() {
    let reply = send(&desk(), get("/v1/channels/zenvia/webhook")).await;
    assert_eq!(reply.status.as_u16(), 404);
}
