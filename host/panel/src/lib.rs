//! The page that the server embeds.
//!
//! It is made of `ui/` by `make panel`, which needs Node, and lies in `dist/` when this crate is built. Without it the
//! host is whole all the same, and a small page says how to get the panel.
//!
//! The server sends the files under a content security policy that allows no inline script or style and no other host,
//! and with trusted types switched on: a customer's name that looks like HTML can only become text. The tests here keep
//! the files and their sources within that policy, and the two languages complete.
#![deny(missing_docs)]

use std::sync::LazyLock;

/// One file of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// Its media type.
    pub content_type: &'static str,
    /// Its content.
    pub body: &'static [u8],
    /// The same packed by gzip, where that is worth it.
    pub gzip: Option<&'static [u8]>,
    /// Its entity tag, in quotes: changes when the content does.
    pub etag: &'static str,
    /// Whether the name changes when the content does, so that a browser never has to ask again.
    pub immutable: bool,
}

/// A file as `build.rs` lists it.
struct File {
    path: &'static str,
    kind: &'static str,
    body: &'static [u8],
    gzip: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/files.rs"));

static ASSETS: LazyLock<Vec<(&'static str, Asset)>> = LazyLock::new(|| {
    let asset = |file: &File| Asset {
        content_type: file.kind,
        body: file.body,
        gzip: file.gzip,
        // Once for the life of the process, so leaking is keeping.
        etag: Box::leak(etag(file.body).into_boxed_str()),
        immutable: BUILT && file.path.starts_with("/panel/"),
    };
    FILES.iter().map(|file| (file.path, asset(file))).collect()
});

/// The file at a path of the server; `/` is the page itself.
pub fn asset(path: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|(at, _)| *at == path).map(|(_, asset)| asset)
}

/// Whether the panel is in this build, and not the small page that says how to get it.
pub fn is_built() -> bool {
    BUILT
}

fn etag(body: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body);
    let half = digest.as_ref().get(..16).unwrap_or_default();
    format!("\"{}\"", data_encoding::HEXLOWER.encode(half))
}

#[cfg(test)]
mod tests;
