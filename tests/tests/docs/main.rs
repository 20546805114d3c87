//! The readers' documents, run: every file that they show is written, every command typed, every line compared;
//! every table that repeats what code says is compared with the code; every link leads somewhere.
//!
//! A reader's first ten minutes are the only ones that all readers have. `ramal_tests::docs` says how a page is
//! written.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

mod links;
mod reader;
mod tables;

use std::fs;
use std::path::{Path, PathBuf};

use ramal_capability::{Grant, Manifest};
use ramal_tests::docs::{Block, blocks};
use rstest::rstest;

/// The pages that a reader works through.
const PAGES: [&str; 3] = ["vendor", "integrator", "admin"];

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn page_path(name: &str) -> PathBuf {
    workspace().join("docs").join(format!("{name}.md"))
}

fn page(name: &str) -> String {
    fs::read_to_string(page_path(name)).unwrap_or_else(|e| panic!("docs/{name}.md: {e}"))
}

#[rstest]
#[case::vendor("vendor")]
#[case::integrator("integrator")]
#[case::admin("admin")]
fn every_command_of_the_page_does_what_the_page_shows(#[case] name: &str) {
    reader::follow(name);
}

#[test]
fn every_manifest_and_grant_that_a_page_shows_is_whole() {
    let mut read = 0;
    for name in PAGES {
        for block in blocks(&page(name)).unwrap() {
            let Block::File { path, text } = block else { continue };
            let file = path.rsplit('/').next().unwrap_or_default();
            let wrong = match file {
                _ if file.ends_with("plugin.toml") => Manifest::parse(&path, &text).err(),
                _ if file.ends_with("grant.toml") => Grant::parse(&path, &text).err(),
                _ => continue,
            };
            read += 1;
            if let Some(error) = wrong {
                panic!("docs/{name}.md\n{}", error.render(false));
            }
        }
    }
    assert!(read >= 2, "the pages show no manifest any more");
}

#[test]
fn only_what_needs_another_machine_is_not_run() {
    for name in PAGES {
        for block in blocks(&page(name)).unwrap() {
            let Block::NotRun(line, text) = block else { continue };
            println!("docs/{name}.md:{line}: not run\n{text}");
            for command in text.lines().filter_map(|line| line.strip_prefix("$ ")) {
                let program = command.trim_start_matches("sudo ").split(' ').next().unwrap_or_default();
                assert!(
                    ["systemctl", "useradd", "install", "journalctl", "asterisk"].contains(&program),
                    "docs/{name}.md:{line}: `{program}` could be run here; remove norun"
                );
            }
        }
    }
}
