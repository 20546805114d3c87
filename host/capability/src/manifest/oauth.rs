//! `kind = "oauth2"`: whom the host asks for a token, in which of the three ways, and the header that carries it.
//!
//! The manifest names addresses and scopes; what proves the company's identity (the client's secret, a key, an
//! admin's consent) is entered at the host. A token endpoint is a destination like any other: the grant has to
//! name it, or a plugin's author could have refresh tokens delivered to a server that no admin ever approved.

use std::time::Duration;

use super::credential::{holes, is_hosts_header, is_token};
use super::target::{self, Target};
use crate::settings::SettingsSchema;
use crate::source::{Item, Section, quote};
use crate::template::Template;

/// How tokens are obtained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthDecl {
    /// In which way.
    pub flow: FlowDecl,
    /// The token endpoint's address; settings are its only placeholders.
    pub token: Template,
    /// Where that leads.
    pub target: Target,
    /// What the token shall be good for (RFC 6749, 3.3).
    pub scopes: Vec<String>,
    /// How the host proves to be the client.
    pub client: ClientProof,
    /// The header that carries the token.
    pub name: String,
    /// The word before the token.
    pub scheme: String,
    /// How long a refresh token lives, where the server does not tell and the author knows.
    pub refresh_lifetime: Option<Duration>,
}

/// One of the ways to a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlowDecl {
    /// A person consents in the browser (RFC 6749, 4.1), always with PKCE (RFC 7636).
    AuthorizationCode {
        /// Where the person consents; settings are its only placeholders.
        authorize: Template,
        /// Constant parameters that this server wants beside the usual ones, such as `access_type`.
        parameters: Vec<(String, String)>,
        /// Who must have answered (RFC 9207), where the server says so.
        issuer: Option<Template>,
    },
    /// The client asks for itself (RFC 6749, 4.4).
    ClientCredentials,
    /// The client signs whom it acts for (RFC 7523, 2.1).
    JwtBearer {
        /// Whom it acts for; the client itself if not said.
        subject: Option<Template>,
        /// For whom the signature is; the token endpoint if not said.
        audience: Option<Template>,
    },
}

impl FlowDecl {
    /// The word in the manifest.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::AuthorizationCode { .. } => "authorization-code",
            Self::ClientCredentials => "client-credentials",
            Self::JwtBearer { .. } => "jwt-bearer",
        }
    }
}

/// How the host proves to the token endpoint that it is the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientProof {
    /// `Authorization: Basic …` (RFC 6749, 2.3.1).
    Basic,
    /// `client_id` and `client_secret` in the body.
    Body,
    /// A public client: `client_id` alone.
    Public,
    /// A signed assertion instead of a secret (RFC 7523, 2.2).
    PrivateKeyJwt,
}

const FLOWS: &[(&str, &str)] = &[
    ("authorization-code", "authorization-code"),
    ("client-credentials", "client-credentials"),
    ("jwt-bearer", "jwt-bearer"),
];
const PROOFS: &[(&str, ClientProof)] = &[
    ("basic", ClientProof::Basic),
    ("body", ClientProof::Body),
    ("none", ClientProof::Public),
    ("private-key-jwt", ClientProof::PrivateKeyJwt),
];
/// What the host writes into the address of consent; a constant there would be a second value.
const HOSTS_PARAMETERS: &[&str] = &[
    "client_id",
    "code_challenge",
    "code_challenge_method",
    "redirect_uri",
    "request",
    "request_uri",
    "response_mode",
    "response_type",
    "scope",
    "state",
];

impl OAuthDecl {
    /// The names of the secrets that the admin enters.
    pub(super) fn secrets(&self) -> Vec<&'static str> {
        let mut names = vec!["client_id"];
        match self.client {
            ClientProof::Basic | ClientProof::Body => names.push("client_secret"),
            ClientProof::PrivateKeyJwt => names.push("private_key"),
            ClientProof::Public => {}
        }
        if matches!(self.flow, FlowDecl::JwtBearer { .. }) && !names.contains(&"private_key") {
            names.push("private_key");
        }
        names
    }
}

