//! Every item of the contract is documented. A vendor in another language has nothing but these words: what is not
//! said there is guessed, and a guess is a plugin that works with one host only.

use rstest::rstest;

use crate::assert_none;
use crate::files::{File, project};

/// What names an item that is described where it is defined.
const REFERENCES: &[&str] = &["package ", "use ", "import ", "export "];

/// Items without `///` right above them.
fn undocumented(files: &[File]) -> Vec<String> {
    let mut violations = Vec::new();
    for file in files.iter().filter(|file| file.path.ends_with(".wit")) {
        // Whether the next line begins an item, and whether words stand above it.
        let (mut begins, mut documented) = (true, false);
        for (number, line) in file.text.lines().enumerate() {
            let line = line.trim();
            if line.starts_with("//") {
                documented =
                    documented || line.strip_prefix("///").is_some_and(|words| !words.trim().is_empty());
                continue;
            }
            let is_item = !line.is_empty() && !line.starts_with('}');
            let refers = REFERENCES.iter().any(|word| line.starts_with(word));
            if is_item && begins && !documented && !refers {
                violations.push(format!("{}:{}: {line}", file.path, number + 1));
            }
            begins =
                if refers { line.ends_with(';') } else { !is_item || line.ends_with([';', ',', '{', '}']) };
            documented = false;
        }
    }
    violations
}

#[test]
fn every_item_of_the_contract_says_what_it_is() {
    assert_none("items of wit/ without `///`", &undocumented(&project()));
}

// === sabotage ===

#[rstest]
#[case::interface("interface a {\n}", 1)]
#[case::field("/// A.\nrecord a {\n    /// B.\n    b: u32,\n    c: u32,\n}", 1)]
#[case::word_of_an_enum("/// A.\nenum a {\n    b,\n    /// C.\n    c,\n}", 1)]
#[case::function("/// A.\ninterface a {\n    /// B.\n    b: func();\n\n    c: func();\n}", 1)]
#[case::words_far_above("/// A.\n\ninterface a {\n}", 1)]
#[case::empty_words("///\ninterface a {\n}", 1)]
#[case::comment("// A.\ninterface a {\n}", 1)]
#[case::good("package a:b@0.1.0;\n\n/// A.\nworld a {\n    import b;\n    use c.{\n        d\n    };\n}", 0)]
#[case::several_lines("/// A.\ninterface a {\n    /// B.\n    b: func(c: u32)\n        -> u32;\n}", 0)]
fn planted_items_without_words_are_caught(#[case] text: &str, #[case] expected: usize) {
    let found = undocumented(&[File::new("wit/x.wit", text)]);
    assert_eq!(found.len(), expected, "{found:?}");
}
