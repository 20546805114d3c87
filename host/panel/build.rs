//! Lists the built page for the crate: what lies in `dist/` when `make panel` made it, else the small page that says how.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let dist = here.join("dist");
    // A folder that is always there: its `.gitignore` is committed. A missing one would be looked at anew each time.
    println!("cargo:rerun-if-changed=dist");
    println!("cargo:rerun-if-changed=assets");
    let built = dist.join("index.html").is_file();
    let mut files = if built { found(&dist)? } else { Vec::new() };
    if !built {
        println!("cargo:warning=the panel is not built: `make panel` builds it, and needs Node");
        files.push(("/".to_owned(), here.join("assets/unbuilt.html")));
        files.push(("/panel/unbuilt.css".to_owned(), here.join("assets/unbuilt.css")));
    }
    files.push(("/favicon.svg".to_owned(), here.join("assets/favicon.svg")));
    let mut list = format!("pub(crate) const BUILT: bool = {built};\npub(crate) const FILES: &[File] = &[\n");
    for (address, file) in &files {
        let packed = PathBuf::from(format!("{}.gz", file.display()));
        let gzip =
            if packed.is_file() { format!("Some(include_bytes!({packed:?}))") } else { "None".to_owned() };
        let _ = writeln!(
            list,
            "File {{ path: {address:?}, kind: {:?}, body: include_bytes!({file:?}), gzip: {gzip} }},",
            kind(file)
        );
    }
    list.push_str("];\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("files.rs"), list)
}

/// Every file of the folder with the address under which it is served, in a fixed order.
fn found(dist: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dist)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match name.as_str() {
            "index.html" => files.push(("/".to_owned(), path)),
            _ if name.starts_with('.') || name.ends_with(".gz") || !path.is_file() => {}
            _ => files.push((format!("/panel/{name}"), path)),
        }
    }
    files.sort();
    Ok(files)
}

fn kind(file: &Path) -> &'static str {
    match file.extension().and_then(|end| end.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}
