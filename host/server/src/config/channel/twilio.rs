//! `kind = "twilio"`.

use std::path::PathBuf;

use ipnet::IpNet;
use ramal_capability::Origin;
use ramal_center::{Channel, SourceId};
use serde::{Deserialize, Deserializer};

use crate::secret::Secret;

/// Twilio, and whoever posts in its form.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TwilioConfig {
    /// Its name.
    pub id: SourceId,
    /// The account: `AC` and 32 hexadecimal digits.
    pub account: String,
    /// Which kind of line its calls are on: `mobile` or `fixed`.
    #[serde(default = "mobile", deserialize_with = "line")]
    pub line: Channel,
    /// The account's auth token, which signs what it posts.
    #[serde(default)]
    pub auth_token: Option<Secret>,
    /// A file that holds the auth token.
    #[serde(default)]
    pub auth_token_file: Option<PathBuf>,
    /// The auth token before, while it is changed over.
    #[serde(default)]
    pub previous_auth_token: Option<Secret>,
    /// A file that holds the auth token before.
    #[serde(default)]
    pub previous_auth_token_file: Option<PathBuf>,
    /// As whom messages are sent: a number in E.164, or a messaging service (`MG…`); without it none are sent.
    #[serde(default)]
    pub from: Option<String>,
    /// Where the API is, when it is not Twilio's.
    #[serde(default, deserialize_with = "origin")]
    pub api: Option<Origin>,
    /// Address ranges that are not public and that `api` may lead to.
    #[serde(default)]
    pub private: Vec<IpNet>,
    /// Keys that were made for signing webhooks.
    #[serde(default, rename = "shared-key")]
    pub shared_keys: Vec<SharedKeyConfig>,
}

/// A key that was made for signing webhooks.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SharedKeyConfig {
    /// Its identifier at Twilio.
    pub id: String,
    /// The secret.
    #[serde(default)]
    pub secret: Option<Secret>,
    /// A file that holds the secret.
    #[serde(default)]
    pub secret_file: Option<PathBuf>,
}

fn mobile() -> Channel {
    Channel::Mobile
}

pub(super) fn origin<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Origin>, D::Error> {
    String::deserialize(deserializer)?.parse().map(Some).map_err(serde::de::Error::custom)
}

fn line<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Channel, D::Error> {
    let text = String::deserialize(deserializer)?;
    let line = text.parse::<Channel>().ok().filter(|channel| channel.is_voice());
    line.ok_or_else(|| serde::de::Error::custom("`line` is `mobile` or `fixed`"))
}

impl TwilioConfig {
    pub(super) fn paths(&mut self) -> Vec<&mut PathBuf> {
        let keys = self.shared_keys.iter_mut().filter_map(|key| key.secret_file.as_mut());
        self.auth_token_file.iter_mut().chain(&mut self.previous_auth_token_file).chain(keys).collect()
    }

    /// The first rule that is broken, in words.
    pub(super) fn broken_rule(&self) -> Option<&'static str> {
        let is_account = self.account.len() == 34
            && self.account.starts_with("AC")
            && self.account.bytes().skip(2).all(|b| b.is_ascii_hexdigit());
        if !is_account {
            return Some("`account` is `AC` and 32 hexadecimal digits, as the provider's console shows it");
        }
        let one = |given: &Option<Secret>, file: &Option<PathBuf>| given.is_some() && file.is_some();
        if one(&self.auth_token, &self.auth_token_file)
            || one(&self.previous_auth_token, &self.previous_auth_token_file)
        {
            return Some("an auth token stands both in the file and beside it; keep one");
        }
        if self.auth_token.is_none() && self.auth_token_file.is_none() && self.shared_keys.is_empty() {
            return Some("nothing proves the provider; add `auth-token-file`, or a `shared-key`");
        }
        if self.from.is_some() && self.auth_token.is_none() && self.auth_token_file.is_none() {
            return Some("messages are sent with the auth token; add `auth-token-file`, or leave out `from`");
        }
        let broken = self.shared_keys.iter().any(|key| key.secret.is_some() == key.secret_file.is_some());
        broken.then_some("each `shared-key` needs either `secret-file` or `secret`")
    }
}
