//! The project's files and its members, read from the work tree. Not by `git`: the rules hold for what is about
//! to be committed, and for an unpacked archive.

use std::fs;
use std::path::{Path, PathBuf};

use toml::Table;

/// A text file of the project.
#[derive(Debug, Clone)]
pub(crate) struct File {
    /// From the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }
    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }
    /// Whether the whole file is tests: `tests.rs` beside a module, or anything in a folder of tests, benches or
    /// examples.
    pub(crate) fn is_test(&self) -> bool {
        let folder = |name: &str| {
            self.path.starts_with(&format!("{name}/")) || self.path.contains(&format!("/{name}/"))
        };
        self.path.ends_with("/tests.rs") || ["tests", "benches", "examples", "fuzz"].into_iter().any(folder)
    }
}

/// A member of the workspace.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) manifest: Table,
}

impl Member {
    pub(crate) fn parse(folder: &str, text: &str) -> Self {
        let manifest: Table = text.parse().unwrap_or_else(|e| panic!("{folder}/Cargo.toml: {e}"));
        let name = manifest["package"]["name"].as_str().expect("a package has a name").to_owned();
        Self { name, manifest }
    }
}

/// The root of the project.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("tests/ lies in the root").to_path_buf()
}

/// Every text file under a root, without what is built or installed.
pub(crate) fn read_all(root: &Path) -> Vec<File> {
    const SKIPPED: [&str; 6] = [".git", "target", "node_modules", ".venv", "practice-data", "__pycache__"];
    let mut files = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let entry = entry.expect("an entry of a folder");
            let (path, kind) = (entry.path(), entry.file_type().expect("the kind of an entry"));
            let name = entry.file_name();
            if kind.is_dir() {
                if !SKIPPED.iter().any(|skipped| name.as_os_str() == *skipped) {
                    folders.push(path);
                }
            } else if kind.is_file()
                && let Ok(text) = fs::read_to_string(&path)
            {
                let path = path.strip_prefix(root).expect("a path under the root");
                files.push(File { path: path.to_string_lossy().replace('\\', "/"), text });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// The project's files.
pub(crate) fn project() -> Vec<File> {
    read_all(&root())
}

/// The workspace's members, as the root's Cargo.toml lists them.
pub(crate) fn members() -> Vec<Member> {
    let read =
        |path: PathBuf| fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let workspace: Table = read(root().join("Cargo.toml")).parse().expect("the root's Cargo.toml");
    let members = workspace["workspace"]["members"].as_array().expect("a list of members");
    let folders = members.iter().map(|member| member.as_str().expect("a folder"));
    folders.map(|folder| Member::parse(folder, &read(root().join(folder).join("Cargo.toml")))).collect()
}

/// A Rust file's code: without comments, and without a `#[cfg(test)] mod … { }`.
pub(crate) fn code(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let opens_tests = |next: &&str| next.starts_with("mod ") && next.ends_with('{');
        if line == "#[cfg(test)]" && lines.peek().is_some_and(opens_tests) {
            // rustfmt closes a module of the file at the line's start.
            lines.by_ref().find(|line| *line == "}");
            continue;
        }
        if line.trim_start().starts_with("//") {
            continue;
        }
        out.push_str(line.split(" // ").next().unwrap_or_default());
        out.push('\n');
    }
    out
}

#[test]
fn a_planted_file_is_read_and_what_is_built_is_not() {
    let dir = tempfile::tempdir().unwrap();
    for path in ["host/new/src/deep.rs", ".ci/run", "target/x.rs", "host/panel/node_modules/y.js"] {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "//! x\n").unwrap();
    }
    fs::write(dir.path().join("picture.png"), [0xff, 0xd8, 0xff]).unwrap();
    let paths: Vec<String> = read_all(dir.path()).into_iter().map(|file| file.path).collect();
    assert_eq!(paths, [".ci/run", "host/new/src/deep.rs"]);
}

#[test]
fn the_project_is_read_as_a_whole() {
    let files = project();
    for path in ["Cargo.toml", "host/capability/src/lib.rs", "guest-sdk/rust/src/lib.rs", "wit/types.wit"] {
        assert!(files.iter().any(|file| file.path == path), "{path} was not read");
    }
    assert!(members().iter().any(|member| member.name == "ramal-egress"));
}

#[test]
fn code_is_what_is_neither_comment_nor_test() {
    let text = "//! a\nuse b; // c\n#[cfg(test)]\nmod tests {\n    use d;\n}\nuse e;\n#[cfg(test)]\nmod f;\n";
    assert_eq!(code(text), "use b;\nuse e;\n#[cfg(test)]\nmod f;\n");
}
