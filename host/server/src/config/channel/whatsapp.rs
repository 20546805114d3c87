//! `kind = "whatsapp"`: one number of a business on WhatsApp, by Meta's Cloud API.

use std::path::PathBuf;

use ipnet::IpNet;
use ramal_capability::Origin;
use ramal_center::SourceId;
use ramal_channels::GRAPH_VERSION;
use serde::{Deserialize, Deserializer};

use super::twilio::origin;
use crate::secret::Secret;

/// The largest file that Meta takes, a document.
const MOST_MEDIA_BYTES: u64 = 100 * 1024 * 1024;

/// One number of a business on WhatsApp.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WhatsAppConfig {
    /// Its name.
    pub id: SourceId,
    /// The WhatsApp Business Account (WABA): digits.
    pub account: String,
    /// Meta's identifier of the number: digits; not the number itself.
    pub phone_number_id: String,
    /// The business portfolio, within which users' identifiers are unique; the account when it is left out. Accounts of
    /// one portfolio name the same one, so that a customer is the same on all of them.
    #[serde(default)]
    pub portfolio: Option<String>,
    /// The app's secret, which signs what Meta posts.
    #[serde(default)]
    pub app_secret: Option<Secret>,
    /// A file that holds it.
    #[serde(default)]
    pub app_secret_file: Option<PathBuf>,
    /// The app's secret before, while it is changed over.
    #[serde(default)]
    pub previous_app_secret: Option<Secret>,
    /// A file that holds it.
    #[serde(default)]
    pub previous_app_secret_file: Option<PathBuf>,
    /// The word by which Meta verifies the address.
    #[serde(default)]
    pub verify_token: Option<Secret>,
    /// A file that holds it.
    #[serde(default)]
    pub verify_token_file: Option<PathBuf>,
    /// The token of a system user; without one nothing is sent and no file fetched.
    #[serde(default)]
    pub access_token: Option<Secret>,
    /// A file that holds it.
    #[serde(default)]
    pub access_token_file: Option<PathBuf>,
    /// The version of the Graph API.
    #[serde(default = "version")]
    pub graph_version: String,
    /// Where the Graph API is, when it is not Meta's.
    #[serde(default, deserialize_with = "origin")]
    pub graph: Option<Origin>,
    /// The hosts that files are fetched from, when it is not the one that Meta's documentation names: the token is given
    /// to no other.
    #[serde(default, deserialize_with = "origins")]
    pub media_hosts: Option<Vec<Origin>>,
    /// Address ranges that are not public and that these may lead to.
    #[serde(default)]
    pub private: Vec<IpNet>,
    /// How many messages a second the number may send.
    #[serde(default = "per_second")]
    pub messages_per_second: u32,
    /// The largest file that is fetched.
    #[serde(default = "most_media_bytes")]
    pub most_media_bytes: u64,
}

fn version() -> String {
    GRAPH_VERSION.to_owned()
}

fn per_second() -> u32 {
    80
}

fn most_media_bytes() -> u64 {
    MOST_MEDIA_BYTES
}

fn origins<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Origin>>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts
        .iter()
        .map(|text| text.parse().map_err(serde::de::Error::custom))
        .collect::<Result<_, _>>()
        .map(Some)
}

impl WhatsAppConfig {
    pub(super) fn paths(&mut self) -> Vec<&mut PathBuf> {
        [
            &mut self.app_secret_file,
            &mut self.previous_app_secret_file,
            &mut self.verify_token_file,
            &mut self.access_token_file,
        ]
        .into_iter()
        .filter_map(Option::as_mut)
        .collect()
    }

    /// The first rule that is broken, in words.
    pub(super) fn broken_rule(&self) -> Option<&'static str> {
        let digits = |text: &str| (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(&self.account) || !digits(&self.phone_number_id) {
            return Some(
                "`account` and `phone-number-id` are the two identifiers in digits that the app's page \"API Setup\" shows; the telephone number is neither",
            );
        }
        if self.portfolio.as_ref().is_some_and(|portfolio| !digits(portfolio)) {
            return Some("`portfolio` is the business portfolio's identifier in digits, or is left out");
        }
        let one = |given: &Option<Secret>, file: &Option<PathBuf>| given.is_some() != file.is_some();
        let both = |given: &Option<Secret>, file: &Option<PathBuf>| given.is_some() && file.is_some();
        if !one(&self.app_secret, &self.app_secret_file) {
            return Some(
                "it needs either `app-secret-file` or `app-secret`: \"App settings, Basic\" shows the secret",
            );
        }
        if !one(&self.verify_token, &self.verify_token_file) {
            return Some(
                "it needs either `verify-token-file` or `verify-token`: `openssl rand -hex 32` makes one, and Meta is given the same",
            );
        }
        if both(&self.previous_app_secret, &self.previous_app_secret_file)
            || both(&self.access_token, &self.access_token_file)
        {
            return Some("a secret stands both in the file and beside it; keep one");
        }
        let version = self.graph_version.strip_prefix('v').and_then(|rest| rest.split_once('.'));
        let is_version = version.is_some_and(|(major, minor)| digits(major) && digits(minor));
        (!is_version).then_some("`graph-version` is a version of the Graph API, such as \"v23.0\"")
    }
}
