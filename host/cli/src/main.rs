//! The binary `ramal`.
fn main() {}
