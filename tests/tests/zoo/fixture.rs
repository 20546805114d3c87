//! The component with all animals. `make fixtures` builds it; a test that finds none, or one that is older than
//! its source, builds it under a lock, since each test is a process of its own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::SystemTime;

/// The manifest that is in it.
pub(crate) const MANIFEST: &str = include_str!("../../zoo/guest/plugin.toml");
/// The custom section of the manifest.
const SECTION: &str = "ramal:manifest";

/// The component, with its own manifest.
pub(crate) fn component() -> &'static [u8] {
    static COMPONENT: OnceLock<Vec<u8>> = OnceLock::new();
    COMPONENT.get_or_init(|| {
        let folder = folder();
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("zoo.wasm");
        let lock = File::create(folder.join("zoo.lock")).unwrap();
        lock.lock().unwrap();
        if !is_current(&file) {
            let options = ramal_pack::Options { out: Some(file.clone()), ..ramal_pack::Options::default() };
            ramal_pack::build(&workspace().join("tests/zoo/guest"), &options)
                .unwrap_or_else(|e| panic!("{e}"));
        }
        fs::read(&file).unwrap()
    })
}

/// Where fixtures are, and what is kept beside them.
pub(crate) fn folder() -> PathBuf {
    std::env::var_os("RAMAL_FIXTURES").map_or_else(|| workspace().join("target/ramal"), PathBuf::from)
}

pub(crate) fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn is_current(file: &Path) -> bool {
    let Ok(built) = fs::metadata(file).and_then(|m| m.modified()) else { return false };
    newest(&workspace().join("tests/zoo/guest")).max(newest(&workspace().join("wit"))) <= built
}

/// When the newest file under a folder was changed.
fn newest(folder: &Path) -> SystemTime {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries
        .map(|entry| {
            if entry.file_type().unwrap().is_dir() {
                return newest(&entry.path());
            }
            entry.metadata().unwrap().modified().unwrap()
        })
        .max()
        .unwrap_or(SystemTime::UNIX_EPOCH)
}

/// The same component with another manifest. Works on anything that begins as a component does.
pub(crate) fn with_manifest(component: &[u8], manifest: &str) -> Vec<u8> {
    let mut out = component[..8].to_vec();
    let mut rest = &component[8..];
    while let Some(&number) = rest.first() {
        let (length, head) = number_at(&rest[1..]);
        let section = &rest[..1 + head + length];
        let content = &section[1 + head..];
        let is_manifest = number == 0 && {
            let (name, head) = number_at(content);
            &content[head..head + name] == SECTION.as_bytes()
        };
        if !is_manifest {
            out.extend_from_slice(section);
        }
        rest = &rest[section.len()..];
    }
    append(&mut out, manifest);
    out
}

/// Puts a manifest at the end, whatever else is there.
pub(crate) fn append(component: &mut Vec<u8>, manifest: &str) {
    let mut content = Vec::new();
    push_number(&mut content, SECTION.len());
    content.extend_from_slice(SECTION.as_bytes());
    content.extend_from_slice(manifest.as_bytes());
    component.push(0);
    push_number(component, content.len());
    component.extend_from_slice(&content);
}

/// A number in LEB128, and how many bytes it took.
fn number_at(bytes: &[u8]) -> (usize, usize) {
    let mut value = 0;
    for (at, byte) in bytes.iter().enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return (value, at + 1);
        }
    }
    panic!("the file ends within a number");
}

fn push_number(out: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        out.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap());
}
