//! The page that the server embeds: plain files, no build step, nothing from elsewhere.
//!
//! The server sends them under a content security policy that allows no inline script or style and no other host, and
//! with trusted types switched on: a customer's name that looks like HTML can only become text. The tests here keep
//! the files within that policy, and the two languages complete.
#![deny(missing_docs)]

use std::sync::LazyLock;

/// One file of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// Its media type.
    pub content_type: &'static str,
    /// Its content.
    pub body: &'static str,
    /// Its entity tag, in quotes: changes when the content does.
    pub etag: &'static str,
}

macro_rules! files {
    ($($path:literal = $file:literal, $kind:literal;)+) => {
        static FILES: LazyLock<Vec<(&'static str, Asset)>> = LazyLock::new(|| vec![$((
            $path,
            Asset {
                content_type: $kind,
                body: include_str!(concat!("../assets/", $file)),
                // Once for the life of the process, so leaking is keeping.
                etag: Box::leak(etag(include_str!(concat!("../assets/", $file))).into_boxed_str()),
            },
        )),+]);
    };
}

files! {
    "/" = "index.html", "text/html; charset=utf-8";
    "/favicon.svg" = "favicon.svg", "image/svg+xml";
    "/panel/style.css" = "style.css", "text/css; charset=utf-8";
    "/panel/app.js" = "app.js", "text/javascript; charset=utf-8";
    "/panel/live.js" = "live.js", "text/javascript; charset=utf-8";
    "/panel/draw.js" = "draw.js", "text/javascript; charset=utf-8";
    "/panel/words.js" = "words.js", "text/javascript; charset=utf-8";
    "/panel/words.en.json" = "words.en.json", "application/json";
    "/panel/words.pt-BR.json" = "words.pt-BR.json", "application/json";
}

/// The file at a path of the server; `/` is the page itself.
pub fn asset(path: &str) -> Option<&'static Asset> {
    FILES.iter().find(|(at, _)| *at == path).map(|(_, asset)| asset)
}

fn etag(body: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body.as_bytes());
    let half = digest.as_ref().get(..16).unwrap_or_default();
    format!("\"{}\"", data_encoding::HEXLOWER.encode(half))
}

#[cfg(test)]
mod tests;
