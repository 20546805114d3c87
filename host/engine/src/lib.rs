//! The runtime: wasmtime, a fresh instance per call, every limit enforced

pub mod cache;
pub mod compile;
pub mod config;
pub mod precheck;
