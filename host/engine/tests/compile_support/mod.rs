//! Components that a compiler should not be trusted with, made at test time.

use std::fmt::Write as _;

/// A component around a core module that is written as text.
pub(crate) fn around(module: &str) -> Vec<u8> {
    wat::parse_str(format!("(component (core module {module}))")).unwrap()
}

/// A small component that any compiler copes with.
pub(crate) fn harmless() -> Vec<u8> {
    around("(memory 1) (func (export \"f\") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))")
}

/// Many functions: memory per function.
pub(crate) fn functions(count: usize) -> Vec<u8> {
    around(&"(func (result i32) (i32.const 1))".repeat(count))
}

/// One long function without a jump.
pub(crate) fn straight_line(operations: usize) -> Vec<u8> {
    around(&format!(
        "(func (param i32) (result i32) local.get 0 {})",
        "local.get 0 i32.add ".repeat(operations / 2)
    ))
}

/// One function of many basic blocks: passes that are quadratic in them.
pub(crate) fn blocks(count: usize) -> Vec<u8> {
    around(&format!(
        "(func (param i32) {} {})",
        "block local.get 0 br_if 0 ".repeat(count),
        "end ".repeat(count)
    ))
}

/// Many variables that stay alive over many loops: time and memory grow with the product.
pub(crate) fn locals_times_loops(locals: usize, loops: usize) -> Vec<u8> {
    let mut body = format!("(func (param i32) (local {}) ", "i32 ".repeat(locals));
    for loop_ in 0..loops {
        let local = 1 + loop_ % locals;
        write!(body, "loop local.get {local} i32.const 1 i32.add local.set {local} local.get 0 br_if 0 end ")
            .unwrap();
    }
    for local in 1..=locals {
        write!(body, "local.get {local} drop ").unwrap();
    }
    body.push(')');
    around(&body)
}
