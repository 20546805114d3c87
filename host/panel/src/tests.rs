use super::*;
use rstest::rstest;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

fn words(language: &str) -> Map<String, Value> {
    let asset = asset(&format!("/panel/words.{language}.json")).unwrap();
    serde_json::from_str::<Value>(asset.body).unwrap().as_object().unwrap().clone()
}

fn scripts() -> impl Iterator<Item = (&'static str, &'static str)> {
    FILES.iter().filter(|(path, _)| path.ends_with(".js")).map(|(path, asset)| (*path, asset.body))
}

/// What stands between `before` and the next `after`, at every place.
fn between<'a>(text: &'a str, before: &str, after: char) -> Vec<&'a str> {
    text.split(before).skip(1).map(|rest| rest.split(after).next().unwrap()).collect()
}

fn placeholders(text: &str) -> BTreeSet<&str> {
    between(text, "{", '}').into_iter().collect()
}

#[rstest]
#[case::page("/", Some("text/html; charset=utf-8"))]
#[case::script("/panel/app.js", Some("text/javascript; charset=utf-8"))]
#[case::missing("/panel/nothing.js", None)]
#[case::climbing("/panel/../Cargo.toml", None)]
#[case::empty("", None)]
fn only_the_listed_files_are_served(#[case] path: &str, #[case] kind: Option<&str>) {
    assert_eq!(asset(path).map(|a| a.content_type), kind);
}

#[test]
fn every_file_has_an_etag_of_its_own() {
    let tags: BTreeSet<&str> = FILES.iter().map(|(_, asset)| asset.etag).collect();
    assert_eq!(tags.len(), FILES.len());
    assert!(tags.iter().all(|tag| tag.len() == 34 && tag.starts_with('"') && tag.ends_with('"')));
}

#[test]
fn the_page_asks_for_nothing_that_is_not_here() {
    let page = asset("/").unwrap().body;
    for attribute in ["src=\"", "href=\""] {
        for path in between(page, attribute, '"') {
            assert!(path.starts_with('#') || asset(path).is_some(), "{path}");
        }
    }
    for (name, body) in scripts() {
        for module in between(body, "from \"./", '"') {
            assert!(asset(&format!("/panel/{module}")).is_some(), "{name} imports {module}");
        }
    }
}

#[test]
fn the_page_keeps_to_its_content_security_policy() {
    let page = asset("/").unwrap().body;
    for forbidden in ["<style", "style=\"", " onclick", " onload", "javascript:", "http://", "https://"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    assert!(page.matches("<script").count() == 1 && page.contains("<script type=\"module\" src="));
    for (name, body) in scripts() {
        for forbidden in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            ".style.",
        ] {
            assert!(!body.contains(forbidden), "{name}: {forbidden}");
        }
    }
    assert!(!asset("/panel/style.css").unwrap().body.contains("url("));
}

#[test]
fn both_languages_say_the_same_things() {
    let (english, portuguese) = (words("en"), words("pt-BR"));
    assert_eq!(english.keys().collect::<Vec<_>>(), portuguese.keys().collect::<Vec<_>>());
    for (key, text) in &english {
        let (text, other) = (text.as_str().unwrap(), portuguese[key].as_str().unwrap());
        assert!(!text.is_empty() && !other.is_empty(), "{key}");
        assert_eq!(placeholders(text), placeholders(other), "{key}");
    }
}

#[test]
fn every_word_that_is_used_exists_and_every_word_is_used() {
    let english = words("en");
    let mut used = BTreeSet::new();
    let page = asset("/").unwrap().body;
    for attribute in ["data-t=\"", "data-t-label=\"", "data-t-placeholder=\""] {
        used.extend(between(page, attribute, '"'));
    }
    for (_, body) in scripts() {
        // `t("` as a call of its own, not the end of `split("`.
        let calls =
            body.match_indices("t(\"").filter(|(at, _)| !body[..*at].ends_with(char::is_alphanumeric));
        used.extend(calls.map(|(at, _)| body[at + 3..].split('"').next().unwrap()));
    }
    for key in &used {
        assert!(english.contains_key(*key), "`{key}` has no words");
    }
    // Keys that are put together from data: `level.` + the level, and their like.
    let families = ["class.", "level.", "sees.", "direction.", "state.", "cause.", "failed.", "problem."];
    for key in english.keys() {
        assert!(
            used.contains(key.as_str()) || families.iter().any(|f| key.starts_with(f)),
            "`{key}` is not used"
        );
    }
}

#[rstest]
#[case::levels("level.", &["none", "exists", "masked", "sealed", "clear"])]
#[case::sees("sees.", &["none", "exists", "masked", "sealed", "clear"])]
#[case::directions("direction.", &["to-plugin", "from-crm"])]
#[case::states("state.", &["ringing", "answered", "ended"])]
#[case::causes("cause.", &["completed", "missed", "abandoned", "busy", "rejected", "failed"])]
#[case::failures("failed.", &["denied", "unavailable", "timeout", "auth-expired", "rate-limited", "not-supported", "broken", "interrupted"])]
#[case::classes("class.", &[
    "contact.name", "contact.organization", "contact.phone", "contact.email", "contact.document", "contact.address",
    "contact.birth", "contact.note", "interaction.meta", "interaction.text", "recording.link", "recording.audio",
    "work.item", "agent", "sensitive",
])]
fn every_word_of_the_api_has_words_for_people(#[case] family: &str, #[case] members: &[&str]) {
    let english = words("en");
    for member in members {
        assert!(english.contains_key(&format!("{family}{member}")), "{family}{member}");
    }
}
