//! What Asterisk writes on the WebSocket of its REST interface, as far as calls are made of it.
//!
//! Types of events that are not known here are taken as [`What::Other`]: every version of Asterisk adds some, and one
//! that stopped the reader would lose all calls after it. Shapes are those of `rest-api/api-docs/events.json`, the same
//! in 16, 20 and 22.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

/// The variable by which Asterisk names the call that a channel belongs to, when `ari.conf` lists it in `channelvars`.
const LINKED: &str = "CHANNEL(linkedid)";

/// One message.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct AriEvent {
    /// When it happened; a message about the application itself need not say it.
    #[serde(default, deserialize_with = "time")]
    pub(crate) timestamp: Option<Timestamp>,
    #[serde(flatten)]
    pub(crate) what: What,
}

/// What happened.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "type")]
pub(crate) enum What {
    StasisStart {
        channel: Channel,
        #[serde(default)]
        args: Vec<String>,
    },
    StasisEnd {
        channel: Channel,
    },
    ChannelCreated {
        channel: Channel,
    },
    ChannelStateChange {
        channel: Channel,
    },
    ChannelDialplan {
        channel: Channel,
    },
    ChannelHangupRequest {
        channel: Channel,
        /// A Q.850 cause, or the flag of a soft hangup: 32 when somebody asked by ARI, AMI or the console.
        #[serde(default)]
        cause: Option<i64>,
    },
    ChannelDestroyed {
        channel: Channel,
        #[serde(default)]
        cause: i64,
        #[serde(default)]
        cause_txt: String,
    },
    ChannelHold {
        channel: Channel,
    },
    ChannelUnhold {
        channel: Channel,
    },
    ChannelEnteredBridge {
        bridge: Bridge,
        channel: Channel,
    },
    ChannelLeftBridge {
        bridge: Bridge,
        channel: Channel,
    },
    BridgeDestroyed {
        bridge: Bridge,
    },
    Dial {
        #[serde(default)]
        caller: Option<Channel>,
        peer: Channel,
        #[serde(default)]
        dialstatus: String,
    },
    BridgeBlindTransfer {
        channel: Channel,
        #[serde(default)]
        exten: String,
        #[serde(default)]
        result: String,
    },
    BridgeAttendedTransfer {
        transferer_first_leg: Channel,
        transferer_second_leg: Channel,
        #[serde(default)]
        result: String,
    },
    RecordingFinished {
        recording: LiveRecording,
    },
    RecordingFailed {
        recording: LiveRecording,
    },
    ApplicationReplaced,
    #[serde(other)]
    Other,
}

/// One channel as it stood.
#[derive(Clone, Deserialize)]
pub(crate) struct Channel {
    pub(crate) id: String,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) state: String,
    #[serde(default)]
    pub(crate) caller: Caller,
    #[serde(default)]
    pub(crate) dialplan: Dialplan,
    #[serde(default, deserialize_with = "time")]
    pub(crate) creationtime: Option<Timestamp>,
    #[serde(default)]
    channelvars: HashMap<String, String>,
}

/// Whose number a channel has.
#[derive(Clone, Default, Deserialize)]
pub(crate) struct Caller {
    #[serde(default)]
    pub(crate) number: String,
}

/// Where in the dialplan a channel is.
#[derive(Clone, Default, Deserialize)]
pub(crate) struct Dialplan {
    #[serde(default)]
    pub(crate) exten: String,
    #[serde(default)]
    pub(crate) app_name: String,
    #[serde(default)]
    pub(crate) app_data: String,
}

impl Dialplan {
    /// Whether the dialplan has handed the channel to this application, and to none of another controller.
    pub(crate) fn hands_to(&self, app: &str) -> bool {
        self.app_name == "Stasis" && self.app_data.split(',').next() == Some(app)
    }
}

/// Where channels are joined.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Bridge {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) channels: Vec<String>,
}

/// A recording that runs or has just ended.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct LiveRecording {
    pub(crate) name: String,
    /// Whole seconds, without the time for which it stood still.
    #[serde(default)]
    pub(crate) duration: Option<i64>,
}

/// The exchange itself.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Info {
    #[serde(default)]
    pub(crate) status: Status,
    #[serde(default)]
    pub(crate) system: System,
}

/// Since when it runs.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Status {
    #[serde(default, deserialize_with = "time")]
    pub(crate) startup_time: Option<Timestamp>,
}

/// Which one it is.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct System {
    #[serde(default)]
    pub(crate) version: String,
}

/// A recording that lies on the exchange.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct StoredRecording {
    pub(crate) name: String,
}

