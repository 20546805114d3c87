//! Links of the documents lead to files and headings that are there.

use std::fs;
use std::path::{Path, PathBuf};

use ramal_tests::docs::{anchor, links};

use crate::workspace;

/// Every page of the project, without what is built or installed.
fn pages(folder: &Path, into: &mut Vec<PathBuf>) {
    const SKIPPED: [&str; 6] = [".git", "target", "node_modules", ".venv", "practice-data", "cache"];
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()) {
        let (path, name) = (entry.path(), entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            if !SKIPPED.iter().any(|skipped| name == *skipped) {
                pages(&path, into);
            }
        } else if path.extension().is_some_and(|end| end == "md") {
            into.push(path);
        }
    }
}

#[test]
fn every_link_of_the_documents_leads_somewhere() {
    let mut all = Vec::new();
    pages(workspace(), &mut all);
    for page in ["README.md", "SECURITY.md", "wit/README.md", "fuzz/README.md", "docs/vendor.md"] {
        assert!(all.contains(&workspace().join(page)), "{page} was not read");
    }
    let mut broken = Vec::new();
    for path in all {
        let text = fs::read_to_string(&path).unwrap();
        for (line, target) in links(&text) {
            if target.contains("://") {
                continue;
            }
            let (file, heading) = target.split_once('#').unwrap_or((target.as_str(), ""));
            let to = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            let place = format!("{}:{line}: {target}", path.strip_prefix(workspace()).unwrap().display());
            if !to.exists() {
                broken.push(place);
            } else if !heading.is_empty() {
                let there = fs::read_to_string(&to).unwrap_or_default();
                let headings =
                    there.lines().filter_map(|line| line.trim_start_matches('#').strip_prefix(' '));
                if !headings.map(anchor).any(|known| known == heading) {
                    broken.push(place);
                }
            }
        }
    }
    assert!(broken.is_empty(), "links that lead nowhere:\n  {}\n", broken.join("\n  "));
}
