//! The musts of the draft's text that no schema says: what refers to what, and what may not stand where. Written from
//! the text, not from the serializer.

use std::collections::BTreeSet;

use serde_json::Value;

/// What in the document the draft forbids.
pub(super) fn violations(document: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let parties = len(&document["parties"]);
    let dialogs = document["dialog"].as_array().cloned().unwrap_or_default();
    let mut must = |holds: bool, what: String| {
        if !holds {
            wrong.push(what);
        }
    };
    must(document["vcon"] == "0.4.0", "syntax".to_owned());
    for (place, dialog) in dialogs.iter().enumerate() {
        let kind = dialog["type"].as_str().unwrap_or_default();
        let has = |name: &str| dialog.get(name).is_some();
        let of_party = ["parties", "transferee", "transferor", "transfer_target", "originator"];
        for name in of_party {
            must(indices(&dialog[name]).iter().all(|i| *i < parties), format!("{place}: {name}"));
        }
        for one in dialog["party_history"].as_array().into_iter().flatten() {
            must(indices(&one["party"]).iter().all(|i| *i < parties), format!("{place}: party_history"));
        }
        for name in ["recordings", "recording_set", "original", "target_dialog", "consultation"] {
            must(indices(&dialog[name]).iter().all(|i| *i < dialogs.len()), format!("{place}: {name}"));
        }
        let content = ["body", "encoding", "url", "content_hash"];
        if ["incomplete", "transfer", "recording-set"].contains(&kind) {
            must(!content.iter().any(|name| has(name)), format!("{place}: a {kind} has content"));
        }
        must(has("url") == has("content_hash"), format!("{place}: url without hash"));
        must(has("body") == has("encoding"), format!("{place}: body without encoding"));
        if let Some(url) = dialog["url"].as_str() {
            must(url.starts_with("https://"), format!("{place}: not HTTPS"));
        }
        must(has("disposition") == (kind == "incomplete"), format!("{place}: disposition"));
        must(has("recordings") == (kind == "recording-set"), format!("{place}: recordings"));
        must(!has("recording_set") || kind == "recording", format!("{place}: recording_set"));
        if kind == "transfer" {
            let barred = ["parties", "originator", "mediatype", "filename"];
            must(!barred.iter().any(|name| has(name)), format!("{place}: a transfer has too much"));
            for name in ["original", "target_dialog"] {
                let talk = |i: &usize| ["recording", "text", "incomplete"].contains(&kind_at(&dialogs, *i));
                must(indices(&dialog[name]).iter().all(talk), format!("{place}: {name} is no talk"));
                must(!indices(&dialog[name]).is_empty(), format!("{place}: {name} is empty"));
            }
        }
        if kind == "recording-set" {
            let members: BTreeSet<usize> = indices(&dialog["recordings"]).into_iter().collect();
            let belongs = |(i, other): (usize, &Value)| {
                (indices(&other["recording_set"]) == [place]) == members.contains(&i)
            };
            must(dialogs.iter().enumerate().all(belongs), format!("{place}: the set and its parts disagree"));
        }
        must(dialog["duration"].as_f64().is_none_or(|d| d >= 0.0), format!("{place}: duration"));
    }
    for (place, one) in document["attachments"].as_array().into_iter().flatten().enumerate() {
        must(indices(&one["party"]).iter().all(|i| *i < parties), format!("attachment {place}: party"));
        must(
            indices(&one["dialog"]).iter().all(|i| *i < dialogs.len()),
            format!("attachment {place}: dialog"),
        );
    }
    for one in document["analysis"].as_array().into_iter().flatten() {
        must(indices(&one["dialog"]).iter().all(|i| *i < dialogs.len()), "analysis: dialog".to_owned());
    }
    wrong
}

fn kind_at(dialogs: &[Value], index: usize) -> &str {
    dialogs.get(index).and_then(|dialog| dialog["type"].as_str()).unwrap_or_default()
}

fn len(list: &Value) -> usize {
    list.as_array().map_or(0, Vec::len)
}

/// One index or a list of them.
fn indices(value: &Value) -> Vec<usize> {
    let index = |value: &Value| value.as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
    match value {
        Value::Null => Vec::new(),
        Value::Array(list) => list.iter().map(index).collect(),
        one => vec![index(one)],
    }
}

#[test]
fn the_rules_see_what_they_are_there_for() {
    let planted = serde_json::json!({
        "vcon": "0.4.0", "parties": [{}],
        "dialog": [
            { "type": "recording", "parties": [0, 1], "url": "http://x.example/a" },
            { "type": "incomplete", "parties": [0], "body": "x", "encoding": "none" },
            { "type": "transfer", "transferee": 0, "original": [9], "target_dialog": [0] },
            { "type": "recording-set", "recordings": [0] },
        ],
        "analysis": [{ "dialog": [7] }],
    });
    let found = violations(&planted);
    for expected in [
        "0: parties",
        "0: url without hash",
        "0: not HTTPS",
        "1: a incomplete has content",
        "1: disposition",
        "2: original",
        "2: original is no talk",
        "3: the set and its parts disagree",
        "analysis: dialog",
    ] {
        assert!(found.iter().any(|one| one == expected), "{expected} is not in {found:?}");
    }
}
