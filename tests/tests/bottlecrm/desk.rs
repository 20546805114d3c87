//! The plugin for BottleCRM at its desk.

use ramal_tests::bottlecrm::BottleCrm;
use ramal_tests::bottlecrm_plugin::{component, credentials, grant, settings};

use crate::desk::Setup;
pub(crate) use crate::desk::{Desk, candidates, refused, words};

/// One server for a test, or the end of the test if it cannot be had.
macro_rules! bottlecrm_or_skip {
    ($test:literal) => {
        bottlecrm_or_skip!($test, start)
    };
    ($test:literal, $start:ident) => {
        match ramal_tests::bottlecrm::BottleCrm::$start().await.unwrap().or_skip($test) {
            Some(bottlecrm) => bottlecrm,
            None => return,
        }
    };
}
pub(crate) use bottlecrm_or_skip;

impl Desk {
    /// Straight to BottleCRM.
    pub(crate) async fn bottlecrm(bottlecrm: &BottleCrm) -> Self {
        Self::bottlecrm_at(bottlecrm, &bottlecrm.origin, &grant(&bottlecrm.origin)).await
    }

    /// By way of something in between, under another grant.
    pub(crate) async fn bottlecrm_at(bottlecrm: &BottleCrm, origin: &str, grant: &str) -> Self {
        Self::of(Setup {
            component: component().unwrap_or_else(|e| panic!("{e}")),
            code: "bottlecrm-code",
            credentials: credentials(bottlecrm).unwrap(),
            grant,
            settings: settings(origin),
            // What a hit matched on is listed in part only.
            has_misfits: true,
        })
        .await
    }
}
