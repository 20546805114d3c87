//! The starting points of the fuzz targets, fed to the very checks of the targets: a parser that breaks its promise is
//! seen here, without a nightly toolchain. What a fuzzer found once stays found.

#![allow(unreachable_pub, reason = "the files below are public modules of the fuzz crate")]

use std::fs;
use std::path::Path;

#[path = "../../fuzz/src/body.rs"]
mod body;
#[path = "../../fuzz/src/component.rs"]
mod component;
#[path = "../../fuzz/src/grant.rs"]
mod grant;
#[path = "../../fuzz/src/hook.rs"]
mod hook;
#[path = "../../fuzz/src/manifest.rs"]
mod manifest;
#[path = "../../fuzz/src/mapping.rs"]
mod mapping;
#[path = "../../fuzz/src/plan.rs"]
mod plan;
#[path = "../../fuzz/src/projection.rs"]
mod projection;
#[path = "../../fuzz/src/template.rs"]
mod template;

type Check = fn(&[u8]);

const CHECKS: &[(&str, Check)] = &[
    ("body", body::check),
    ("component", component::check),
    ("grant", grant::check),
    ("hook", hook::check),
    ("manifest", manifest::check),
    ("mapping", mapping::check),
    ("projection", projection::check),
    ("template", template::check),
];

/// The reader of `ami` is private to the channels, whose own tests read its corpus.
const ELSEWHERE: &[&str] = &["ami"];

fn corpus() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus"))
}

fn inputs(target: &str) -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(corpus().join(target)).unwrap().map(|file| file.unwrap().path());
    let mut all: Vec<_> = files.map(|path| (path.display().to_string(), fs::read(&path).unwrap())).collect();
    all.sort();
    all
}

#[test]
fn every_target_has_a_check_and_starting_points() {
    let mut targets: Vec<String> = fs::read_dir(corpus().join("../fuzz_targets"))
        .unwrap()
        .map(|file| file.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    targets.sort();
    let mut known: Vec<&str> =
        CHECKS.iter().map(|(target, _)| *target).chain(ELSEWHERE.iter().copied()).collect();
    known.sort_unstable();
    assert_eq!(targets, known);
    for target in targets {
        assert!(!inputs(&target).is_empty(), "{target} has no corpus");
    }
}

/// Each input as it is, cut off at places all over it, and with single bits turned.
#[test]
fn what_a_fuzzer_starts_from_keeps_every_promise() {
    for (target, check) in CHECKS {
        for (name, data) in inputs(target) {
            let keeps = |data: &[u8], how: &str| {
                let kept = std::panic::catch_unwind(|| check(data));
                assert!(kept.is_ok(), "{target}: {name}, {how}");
            };
            keeps(&data, "as it is");
            for part in 1..16 {
                let at = data.len() * part / 16;
                keeps(&data[..at], &format!("cut off at {at}"));
                let mut turned = data.clone();
                if let Some(byte) = turned.get_mut(at) {
                    *byte ^= 1 << (part % 8);
                }
                keeps(&turned, &format!("with a bit of byte {at} turned"));
            }
        }
    }
}

/// A check that lets everything pass would say nothing: the starting points reach what they are about.
#[test]
fn the_starting_points_reach_both_ends_of_each_parser() {
    let text = |target: &str, name: &str| {
        let (_, data) = inputs(target).into_iter().find(|(file, _)| file.ends_with(name)).unwrap();
        String::from_utf8(data).unwrap()
    };
    assert!(
        ramal_capability::Manifest::parse("plugin.toml", &text("manifest", "every-kind-of-place.toml"))
            .is_ok()
    );
    assert!(ramal_capability::Manifest::parse("plugin.toml", &text("manifest", "broken.toml")).is_err());
    assert!(ramal_capability::Grant::parse("grant.toml", &text("grant", "fixed.toml")).is_ok());
    assert!(ramal_capability::Grant::parse("grant.toml", &text("grant", "broken.toml")).is_err());
    let hook = plan::plan().hooks().next().unwrap();
    let listed = |name: &str| {
        let input = text("hook", name);
        let (event, body) = input.split_once('\n').unwrap();
        hook.listed([("x-acme-event", event)], body.as_bytes())
    };
    assert_eq!(listed("/changed").unwrap().headers, [("x-acme-event".to_owned(), "changed".to_owned())]);
    assert!(listed("no-json").is_err());
}
