//! What goes to a token endpoint: one form, with the client's proof in it or beside it. Pure: the same call gives
//! the same text, but for what is signed.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ramal_capability::{Clear, ClientProof, Flow, OAuthPlan};
use zeroize::Zeroizing;

use crate::assertion::{self, BadKey, Claims};
use crate::record::Hidden;

/// What may stand unencoded (RFC 3986, unreserved).
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// By what the host asks for a token.
pub(crate) enum Ask<'a> {
    /// By the code that a person brought back.
    Code { code: &'a Clear, redirect_uri: &'a str, verifier: &'a Clear },
    /// By the refresh token.
    Refresh(&'a Clear),
    /// By the client's own right, or by what it signs: as the flow is.
    Own,
}

/// A request, ready to be sent.
pub(crate) struct Form {
    pub(crate) body: Clear,
    pub(crate) authorization: Option<Clear>,
}

/// What the admin has to enter before there can be a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FormError {
    #[error("the secret has no field `{0}`; add it")]
    Field(&'static str),
    #[error(transparent)]
    Key(#[from] BadKey),
}

/// Builds the request.
pub(crate) fn form(
    plan: &OAuthPlan,
    fields: &BTreeMap<String, Hidden>,
    ask: &Ask<'_>,
    now: Timestamp,
) -> Result<Form, FormError> {
    let field = |name: &'static str| {
        let value = fields.get(name).filter(|value| !value.0.expose().is_empty());
        value.map(|value| &value.0).ok_or(FormError::Field(name))
    };
    let client_id = field("client_id")?;
    let key_id = fields.get("key_id").map(|value| &value.0);
    let mut pairs = Pairs::default();
    match ask {
        Ask::Code { code, redirect_uri, verifier } => {
            pairs.add("grant_type", "authorization_code");
            pairs.add("code", code.expose());
            pairs.add("redirect_uri", redirect_uri);
            pairs.add("code_verifier", verifier.expose());
        }
        Ask::Refresh(token) => {
            pairs.add("grant_type", "refresh_token");
            pairs.add("refresh_token", token.expose());
        }
        Ask::Own => {
            if let Flow::JwtBearer { subject, audience } = &plan.flow {
                let claims = Claims {
                    issuer: client_id.expose(),
                    subject: subject.as_deref().unwrap_or(client_id.expose()),
                    audience,
                    scope: Some(plan.scope.as_str()).filter(|scope| !scope.is_empty()),
                };
                pairs.add("grant_type", JWT_BEARER);
                let signed = assertion::sign(field("private_key")?, key_id, &claims, now)?;
                pairs.add("assertion", signed.expose());
            } else {
                pairs.add("grant_type", "client_credentials");
            }
            if !plan.scope.is_empty() {
                pairs.add("scope", &plan.scope);
            }
        }
    }
    let mut authorization = None;
    match plan.client {
        ClientProof::Basic => {
            // Each half is form-encoded before the two are joined (RFC 6749, 2.3.1).
            let pair = Zeroizing::new(format!(
                "{}:{}",
                utf8_percent_encode(client_id.expose(), PLAIN),
                utf8_percent_encode(field("client_secret")?.expose(), PLAIN)
            ));
            authorization = Some(Clear::from(format!("Basic {}", BASE64.encode(pair.as_bytes()))));
        }
        ClientProof::Body => {
            pairs.add("client_id", client_id.expose());
            pairs.add("client_secret", field("client_secret")?.expose());
        }
        ClientProof::Public => pairs.add("client_id", client_id.expose()),
        ClientProof::PrivateKeyJwt => {
            let endpoint = plan.endpoint();
            let claims = Claims {
                issuer: client_id.expose(),
                subject: client_id.expose(),
                audience: &endpoint,
                scope: None,
            };
            pairs.add("client_id", client_id.expose());
            pairs.add("client_assertion_type", ASSERTION);
            let signed = assertion::sign(field("private_key")?, key_id, &claims, now)?;
            pairs.add("client_assertion", signed.expose());
        }
    }
    Ok(Form { body: pairs.into_clear(), authorization })
}

/// `a=b&c=d`, written once into a buffer that is wiped.
#[derive(Default)]
struct Pairs(Zeroizing<String>);

impl Pairs {
    fn add(&mut self, name: &str, value: &str) {
        // Grown by hand: the old place is wiped, which a vector that moves does not do.
        let mut longer =
            Zeroizing::new(String::with_capacity(self.0.len() + name.len() + value.len() * 3 + 2));
        longer.push_str(&self.0);
        if !longer.is_empty() {
            longer.push('&');
        }
        longer.push_str(name);
        longer.push('=');
        longer.extend(utf8_percent_encode(value, PLAIN));
        self.0 = longer;
    }
    fn into_clear(mut self) -> Clear {
        Clear::from(std::mem::take(&mut *self.0))
    }
}

/// An address with parameters added.
pub(crate) fn address(base: &str, parameters: &[(&str, &str)]) -> String {
    let mut address = base.to_owned();
    for (name, value) in parameters {
        address.push(if address.contains('?') { '&' } else { '?' });
        address.extend(utf8_percent_encode(name, PLAIN));
        address.push('=');
        address.extend(utf8_percent_encode(value, PLAIN));
    }
    address
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn plan(flow: Flow, client: ClientProof, scope: &str) -> OAuthPlan {
        OAuthPlan {
            flow,
            origin: "https://login.example.com".parse().unwrap(),
            target: "/token".to_owned(),
            private: vec![],
            scope: scope.to_owned(),
            client,
            bearer: true,
            refresh_lifetime: None,
        }
    }

    fn code(client: ClientProof) -> OAuthPlan {
        let authorize = "https://login.example.com/a".to_owned();
        plan(Flow::AuthorizationCode { authorize, parameters: vec![], issuer: None }, client, "a b")
    }

    // Invented secrets.
    fn fields() -> BTreeMap<String, Hidden> {
        [("client_id", "id:7"), ("client_secret", "s3cret&=+ ção")]
            .map(|(name, value)| (name.to_owned(), Hidden(value.into())))
            .into()
    }

    #[rstest]
    #[case::code_body(
        code(ClientProof::Body),
        Ask::Code { code: &"c/1".into(), redirect_uri: "https://ramal.example/cb", verifier: &"v~1".into() },
        "grant_type=authorization_code&code=c%2F1&redirect_uri=https%3A%2F%2Framal.example%2Fcb&code_verifier=v~1\
         &client_id=id%3A7&client_secret=s3cret%26%3D%2B%20%C3%A7%C3%A3o",
        None
    )]
    #[case::refresh_basic(
        code(ClientProof::Basic),
        Ask::Refresh(&"r+1".into()),
        "grant_type=refresh_token&refresh_token=r%2B1",
        Some("id%3A7:s3cret%26%3D%2B%20%C3%A7%C3%A3o")
    )]
    #[case::refresh_public(
        code(ClientProof::Public),
        Ask::Refresh(&"r".into()),
        "grant_type=refresh_token&refresh_token=r&client_id=id%3A7",
        None
    )]
    #[case::client(
        plan(Flow::ClientCredentials, ClientProof::Body, "crm.read crm.write"),
        Ask::Own,
        "grant_type=client_credentials&scope=crm.read%20crm.write&client_id=id%3A7\
         &client_secret=s3cret%26%3D%2B%20%C3%A7%C3%A3o",
        None
    )]
    fn a_form_is_what_the_rfc_says(
        #[case] plan: OAuthPlan,
        #[case] ask: Ask<'_>,
        #[case] body: &str,
        #[case] basic: Option<&str>,
    ) {
        let form = form(&plan, &fields(), &ask, Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(form.body.expose(), body);
        let header = basic.map(|pair| format!("Basic {}", BASE64.encode(pair.as_bytes())));
        assert_eq!(form.authorization.as_ref().map(Clear::expose), header.as_deref());
    }

    #[rstest]
    #[case::secret(code(ClientProof::Body), "the secret has no field `client_secret`; add it")]
    #[case::key(
        plan(Flow::JwtBearer { subject: None, audience: "x".into() }, ClientProof::Public, ""),
        "the secret has no field `private_key`; add it"
    )]
    fn what_was_not_entered_is_named(#[case] plan: OAuthPlan, #[case] words: &str) {
        let mut fields = fields();
        fields.remove("client_secret");
        let ask =
            if matches!(plan.flow, Flow::JwtBearer { .. }) { Ask::Own } else { Ask::Refresh(&"r".into()) };
        assert_eq!(form(&plan, &fields, &ask, Timestamp::UNIX_EPOCH).err().unwrap().to_string(), words);
    }

    #[rstest]
    #[case::bare("https://l.example/a", "https://l.example/a?scope=a%20b&state=%26x")]
    #[case::with_query("https://l.example/a?t=1", "https://l.example/a?t=1&scope=a%20b&state=%26x")]
    fn parameters_are_added_to_an_address(#[case] base: &str, #[case] whole: &str) {
        assert_eq!(address(base, &[("scope", "a b"), ("state", "&x")]), whole);
    }
}
