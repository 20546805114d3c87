//! `[[credential]]`: which secret the host keeps for the plugin, and the one slot into which it goes.
//!
//! The manifest names the kind and the slot; the secret itself is the admin's and never in a plugin's reach.

use std::time::Duration;

use super::oauth::{self, OAuthDecl};
use super::target::{self, Target};
use crate::ids::CredentialId;
use crate::pointer::Pattern;
use crate::request::Method;
use crate::settings::SettingsSchema;
use crate::source::{Item, Section, quote};
use crate::template::{Language, Template};

/// A credential that the plugin's routes use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialDecl {
    /// Its name in the manifest.
    pub id: CredentialId,
    /// What the admin sees above the field.
    pub label: String,
    /// Where it goes.
    pub kind: CredentialKind,
}

/// Where a credential goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialKind {
    /// `Authorization: Bearer …` (RFC 6750).
    Bearer,
    /// A header of its own.
    Header {
        /// The header's name.
        name: String,
        /// A word before the secret, such as `Token`.
        scheme: Option<String>,
    },
    /// `Authorization: Basic …` (RFC 7617).
    Basic,
    /// A field of the query. The worst place, as servers log it; some CRMs know no other.
    Query {
        /// The field's name.
        name: String,
    },
    /// A login whose token the host keeps.
    Session(SessionDecl),
    /// A token that the host obtains and renews (RFC 6749).
    OAuth2(OAuthDecl),
    /// What proves who sends to a hook. It goes nowhere: the host compares with it.
    Hook,
}

impl CredentialKind {
    /// The word in the manifest.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Bearer => "bearer",
            Self::Header { .. } => "header",
            Self::Basic => "basic",
            Self::Query { .. } => "query",
            Self::Session(_) => "session",
            Self::OAuth2(_) => "oauth2",
            Self::Hook => "hook",
        }
    }
    /// The names of the secrets that the admin enters.
    pub fn secrets(&self) -> Vec<&str> {
        match self {
            Self::Bearer | Self::Header { .. } | Self::Query { .. } => vec!["token"],
            Self::Basic => vec!["user", "password"],
            Self::Session(session) => session.secrets.iter().map(String::as_str).collect(),
            Self::OAuth2(oauth) => oauth.secrets(),
            Self::Hook => vec!["secret"],
        }
    }
    /// The names of what the admin may enter besides: the `kid` under which the server knows a signing key, and a
    /// hook's secret before, while the sender changes over.
    pub fn optional_secrets(&self) -> &'static [&'static str] {
        match self {
            Self::OAuth2(oauth) if oauth.secrets().contains(&"private_key") => &["key_id"],
            Self::Hook => &["previous_secret"],
            _ => &[],
        }
    }
}

/// How to log in, and what to make of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionDecl {
    /// The names of the secrets that the admin enters. Never empty.
    pub secrets: Vec<String>,
    /// The login's method.
    pub method: Method,
    /// The login's address; settings are its only placeholders.
    pub url: Template,
    /// Where the login leads.
    pub target: Target,
    /// The login's JSON body; secrets and settings are its placeholders.
    pub body: Template,
    /// Names and JSON pointers (RFC 6901) into the login's answer.
    pub take: Vec<(String, String)>,
    /// The token, made of secrets and of what was taken.
    pub value: Template,
    /// Whether the token is written in base64.
    pub encode_base64: bool,
    /// The header that carries the token.
    pub name: String,
    /// A word before the token.
    pub scheme: Option<String>,
    /// How long a token is used at most, if the author knows.
    pub lifetime: Option<Duration>,
}

/// Headers that the host writes, or that change what a request *is*: no author and no secret goes there.
pub(super) fn is_hosts_header(name: &str) -> bool {
    const EXACT: &[&str] = &[
        "accept-encoding",
        "alt-used",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "cookie",
        "date",
        "expect",
        "forwarded",
        "host",
        "http2-settings",
        "keep-alive",
        "origin",
        "referer",
        "set-cookie",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "via",
        "x-http-method",
        "x-http-method-override",
        "x-method-override",
        "x-original-url",
        "x-rewrite-url",
        "x-real-ip",
    ];
    let name = name.to_ascii_lowercase();
    EXACT.contains(&name.as_str())
        || ["proxy-", "sec-", "x-forwarded-"].iter().any(|prefix| name.starts_with(prefix))
}

