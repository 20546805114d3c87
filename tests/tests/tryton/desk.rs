//! The plugin for Tryton at its desk.

use ramal_tests::tryton::Tryton;
use ramal_tests::tryton_plugin::{component, credentials, grant, settings};

use crate::desk::Setup;
pub(crate) use crate::desk::{Desk, candidates, refused, words};

/// One server for a test, or the end of the test if it cannot be had.
macro_rules! tryton_or_skip {
    ($test:literal) => {
        match ramal_tests::tryton::Tryton::start().await.unwrap().or_skip($test) {
            Some(tryton) => tryton,
            None => return,
        }
    };
}
pub(crate) use tryton_or_skip;

impl Desk {
    /// Straight to Tryton.
    pub(crate) async fn tryton(tryton: &Tryton) -> Self {
        Self::tryton_at(tryton, &tryton.origin, &grant(&tryton.origin)).await
    }

    /// By way of something in between, under another grant.
    pub(crate) async fn tryton_at(tryton: &Tryton, origin: &str, grant: &str) -> Self {
        Self::of(Setup {
            component: component().unwrap_or_else(|e| panic!("{e}")),
            code: "tryton-code",
            credentials: credentials(tryton).unwrap(),
            grant,
            settings: settings(tryton, origin),
            has_misfits: false,
        })
        .await
    }
}
