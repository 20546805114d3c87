//! The plugin for Odoo at its desk.

use ramal_tests::odoo::Odoo;
use ramal_tests::odoo_plugin::{component, credentials, grant, settings};

use crate::desk::Setup;
pub(crate) use crate::desk::{Desk, candidates, refused, words};

/// One server for a test, or the end of the test if it cannot be had.
macro_rules! odoo_or_skip {
    ($test:literal) => {
        match ramal_tests::odoo::Odoo::start().await.unwrap().or_skip($test) {
            Some(odoo) => odoo,
            None => return,
        }
    };
}
pub(crate) use odoo_or_skip;

impl Desk {
    /// Straight to Odoo.
    pub(crate) async fn odoo(odoo: &Odoo) -> Self {
        Self::odoo_at(odoo, &odoo.origin, &grant(&odoo.origin)).await
    }

    /// By way of something in between, under another grant.
    pub(crate) async fn odoo_at(odoo: &Odoo, origin: &str, grant: &str) -> Self {
        Self::of(Setup {
            component: component().unwrap_or_else(|e| panic!("{e}")),
            code: "odoo-code",
            credentials: credentials(odoo).unwrap(),
            grant,
            settings: settings(odoo, origin),
            has_misfits: false,
        })
        .await
    }
}