/// A field name of RFC 9110: one token.
pub(super) fn is_token(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

pub(super) fn read_all(items: &[Item<'_>], schema: Option<&SettingsSchema>) -> Vec<CredentialDecl> {
    let mut all: Vec<CredentialDecl> = Vec::with_capacity(items.len());
    for item in items {
        let Some(section) = item.section("[[credential]]".to_owned()) else { continue };
        let Some(credential) = read_one(&section, schema) else { continue };
        if all.iter().any(|other| other.id == credential.id) {
            item.wrong(format!(
                "there are two credentials {}; give one another id",
                quote(credential.id.as_str())
            ));
            continue;
        }
        all.push(credential);
    }
    all
}

fn read_one(section: &Section<'_>, schema: Option<&SettingsSchema>) -> Option<CredentialDecl> {
    const KINDS: &[(&str, &str)] = &[
        ("bearer", "bearer"),
        ("header", "header"),
        ("basic", "basic"),
        ("query", "query"),
        ("session", "session"),
        ("oauth2", "oauth2"),
        ("hook", "hook"),
    ];
    let id = section.need("id", "id = \"key\"").and_then(|i| i.parse());
    let label = section.need("label", "label = \"what the admin is asked for\"").and_then(|i| i.line(1..=60));
    let word = section.need("kind", "kind = \"bearer\"").and_then(|i| i.word(KINDS));
    let kind = match word {
        Some("bearer") => Some(CredentialKind::Bearer),
        Some("basic") => Some(CredentialKind::Basic),
        Some("hook") => Some(CredentialKind::Hook),
        Some("header") => {
            let name = header_name(section);
            let scheme = scheme(section);
            name.zip(scheme).map(|(name, scheme)| CredentialKind::Header { name, scheme })
        }
        Some("query") => {
            let item = section.need("name", "name = \"api_token\"");
            let name = item.and_then(|i| {
                let name = i.text()?;
                let good = (1..=64).contains(&name.len())
                    && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
                if !good {
                    i.wrong("the name of a query field has 1 to 64 letters, digits, `-`, `.`, `_` or `~`");
                }
                good.then(|| name.to_owned())
            });
            name.map(|name| CredentialKind::Query { name })
        }
        Some("oauth2") => oauth::read(section, schema).map(CredentialKind::OAuth2),
        Some(_) => session(section, schema).map(CredentialKind::Session),
        None => return None,
    };
    section.finish();
    Some(CredentialDecl { id: id?, label: label?, kind: kind? })
}

fn header_name(section: &Section<'_>) -> Option<String> {
    let item = section.need("name", "name = \"X-Api-Key\"")?;
    let name = item.text()?;
    if !is_token(name) {
        item.wrong(format!("{} is no header name; use letters, digits and `-`", quote(name)));
        return None;
    }
    if is_hosts_header(name) {
        item.wrong(format!("the header {} is the host's own; a credential cannot go there", quote(name)));
        return None;
    }
    Some(name.to_owned())
}

/// `Some(None)` when there is none, `None` when it is wrong.
#[expect(clippy::option_option, reason = "absent and wrong are two things")]
fn scheme(section: &Section<'_>) -> Option<Option<String>> {
    let Some(item) = section.get("scheme") else { return Some(None) };
    let word = item.text()?;
    if !is_token(word) {
        item.wrong(format!("{} is no scheme; write one word, such as Token", quote(word)));
        return None;
    }
    Some(Some(word.to_owned()))
}

fn session(section: &Section<'_>, schema: Option<&SettingsSchema>) -> Option<SessionDecl> {
    let secrets_item = section.need("secrets", "secrets = [\"user\", \"password\"]");
    let secrets = secrets_item.as_ref().map(secret_names).unwrap_or_default();
    let request_item = section.need("request", "request = \"POST {setting.server}/login\"");
    let request = request_item.as_ref().and_then(|item| read_request(item, schema));
    let body_item = section.need("body", "body = '{\"user\":{user},\"password\":{password}}'");
    let body = body_item.as_ref().and_then(|item| template_in(item, Language::Json));
    let take_items = section.need("take", "take.token = \"/token\"").map(|i| i.entries()).unwrap_or_default();
    let take: Vec<(String, String)> = take_items.iter().filter_map(take_one).collect();
    let value_item = section.need("value", "value = \"{token}\"");
    let value = value_item.as_ref().and_then(|item| template_in(item, Language::Text));
    let encode = section.get("encode").map_or(Some(false), |i| i.word(&[("base64", true), ("plain", false)]));
    let name = header_name(section);
    let scheme = scheme(section);
    let lifetime = match section.get("lifetime-seconds") {
        None => Some(None),
        Some(item) => item.number().and_then(|seconds| {
            let good = (10..=86_400 * 30).contains(&seconds);
            if !good {
                item.wrong("a token is used for 10 seconds to 30 days; write 10 to 2592000");
            }
            good.then(|| Some(Duration::from_secs(seconds)))
        }),
    };

    let secret = |name: &str| secrets.iter().any(|s| s == name);
    let taken = |name: &str| take_items.iter().any(|item| item.key() == name);
    if let (Some(item), Some(body)) = (&body_item, &body) {
        holes(item, body, schema, secret, "a secret of this credential or {setting.NAME}");
        for name in secrets.iter().filter(|name| !body.holes().any(|hole| hole == name.as_str())) {
            let in_value =
                value.as_ref().is_some_and(|value| value.holes().any(|hole| hole == name.as_str()));
            if !in_value {
                item.wrong(format!(
                    "the secret {} is used nowhere; put it into `body` or remove it",
                    quote(name)
                ));
            }
        }
    }
    if let (Some(item), Some((_, url, _))) = (&request_item, &request) {
        holes(item, url, schema, |_| false, "{setting.NAME}; secrets go into `body`");
    }
    if let (Some(item), Some(value)) = (&value_item, &value) {
        holes(
            item,
            value,
            schema,
            |name| secret(name) || taken(name),
            "a secret of this credential or a name of `take`",
        );
    }
    if let Some(item) = take_items.iter().find(|item| secret(item.key())) {
        item.wrong_key(format!(
            "{} is a secret already; take the answer's value under another name",
            quote(item.key())
        ));
    }
    let (method, url, target) = request?;
    Some(SessionDecl {
        secrets,
        method,
        url,
        target,
        body: body?,
        take,
        value: value?,
        encode_base64: encode?,
        name: name?,
        scheme: scheme?,
        lifetime: lifetime?,
    })
}

fn secret_names(item: &Item<'_>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for each in item.list() {
        let Some(name) = each.text() else { continue };
        if !is_name(name) {
            each.wrong(format!("{} is no name; use a-z, 0-9, `_` and `-`, a letter first", quote(name)));
        } else if names.iter().any(|n| n == name) {
            each.wrong(format!("{} stands in the list twice", quote(name)));
        } else {
            names.push(name.to_owned());
        }
    }
    if names.is_empty() && item.value().as_array().is_some_and(|list| list.is_empty()) {
        item.wrong("a login without secrets proves nothing; list what the admin enters");
    }
    names
}

fn take_one(item: &Item<'_>) -> Option<(String, String)> {
    if !is_name(item.key()) {
        item.wrong_key(format!(
            "{} is no name; use a-z, 0-9, `_` and `-`, a letter first",
            quote(item.key())
        ));
    }
    let pattern: Pattern = item.parse()?;
    let text = pattern.to_string();
    if text.is_empty() || text.split('/').any(|step| step == "*") {
        item.wrong("one exact place is taken, such as /result/0; `*` and the whole answer are none");
        return None;
    }
    Some((item.key().to_owned(), text))
}

/// A name that a placeholder can have.
pub(super) fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().next().is_some_and(|b| b.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-'))
}

/// `METHOD address`.
pub(super) fn read_request(
    item: &Item<'_>,
    schema: Option<&SettingsSchema>,
) -> Option<(Method, Template, Target)> {
    let text = item.text()?;
    let Some((word, address)) = text.split_once(' ') else {
        item.wrong("a request is a method and an address; write GET https://host/path");
        return None;
    };
    let method = Method::parse(word);
    if method.is_none() {
        item.wrong(format!("{} is no method; use GET, POST, PUT, PATCH or DELETE", quote(word)));
    }
    if address.chars().any(|c| c.is_whitespace() || c.is_control() || !c.is_ascii()) {
        item.wrong("the address holds white space or a character beyond ASCII; percent-encode it");
        return None;
    }
    let target = target::of_address(address, schema).map_err(|words| item.wrong(words)).ok();
    let url = Template::parse(address).map_err(|error| item.wrong(error.to_string())).ok();
    Some((method?, url?, target?))
}

/// A template of one language, checked as far as it can be without values.
pub(super) fn template_in(item: &Item<'_>, language: Language) -> Option<Template> {
    let template = Template::parse(item.text()?).map_err(|error| item.wrong(error.to_string())).ok()?;
    template.check(language).map_err(|error| item.wrong(error.to_string())).ok()?;
    Some(template)
}

/// Complains about placeholders that nothing declares.
pub(super) fn holes(
    item: &Item<'_>,
    template: &Template,
    schema: Option<&SettingsSchema>,
    known: impl Fn(&str) -> bool,
    allowed: &str,
) {
    for hole in template.holes() {
        match hole.strip_prefix("setting.") {
            Some(name) => {
                if let Some(schema) = schema
                    && schema.property(name).is_none()
                {
                    item.wrong(target::unknown_setting(name, schema));
                }
            }
            None if known(hole) => {}
            None => item.wrong(format!("nothing declares `{{{hole}}}`; here may stand {allowed}")),
        }
    }
}