impl Channel {
    /// Whose device it is: the name without the number of this one call, as `PJSIP/trunk` of `PJSIP/trunk-0000001f`.
    pub(crate) fn endpoint(&self) -> &str {
        let name = self.name.split_once(';').map_or(self.name.as_str(), |(name, _)| name);
        name.rsplit_once('-').map_or(name, |(endpoint, _)| endpoint)
    }

    /// The other half of a Local channel, which has two ends and is no device; and both halves' common name.
    pub(crate) fn local(&self) -> Option<(&str, Half)> {
        let (pair, half) = self.name.strip_prefix("Local/")?.rsplit_once(';')?;
        match half {
            "1" => Some((pair, Half::Near)),
            "2" => Some((pair, Half::Far)),
            _ => None,
        }
    }

    /// The call by Asterisk's own reckoning.
    pub(crate) fn linked(&self) -> Option<&str> {
        self.channelvars.get(LINKED).map(String::as_str).filter(|id| !id.is_empty())
    }
}

/// Which end of a Local channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Half {
    /// `;1`, whom the caller is joined with.
    Near,
    /// `;2`, which goes through the dialplan.
    Far,
}

// Numbers and names of people.
impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Channel(<personal>)")
    }
}

/// Asterisk writes the offset without a colon, which no RFC has: `2026-11-23T17:57:54.259+0000`.
fn time<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    Ok(text.and_then(|text| {
        Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", &text).ok().or_else(|| text.parse().ok())
    }))
}

impl AriEvent {
    /// Reads one message.
    ///
    /// # Errors
    /// When it is none, or lacks what its type always has. The text is not quoted: it holds numbers.
    pub(crate) fn read(text: &str) -> Result<Self, Unreadable> {
        serde_json::from_str(text).map_err(|_| Unreadable)
    }
}

/// A message that is none of Asterisk's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a message of the exchange cannot be read: it has another shape than `events.json` describes")]
pub(crate) struct Unreadable;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,200}") {
            let _ = AriEvent::read(&text);
        }

        #[test]
        fn a_name_of_any_kind_has_an_endpoint(name in "[A-Za-z/;@0-9-]{0,40}") {
            let channel: Channel = serde_json::from_value(serde_json::json!({"id": "1", "name": name})).unwrap();
            let _ = channel.local();
            prop_assert!(channel.name.starts_with(channel.endpoint()));
        }
    }

    #[rstest]
    #[case::asterisk("2026-11-23T17:57:54.259+0000", Some("2026-11-23T17:57:54.259Z"))]
    #[case::zone("2026-11-23T14:57:54.259-0300", Some("2026-11-23T17:57:54.259Z"))]
    #[case::rfc_3339("2026-11-23T17:57:54.259+00:00", Some("2026-11-23T17:57:54.259Z"))]
    #[case::nonsense("yesterday", None)]
    fn times_have_an_offset_without_a_colon(#[case] text: &str, #[case] expected: Option<&str>) {
        let event = AriEvent::read(&format!(r#"{{"type":"X","timestamp":"{text}"}}"#)).unwrap();
        assert_eq!(event.timestamp.map(|t| t.to_string()).as_deref(), expected);
    }

    #[rstest]
    #[case::unknown(r#"{"type":"ChannelVarset","variable":"X","value":"1","application":"ramal"}"#, true)]
    #[case::replaced(r#"{"type":"ApplicationReplaced","application":"ramal"}"#, true)]
    #[case::no_channel(r#"{"type":"StasisStart","args":[]}"#, false)]
    #[case::no_type(r#"{"channel":{}}"#, false)]
    #[case::no_json("hello", false)]
    #[case::cut(r#"{"type":"StasisStart","args":["#, false)]
    fn what_is_not_known_is_passed_over_and_what_is_broken_is_said(#[case] text: &str, #[case] reads: bool) {
        assert_eq!(AriEvent::read(text).is_ok(), reads);
    }

    #[rstest]
    #[case::pjsip("PJSIP/trunk-0000001f", "PJSIP/trunk")]
    #[case::dashes("PJSIP/trunk-a-0000001f", "PJSIP/trunk-a")]
    #[case::local("Local/7002@agents-00000001;2", "Local/7002@agents")]
    #[case::odd("nothing", "nothing")]
    fn a_name_tells_the_endpoint(#[case] name: &str, #[case] endpoint: &str) {
        let channel: Channel = serde_json::from_value(serde_json::json!({"id": "1", "name": name})).unwrap();
        assert_eq!(channel.endpoint(), endpoint);
    }
}
