use rstest::rstest;

use super::*;

const PAGE: &str = "# Title\n\n```toml file=a/b.toml\nx = 1\n```\n\n```toml\ny = 2\n```\n\n```console\n$ serve --now &\nup at …\n$ one \\\n    two # exit 4\n\nline\n$ three\n```\n\n```console norun\n$ systemctl start x\n```\n";

#[test]
fn a_page_gives_its_files_and_commands() {
    let step = |line, command: &str, background, exit, shown: &[&str]| Step {
        line,
        command: command.to_owned(),
        background,
        exit,
        shown: shown.iter().map(|line| (*line).to_owned()).collect(),
    };
    assert_eq!(
        blocks(PAGE).unwrap(),
        [
            Block::File { path: "a/b.toml".to_owned(), text: "x = 1\n".to_owned() },
            Block::Console(vec![
                step(12, "serve --now", true, 0, &["up at …"]),
                step(14, "one two", false, 4, &["line"]),
                step(18, "three", false, 0, &[]),
            ]),
            Block::NotRun(21, "$ systemctl start x\n".to_owned()),
        ]
    );
}

#[rstest]
#[case::no_end("```toml\nx", 1, "the block does not end")]
#[case::nested("```toml\n```rust\n", 2, "a block begins within")]
#[case::unknown_word("```console skip\n```", 1, "there is only norun")]
#[case::misspelt_file("```toml name=x\n```", 1, "there is only file=PATH")]
#[case::output_first("text\n```console\nbuilt\n```", 3, "begins with a command")]
#[case::open_command("```console\n$ a \\\n```", 2, "ends with `\\`")]
#[case::exit_word("```console\n$ a # exit four\n```", 2, "needs a number")]
fn what_would_be_passed_over_is_an_error(#[case] page: &str, #[case] line: usize, #[case] what: &str) {
    let error = blocks(page).unwrap_err();
    assert_eq!(error.line, line);
    assert!(error.what.contains(what), "{error}");
}

#[rstest]
#[case::same("built acme", "built acme", true)]
#[case::ends_do_not_count("  built acme", "built acme  ", true)]
#[case::width_of_columns("a b  c", "  a   b c", true)]
#[case::other("built acme", "built acmes", false)]
#[case::anything_at_the_end("file …", "file x.wasm", true)]
#[case::anything_within("took … ms in …s", "took 12 ms in 3 s", true)]
#[case::order_within("a…c…b", "a b c b", true)]
#[case::wrong_order("…c…b…", "b then c", false)]
#[case::overlap("aba…aba", "aba", false)]
fn a_line_is_compared_with_gaps(#[case] shown: &str, #[case] printed: &str, #[case] like: bool) {
    assert_eq!(is_like(shown, printed), like);
}

#[rstest]
#[case::among_others(&["b", "d"], Ok(()))]
#[case::gap_of_lines(&["a", "…", "d"], Ok(()))]
#[case::missing(&["b", "x"], Err(NotPrinted("x".to_owned())))]
#[case::other_order(&["d", "b"], Err(NotPrinted("b".to_owned())))]
#[case::twice(&["b", "b"], Err(NotPrinted("b".to_owned())))]
fn shown_lines_stand_in_their_order(#[case] shown: &[&str], #[case] result: Result<(), NotPrinted>) {
    let shown: Vec<String> = shown.iter().map(|line| (*line).to_owned()).collect();
    assert_eq!(compare(&shown, ["a", "b", "c", "d"]), result);
}

#[test]
fn a_table_is_found_by_its_first_column() {
    let page = "| a | b |\n|---|---|\n| 1 | 2 |\n\n| limit | usual |\n|---|---:|\n| `x` | 1 KiB |\n| `a\\|b` | 2 |\n\nend";
    assert_eq!(table(page, "limit"), [["x", "1 KiB"], ["a|b", "2"]]);
    assert!(table(page, "limits").is_empty());
}

#[test]
fn links_are_found_outside_of_blocks() {
    let page = "see [a](b.md) and [c](d.md#e)\n```text\n[no](x.md)\n```\n![p](q.png)";
    let all: Vec<_> = links(page).into_iter().map(|(line, target)| format!("{line} {target}")).collect();
    assert_eq!(all, ["1 b.md", "1 d.md#e", "5 q.png"]);
}

#[test]
fn anchors_are_as_the_forges_make_them() {
    assert_eq!(anchor("What `std` does, in a guest"), "what-std-does-in-a-guest");
}
