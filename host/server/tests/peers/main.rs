//! A whole host, put together from its configuration, against servers that are not ours: a receiver of webhooks and an
//! authorization server. All people, numbers and secrets are invented.

mod connect;
#[path = "../../../credentials/tests/oidc/server.rs"]
#[allow(dead_code, reason = "the tests of credentials use all of it")]
mod oidc;
mod receiver;
#[path = "../support/mod.rs"]
mod support;
mod webhooks;

use std::path::Path;

use axum::Router;
use ramal_server::{Composed, ServerConfig, compose, router};
use support::{SECRET, TOKEN};

/// A host with its data in a folder.
pub(crate) struct Host {
    pub(crate) composed: Composed,
    pub(crate) http: Router,
}

/// The configuration of a host whose tenant `acme` has this besides.
pub(crate) fn config(folder: &Path, before: &str, more: &str) -> ServerConfig {
    let text = format!(
        "data = \"data\"\n{before}\n[[tenant]]\nid = \"acme\"\n[[tenant.source]]\nid = \"pbx\"\nsecret = \"{SECRET}\"\n\
         [[tenant.token]]\nid = \"panel\"\ntoken = \"{TOKEN}\"\n{more}"
    );
    ServerConfig::parse(&text, Path::new("ramal.toml"), folder).unwrap()
}

impl Host {
    pub(crate) async fn start(config: &ServerConfig) -> Self {
        let composed = compose(config, None, Vec::new()).await.unwrap();
        let http = router(composed.state.clone());
        Self { composed, http }
    }
}
