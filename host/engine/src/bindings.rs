//! The contract `ramal:crm` as Rust types, generated from `wit/`.
#![allow(missing_docs, clippy::all, clippy::pedantic, unreachable_pub)]

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "plugin",
    imports: {
        "ramal:crm/egress": async,
        "ramal:crm/store": async,
    },
    exports: { default: async },
});