pub(super) fn read(section: &Section<'_>, schema: Option<&SettingsSchema>) -> Option<OAuthDecl> {
    let flow_item = section.need("flow", "flow = \"authorization-code\"");
    let word = flow_item.as_ref().and_then(|item| item.word(FLOWS));
    let token = section
        .need("token", "token = \"https://login.example.com/oauth/token\"")
        .and_then(|item| address(&item, schema));
    let scope_items = section.get("scopes").map(|item| item.list()).unwrap_or_default();
    let scopes: Vec<String> = scope_items.iter().filter_map(scope).collect();
    let jwt = word == Some("jwt-bearer");
    let usual = if jwt { ClientProof::Public } else { ClientProof::Basic };
    let client_item = section.get("client");
    let client = client_item.as_ref().map_or(Some(usual), |item| item.word(PROOFS));
    let name = section.get("name").map_or(Some("Authorization".to_owned()), |item| header(&item));
    let scheme = section.get("scheme").map_or(Some("Bearer".to_owned()), |item| {
        let word = item.text()?;
        if !is_token(word) {
            item.wrong(format!("{} is no scheme; write one word, such as Bearer", quote(word)));
            return None;
        }
        Some(word.to_owned())
    });
    let refresh_lifetime = section.get("refresh-lifetime-days").map_or(Some(None), |item| {
        let days = item.number()?;
        if !(1..=3_650).contains(&days) {
            item.wrong(
                "a refresh token lives for 1 to 3650 days; write such a number, or leave the line out",
            );
            return None;
        }
        Some(Some(Duration::from_secs(days * 86_400)))
    });
    let flow = match word {
        Some("authorization-code") => code(section, schema),
        Some("client-credentials") => Some(FlowDecl::ClientCredentials),
        Some(_) => {
            let subject = section.get("subject").map_or(Some(None), |i| constant(&i, schema).map(Some));
            let audience = section.get("audience").map_or(Some(None), |i| constant(&i, schema).map(Some));
            subject.zip(audience).map(|(subject, audience)| FlowDecl::JwtBearer { subject, audience })
        }
        None => None,
    };
    if let (Some(item), Some(ClientProof::Public), Some(FlowDecl::ClientCredentials)) =
        (&client_item, client, &flow)
    {
        item.wrong("a client without a secret cannot ask for itself; use basic, body or private-key-jwt");
    }
    let (token, target) = token?;
    Some(OAuthDecl {
        flow: flow?,
        token,
        target,
        scopes: Some(scopes).filter(|all| all.len() == scope_items.len())?,
        client: client?,
        name: name?,
        scheme: scheme?,
        refresh_lifetime: refresh_lifetime?,
    })
}

fn code(section: &Section<'_>, schema: Option<&SettingsSchema>) -> Option<FlowDecl> {
    let authorize = section
        .need("authorize", "authorize = \"https://login.example.com/oauth/authorize\"")
        .and_then(|item| address(&item, schema));
    let items = section.get("parameters").map(|item| item.entries()).unwrap_or_default();
    let parameters: Vec<_> = items.iter().filter_map(parameter).collect();
    let issuer = section.get("issuer").map_or(Some(None), |item| constant(&item, schema).map(Some));
    Some(FlowDecl::AuthorizationCode {
        authorize: authorize?.0,
        parameters: Some(parameters).filter(|all| all.len() == items.len())?,
        issuer: issuer?,
    })
}

/// A whole address in which settings are the only placeholders.
fn address(item: &Item<'_>, schema: Option<&SettingsSchema>) -> Option<(Template, Target)> {
    let text = item.text()?;
    if text.chars().any(|c| c.is_whitespace() || c.is_control() || !c.is_ascii()) {
        item.wrong("the address holds white space or a character beyond ASCII; percent-encode it");
        return None;
    }
    let target = target::of_address(text, schema).map_err(|words| item.wrong(words)).ok();
    let template = constant(item, schema);
    Some((template?, target?))
}

/// A text in which settings are the only placeholders.
fn constant(item: &Item<'_>, schema: Option<&SettingsSchema>) -> Option<Template> {
    let template = Template::parse(item.text()?).map_err(|error| item.wrong(error.to_string())).ok()?;
    holes(item, &template, schema, |_| false, "{setting.NAME}; secrets are added by the host");
    Some(template)
}

/// A scope-token (RFC 6749, 3.3).
fn scope(item: &Item<'_>) -> Option<String> {
    let text = item.text()?;
    let good = (1..=256).contains(&text.len())
        && text.bytes().all(|b| b == 0x21 || (0x23..=0x5b).contains(&b) || (0x5d..=0x7e).contains(&b));
    if !good {
        item.wrong(format!(
            "{} is no scope; write each one as a text of its own, without spaces",
            quote(text)
        ));
    }
    good.then(|| text.to_owned())
}

