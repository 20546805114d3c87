//! The code cache: what it gives back, and what it refuses to run.

#[path = "compile_support/mod.rs"]
#[allow(dead_code)]
mod bombs;

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use ramal_engine::{
    cache::{CacheError, CodeCache, digest_of},
    compile::Compiler,
    config::{PoolSize, serving_engine},
    precheck::{PrecheckLimits, check},
};
use rstest::rstest;
use wasmtime::Engine;

fn engine() -> Engine {
    serving_engine(&PoolSize { instances: 2, ..PoolSize::default() }).unwrap()
}

async fn get(dir: &Path) -> Loaded {
    get_from(&CodeCache::open(dir).unwrap(), &bombs::harmless()).await
}

struct Loaded {
    from_cache: bool,
}

/// As the runtime does it.
async fn get_from(cache: &CodeCache, wasm: &[u8]) -> Loaded {
    let engine = engine();
    if cache.get(&engine, digest_of(wasm)).await.is_some() {
        return Loaded { from_cache: true };
    }
    let compiler = Compiler::program(env!("CARGO_BIN_EXE_ramal-compile-worker"));
    let checked = check(wasm, &PrecheckLimits::default()).unwrap();
    cache.compile(&engine, &compiler, &checked).await.unwrap();
    Loaded { from_cache: false }
}

/// A directory whose parent is fresh; the cache makes it itself.
fn place() -> (tempfile::TempDir, PathBuf) {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("code");
    (parent, dir)
}

fn file(dir: &Path, extension: &str) -> PathBuf {
    let mut found = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    found.find(|path| path.extension().is_some_and(|found| found == extension)).unwrap()
}

/// Changes the byte in the middle, as an attacker or a bad disk would.
fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[tokio::test]
async fn a_plugin_is_compiled_once() {
    let (_parent, dir) = place();
    let first = get(&dir).await;
    assert!(!first.from_cache);
    assert!(get(&dir).await.from_cache);
}

#[tokio::test]
async fn nobody_else_can_read_or_write_the_cache() {
    let (_parent, dir) = place();
    get(&dir).await;
    assert_eq!(mode(&dir), 0o700);
    for entry in fs::read_dir(&dir).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    assert_eq!(fs::read(dir.join("key")).unwrap().len(), 32);
}

#[rstest]
#[case::code_changed(|dir: &Path| flip(&file(dir, "cwasm")))]
#[case::signature_changed(|dir: &Path| flip(&file(dir, "mac")))]
#[case::signature_missing(|dir: &Path| fs::remove_file(file(dir, "mac")).unwrap())]
#[case::signature_empty(|dir: &Path| fs::write(file(dir, "mac"), b"").unwrap())]
#[case::code_cut_off(|dir: &Path| fs::write(file(dir, "cwasm"), b"\x7fELF").unwrap())]
#[case::code_is_a_link(|dir: &Path| {
    let (code, elsewhere) = (file(dir, "cwasm"), dir.with_file_name("elsewhere"));
    fs::rename(&code, &elsewhere).unwrap();
    std::os::unix::fs::symlink(elsewhere, code).unwrap();
})]
#[case::another_key(|dir: &Path| fs::write(dir.join("key"), [7; 32]).unwrap())]
#[case::key_gone(|dir: &Path| fs::remove_file(dir.join("key")).unwrap())]
#[tokio::test]
async fn code_that_does_not_prove_its_origin_is_compiled_again(#[case] tamper: fn(&Path)) {
    let (_parent, dir) = place();
    get(&dir).await;
    assert!(get(&dir).await.from_cache, "untouched, it must be used: else this test proves nothing");
    tamper(&dir);
    assert!(!get(&dir).await.from_cache);
    assert!(get(&dir).await.from_cache, "and what replaced it is used again");
}

#[tokio::test]
async fn code_signed_for_another_plugin_is_not_used() {
    let (_parent, dir) = place();
    get(&dir).await;
    let cache = CodeCache::open(&dir).unwrap();
    let other = bombs::around("(func (export \"other\"))");
    // The first plugin's valid pair of files, under the second one's name.
    for extension in ["cwasm", "mac"] {
        let from = file(&dir, extension);
        let name = from.file_name().unwrap().to_str().unwrap();
        let renamed = name.replace(&hex(digest_of(&bombs::harmless())), &hex(digest_of(&other)));
        assert_ne!(name, renamed);
        fs::rename(&from, dir.join(renamed)).unwrap();
    }
    assert!(!get_from(&cache, &other).await.from_cache);
}

#[rstest]
#[case::everybody(0o777)]
#[case::group(0o770)]
#[case::readable(0o755)]
fn a_directory_that_others_may_enter_is_refused(#[case] permissions: u32) {
    let (_parent, dir) = place();
    fs::create_dir(&dir).unwrap();
    fs::set_permissions(&dir, Permissions::from_mode(permissions)).unwrap();
    assert!(matches!(CodeCache::open(&dir), Err(CacheError::Unsafe { mode: "700", .. })));
}

#[test]
fn a_key_that_others_may_read_is_refused() {
    let (_parent, dir) = place();
    CodeCache::open(&dir).unwrap();
    fs::set_permissions(dir.join("key"), Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(CodeCache::open(&dir), Err(CacheError::Unsafe { mode: "600", .. })));
}

#[test]
fn a_damaged_key_is_named() {
    let (_parent, dir) = place();
    CodeCache::open(&dir).unwrap();
    fs::write(dir.join("key"), b"short").unwrap();
    assert!(matches!(CodeCache::open(&dir), Err(CacheError::Key { .. })));
}

#[test]
fn servers_that_start_at_once_share_one_key() {
    let (_parent, dir) = place();
    fs::create_dir(&dir).unwrap();
    fs::set_permissions(&dir, Permissions::from_mode(0o700)).unwrap();
    std::thread::scope(|scope| {
        let open = || drop(CodeCache::open(&dir).unwrap());
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
    let names: Vec<_> = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["key"], "one key, and nothing left over");
}

#[tokio::test]
async fn only_plugins_that_are_installed_are_retained() {
    let (_parent, dir) = place();
    get(&dir).await;
    let cache = CodeCache::open(&dir).unwrap();
    fs::write(dir.join(".new-left-over"), b"").unwrap();
    cache.retain(&[digest_of(&bombs::harmless())]).unwrap();
    assert!(!dir.join(".new-left-over").exists());
    assert!(get(&dir).await.from_cache);
    cache.retain(&[]).unwrap();
    assert!(!get(&dir).await.from_cache);
}

/// The directory vanishes while the server runs: the worst that can happen to a cache.
#[tokio::test]
async fn a_plugin_runs_even_if_its_code_cannot_be_kept() {
    let (_parent, dir) = place();
    let cache = CodeCache::open(&dir).unwrap();
    fs::remove_dir_all(&dir).unwrap();
    let loaded = get_from(&cache, &bombs::harmless()).await;
    assert!(!loaded.from_cache);
}

fn hex(digest: ramal_capability::Digest) -> String {
    digest.to_string().replace("sha256:", "")
}
