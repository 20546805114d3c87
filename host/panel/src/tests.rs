use super::*;
use rstest::rstest;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("ui/src")
}

/// Every source of the page with its text, without the words.
fn code() -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut folders = vec![sources()];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end != "ftl") {
                files.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(files.len() > 30, "the sources were not read");
    files
}

/// The messages of a catalogue: of the Fluent syntax as much as ours use.
fn words(language: &str) -> BTreeMap<String, String> {
    let text = fs::read_to_string(sources().join(format!("words/{language}.ftl"))).unwrap();
    let mut words: BTreeMap<String, String> = BTreeMap::new();
    let mut last = String::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
        if line.starts_with(' ') {
            words.get_mut(&last).unwrap().push_str(line);
        } else {
            let (key, said) = line.split_once(" =").unwrap_or_else(|| panic!("{line}"));
            assert!(words.insert(key.to_owned(), said.trim().to_owned()).is_none(), "`{key}` stands twice");
            key.clone_into(&mut last);
        }
    }
    words
}

/// What stands between `before` and the next `after`, at every place.
fn between<'a>(text: &'a str, before: &str, after: char) -> Vec<&'a str> {
    text.split(before).skip(1).map(|rest| rest.split(after).next().unwrap()).collect()
}

fn variables(text: &str) -> BTreeSet<&str> {
    let name =
        |rest: &'_ str| rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    text.split('$').skip(1).map(|rest| &rest[..name(rest)]).collect()
}

fn text(path: &str) -> &'static str {
    std::str::from_utf8(asset(path).unwrap().body).unwrap()
}

#[rstest]
#[case::page("/", Some("text/html; charset=utf-8"))]
#[case::icon("/favicon.svg", Some("image/svg+xml"))]
#[case::missing("/panel/nothing.js", None)]
#[case::climbing("/panel/../Cargo.toml", None)]
#[case::hidden("/panel/.gitignore", None)]
#[case::empty("", None)]
fn only_the_listed_files_are_served(#[case] path: &str, #[case] kind: Option<&str>) {
    assert_eq!(asset(path).map(|a| a.content_type), kind);
}

#[test]
fn every_file_has_an_etag_of_its_own() {
    let tags: BTreeSet<&str> = ASSETS.iter().map(|(_, asset)| asset.etag).collect();
    assert_eq!(tags.len(), ASSETS.len());
    assert!(tags.iter().all(|tag| tag.len() == 34 && tag.starts_with('"') && tag.ends_with('"')));
}

#[test]
fn a_browser_keeps_for_good_only_what_changes_its_name() {
    for (path, asset) in ASSETS.iter() {
        assert_eq!(asset.immutable, is_built() && path.starts_with("/panel/"), "{path}");
    }
}

#[test]
fn the_page_asks_for_nothing_that_is_not_here() {
    for attribute in ["src=\"", "href=\""] {
        for path in between(text("/"), attribute, '"') {
            assert!(asset(path).is_some(), "{path}");
        }
    }
}

#[test]
fn without_node_the_page_says_how_to_get_the_panel() {
    let unbuilt = include_str!("../assets/unbuilt.html");
    assert!(unbuilt.matches("make panel").count() == 2 && unbuilt.contains("lang=\"pt-BR\""));
    assert!(is_built() || text("/") == unbuilt);
}