fn parameter(item: &Item<'_>) -> Option<(String, String)> {
    let name = item.key();
    let good = (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
    if !good {
        item.wrong_key("the name of a parameter has 1 to 64 letters, digits, `-`, `.`, `_` or `~`");
        return None;
    }
    if HOSTS_PARAMETERS.contains(&name) {
        item.wrong_key(format!("the parameter {} is the host's own; remove it", quote(name)));
        return None;
    }
    let value = item.line(1..=200)?;
    Some((name.to_owned(), value))
}

fn header(item: &Item<'_>) -> Option<String> {
    let name = item.text()?;
    if !is_token(name) || is_hosts_header(name) {
        item.wrong(format!(
            "the header {} cannot carry a token; leave the line out for Authorization",
            quote(name)
        ));
        return None;
    }
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::manifest::{CredentialKind, Manifest};

    fn parse(lines: &str) -> Result<Manifest, String> {
        let text = format!(
            "[plugin]\nid = \"crm\"\nversion = \"1.0.0\"\nname = \"CRM\"\nvendor = \"Acme\"\ninterface = \"0.1\"\n\
             verification = \"docs-only\"\ndedup = \"none\"\npurposes = [\"search\"]\n\
             provides = [\"contacts.search\"]\nuses = [\"egress\"]\n\n\
             [ask.\"contact.name\"]\nfrom-crm = \"sealed\"\nreason = \"shown to the agent\"\n\n\
             [settings]\ntype = \"object\"\n\
             [settings.properties.login]\ntype = \"string\"\nformat = \"origin\"\ntitle = \"Login\"\n\n\
             [[credential]]\nid = \"api\"\nlabel = \"Account\"\nkind = \"oauth2\"\n{lines}\n\n\
             [[route]]\nid = \"search\"\npurposes = [\"search\"]\nreason = \"to find contacts\"\n\
             request = \"GET https://api.example.com/contacts\"\ncredential = \"api\"\nreceive.\"/name\" = \"contact.name\"\n"
        );
        Manifest::parse("plugin.toml", &text).map_err(|error| error.to_string())
    }

    const TOKEN: &str = "token = \"https://login.example.com/token\"\n";

    #[rstest]
    #[case::code(
        "flow = \"authorization-code\"\nauthorize = \"https://login.example.com/authorize\"\nscopes = [\"a\", \"b\"]",
        &["client_id", "client_secret"]
    )]
    #[case::public("flow = \"authorization-code\"\nauthorize = \"{setting.login}/a\"\nclient = \"none\"", &["client_id"])]
    #[case::client("flow = \"client-credentials\"\nclient = \"body\"", &["client_id", "client_secret"])]
    #[case::signed_client("flow = \"client-credentials\"\nclient = \"private-key-jwt\"", &["client_id", "private_key"])]
    #[case::jwt("flow = \"jwt-bearer\"\naudience = \"https://login.example.com\"", &["client_id", "private_key"])]
    #[case::jwt_with_secret(
        "flow = \"jwt-bearer\"\nclient = \"basic\"",
        &["client_id", "client_secret", "private_key"]
    )]
    fn each_flow_asks_the_admin_for_what_it_needs(#[case] lines: &str, #[case] secrets: &[&str]) {
        let manifest = parse(&format!("{TOKEN}{lines}")).unwrap();
        assert_eq!(manifest.credentials[0].kind.secrets(), secrets);
        let CredentialKind::OAuth2(decl) = &manifest.credentials[0].kind else { panic!("not oauth2") };
        assert_eq!((decl.name.as_str(), decl.scheme.as_str()), ("Authorization", "Bearer"));
    }

    #[test]
    fn a_token_endpoint_is_a_destination_and_the_page_of_consent_is_none() {
        let manifest = parse(&format!(
            "{TOKEN}flow = \"authorization-code\"\nauthorize = \"https://consent.example.com/a\""
        ))
        .unwrap();
        let targets: Vec<String> = manifest.targets().iter().map(ToString::to_string).collect();
        assert_eq!(targets, ["https://api.example.com", "https://login.example.com"]);
    }

    #[rstest]
    #[case::no_flow("", "[[credential]] lacks `flow`; add flow = \"authorization-code\"")]
    #[case::no_page(
        "flow = \"authorization-code\"",
        "[[credential]] lacks `authorize`; add authorize = \"https://login.example.com/oauth/authorize\""
    )]
    #[case::secretless(
        "flow = \"client-credentials\"\nclient = \"none\"",
        "a client without a secret cannot ask for itself; use basic, body or private-key-jwt"
    )]
    #[case::scope(
        "flow = \"client-credentials\"\nscopes = [\"a b\"]",
        "`a b` is no scope; write each one as a text of its own, without spaces"
    )]
    #[case::hosts_parameter(
        "flow = \"authorization-code\"\nauthorize = \"https://l.example.com/a\"\nparameters.state = \"x\"",
        "the parameter `state` is the host's own; remove it"
    )]
    #[case::value_in_address(
        "flow = \"authorization-code\"\nauthorize = \"https://l.example.com/{phone}\"",
        "nothing declares `{phone}`; here may stand {setting.NAME}; secrets are added by the host"
    )]
    #[case::header(
        "flow = \"client-credentials\"\nname = \"Host\"",
        "the header `Host` cannot carry a token; leave the line out for Authorization"
    )]
    #[case::foreign_key(
        "flow = \"client-credentials\"\nauthorize = \"https://l.example.com/a\"",
        "unknown key `authorize`"
    )]
    #[case::days(
        "flow = \"client-credentials\"\nrefresh-lifetime-days = 0",
        "a refresh token lives for 1 to 3650 days; write such a number, or leave the line out"
    )]
    fn what_is_wrong_is_told_with_what_to_do(#[case] lines: &str, #[case] words: &str) {
        let told = parse(&format!("{TOKEN}{lines}")).unwrap_err();
        assert!(told.contains(words), "{told}");
    }
}
