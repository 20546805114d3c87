//! Links of the documents lead to files and headings that are there.

use std::fs;

use ramal_tests::docs::{anchor, links};

use crate::workspace;

#[test]
fn every_link_of_the_documents_leads_somewhere() {
    let mut pages: Vec<_> = fs::read_dir(workspace().join("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "md"))
        .collect();
    pages.push(workspace().join("README.md"));
    let mut broken = Vec::new();
    for path in pages {
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