#[rstest]
#[case::built(None)]
#[case::unbuilt(Some(include_str!("../assets/unbuilt.html")))]
fn the_page_keeps_to_its_content_security_policy(#[case] page: Option<&str>) {
    let page = page.unwrap_or_else(|| text("/"));
    for forbidden in ["<style", "style=\"", " onclick", " onload", "javascript:", "http://", "https://"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    for script in between(page, "<script", '>') {
        assert!(script.starts_with(" type=\"module\"") && script.contains(" src=\"/panel/"), "{script}");
    }
    for (path, asset) in ASSETS.iter() {
        let body = std::str::from_utf8(asset.body).unwrap();
        let forbidden: &[&str] = match asset.content_type.split(';').next() {
            Some("text/javascript") => &[
                ".innerHTML=",
                ".outerHTML=",
                "insertAdjacentHTML",
                "createPolicy",
                "document.write",
                "eval(",
                "new Function",
            ],
            Some("text/css") => &["url(", "@import"],
            _ => &[],
        };
        for word in forbidden {
            assert!(!body.contains(word), "{path}: {word}");
        }
    }
}

#[test]
fn values_become_text_and_styles_stand_in_style_sheets() {
    for (path, text) in code() {
        for forbidden in ["{@html", "innerHTML", " style=", "eval(", "http://", "https://"] {
            assert!(!text.contains(forbidden), "{path}: {forbidden}");
        }
    }
}

#[test]
fn the_page_talks_to_the_public_api_only() {
    for (path, text) in code() {
        for call in between(&text, "fetch(", ')') {
            // The one place that asks, and the door of the printed address.
            let allowed = (path.ends_with("lib/api.ts") && call == "path, asked")
                || (path.ends_with("frame/Login.svelte") && call.starts_with("`/?token="));
            assert!(allowed, "{path}: fetch({call})");
        }
    }
}

#[test]
fn both_languages_say_the_same_things() {
    let (english, portuguese) = (words("en"), words("pt-BR"));
    assert_eq!(english.keys().collect::<Vec<_>>(), portuguese.keys().collect::<Vec<_>>());
    for (key, text) in &english {
        let other = &portuguese[key];
        assert!(!text.is_empty() && !other.is_empty(), "{key}");
        // Where a language has a word for one, it need not say the number.
        assert_eq!(variables(text), variables(other), "{key}");
    }
}

#[test]
fn every_word_that_is_used_exists_and_every_word_is_used() {
    let english = words("en");
    let mut used = BTreeSet::new();
    let mut families = BTreeSet::new();
    let code = code();
    for (_, text) in &code {
        for quote in ['"', '\''] {
            // `t("` as a call of its own, not the end of `split("`.
            let call = format!("t({quote}");
            let calls =
                text.match_indices(&call).filter(|(at, _)| !text[..*at].ends_with(char::is_alphanumeric));
            used.extend(calls.map(|(at, _)| text[at + 3..].split(quote).next().unwrap()));
        }
        families.extend(between(text, "named(\"", '"'));
        families.extend(between(text, "named(FAMILY", '"').iter().flat_map(|_| ["channel", "way", "state"]));
        // Keys that are put together from data: `t(`level-${…}`)`.
        families.extend(between(text, "t(`", '$').into_iter().map(|head| head.trim_end_matches('-')));
    }
    for key in &used {
        assert!(english.contains_key(*key), "`{key}` has no words");
    }
    // Keys that stand in tables: of the pages, of the navigation.
    let tables = ["desk", "conversations", "history", "governance", "interaction", "nowhere"];
    for key in english.keys() {
        let known = used.contains(key.as_str())
            || tables.contains(&key.as_str())
            || families.iter().any(|family| !family.is_empty() && key.starts_with(&format!("{family}-")));
        assert!(known, "`{key}` is not used");
    }
}

#[rstest]
#[case::levels("level", &["none", "exists", "masked", "sealed", "clear"])]
#[case::sees("sees", &["none", "exists", "masked", "sealed", "clear"])]
#[case::directions("direction", &["to-plugin", "from-crm"])]
#[case::states("state", &["ringing", "answered", "held", "open", "ended"])]
#[case::causes("cause", &[
    "completed", "missed", "abandoned", "busy", "rejected", "failed", "no-answer", "voicemail", "closed", "idle",
])]
#[case::failures("failed", &["denied", "unavailable", "timeout", "auth-expired", "rate-limited", "not-supported", "broken", "interrupted"])]
#[case::channels("channel", &["fixed", "mobile", "whatsapp", "sms"])]
#[case::ways("way", &["inbound", "outbound", "internal"])]
#[case::messages("status", &["received", "queued", "sent", "delivered", "read", "failed"])]
#[case::journal("journal", &["written", "dead", "withheld"])]
#[case::deliveries("delivery", &["open", "done", "dead"])]
#[case::plugins("plugin", &["serving", "resting", "ended", "not-loaded"])]
#[case::plugin_texts("plugin-text", &["serving", "resting", "ended", "not-loaded"])]
#[case::credentials("credential", &["missing", "valid", "refreshing", "expires-soon", "needs-reconnect", "unreadable"])]
#[case::health("health", &["listening", "connected", "reconnecting", "replaced", "off", "silent", "gone"])]
#[case::kinds("kind", &["events", "whatsapp", "twilio", "gammu", "mapped", "asterisk", "asterisk-queues", "unknown"])]
#[case::data("data", &["number", "name", "text", "media", "recording", "metadata"])]
#[case::events("event", &[
    "answered", "held", "resumed", "leg-opened", "leg-closed", "day-closed", "recording-started", "recording-paused",
    "recording-resumed", "recording-ready", "recording-deleted", "contact-linked",
])]
#[case::classes("class", &[
    "contact.name", "contact.organization", "contact.phone", "contact.email", "contact.document", "contact.address",
    "contact.birth", "contact.note", "interaction.meta", "interaction.text", "recording.link", "recording.audio",
    "work.item", "agent", "sensitive",
])]
fn every_word_of_the_api_has_words_for_people(#[case] family: &str, #[case] members: &[&str]) {
    let english = words("en");
    for member in members {
        assert!(english.contains_key(&format!("{family}-{}", member.replace('.', "-"))), "{family}-{member}");
    }
}
