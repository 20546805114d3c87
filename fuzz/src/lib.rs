//! What must hold for any bytes that a stranger writes, a check for each parser. The fuzz targets feed them; the tests of
//! the workspace feed them the corpus, so that a change that breaks one is seen without a nightly toolchain.

pub mod body;
#[cfg(feature = "engine")]
pub mod component;
pub mod grant;
pub mod hook;
pub mod manifest;
#[cfg(feature = "channels")]
pub mod mapping;
pub mod plan;
pub mod projection;
pub mod template;
