//! A person connects an account in the browser: the page of consent, and what comes back from it.
//!
//! The answer comes by way of the browser, so anybody can write one. A state that is a 256-bit secret, is known to
//! the store only as a digest, is good once and for ten minutes, and belongs to one admin of one tenant keeps a
//! stranger's account from being put in the place of the company's (RFC 6749, 10.12); PKCE keeps a code that
//! somebody saw from being used by anybody else (RFC 7636); the name of who answered keeps two servers apart
//! (RFC 9207).

use aws_lc_rs::digest;
use aws_lc_rs::rand;
use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use ramal_capability::{Clear, Flow, OAuthPlan};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::error::{KeeperError, Trouble};
use crate::record::Hidden;
use crate::request;
use crate::state::Reason;

/// A query of more is none that a server sends.
const MOST_BYTES: usize = 16 * 1024;

/// Where to send the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentStart {
    /// The address to open in the person's browser.
    pub url: String,
    /// Until when the answer is taken.
    pub expires_at: Timestamp,
}

/// Why an account was not connected. Never holds what came with the browser, but for the word of the standard that
/// says why the server refused.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ConsentError {
    /// The plugin's manifest knows no consent for it.
    #[error("the credential {0} is not connected in a browser; store its secret with: ramal credential set")]
    OtherFlow(ramal_store::CredentialKey),
    /// The address has no code, two of something, or too much.
    #[error("the answer of the page of consent is not whole; begin to connect again")]
    Malformed,
    /// No such consent was begun, or it was finished already.
    #[error("this consent was not begun here, or was finished already; begin to connect again")]
    Unknown,
    /// It took too long.
    #[error("the consent took longer than ten minutes; begin to connect again")]
    Late,
    /// Another person began it.
    #[error("another person began this consent; begin to connect again under your own name")]
    OtherPerson,
    /// Another server answered.
    #[error("the answer does not come from the server that was asked; nothing was stored")]
    OtherServer,
    /// The person or the server said no.
    #[error("the server gave no consent ({0}); allow the access, or ask who administers the account")]
    Denied(&'static str),
    /// The code was not taken.
    #[error("the server gave no token for the consent: {0}")]
    Refused(Reason),
    /// The server could not be asked.
    #[error("the server could not be asked for the token: {0}; begin to connect again")]
    Unavailable(Trouble),
    /// The store, or what is in it.
    #[error(transparent)]
    Keeper(#[from] KeeperError),
}

/// What the page of consent sent back through the browser.
#[derive(Debug)]
pub struct Callback {
    pub(crate) state: Clear,
    pub(crate) outcome: Result<Clear, &'static str>,
    pub(crate) issuer: Option<String>,
}

impl Callback {
    /// Reads the query of the address that the browser was sent to, without its `?`.
    ///
    /// # Errors
    /// When it has no state, neither code nor error, or something twice.
    pub fn parse(query: &str) -> Result<Self, ConsentError> {
        if query.len() > MOST_BYTES {
            return Err(ConsentError::Malformed);
        }
        let (mut state, mut code, mut error, mut issuer) = (None, None, None, None);
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let place = match &*name {
                "state" => &mut state,
                "code" => &mut code,
                "error" => &mut error,
                "iss" => &mut issuer,
                _ => continue,
            };
            if place.replace(Clear::from(value.into_owned())).is_some() {
                return Err(ConsentError::Malformed);
            }
        }
        let state = state.filter(|state| !state.expose().is_empty()).ok_or(ConsentError::Malformed)?;
        let outcome = match (code, error) {
            (Some(code), None) if !code.expose().is_empty() => Ok(code),
            (None, Some(error)) => Err(word(error.expose())),
            _ => return Err(ConsentError::Malformed),
        };
        Ok(Self { state, outcome, issuer: issuer.map(|issuer| issuer.expose().to_owned()) })
    }
}

/// A word of the standard (RFC 6749, 4.1.2.1; OpenID Connect Core, 3.1.2.6), or none.
fn word(error: &str) -> &'static str {
    const WORDS: [&str; 10] = [
        "access_denied",
        "invalid_request",
        "unauthorized_client",
        "unsupported_response_type",
        "invalid_scope",
        "server_error",
        "temporarily_unavailable",
        "consent_required",
        "interaction_required",
        "login_required",
    ];
    WORDS.into_iter().find(|word| *word == error).unwrap_or("for a reason that no standard names")
}

/// What the host has to remember of a consent until its answer comes. It is kept sealed.
#[derive(Serialize, Deserialize)]
pub(crate) struct Begun {
    pub(crate) verifier: Hidden,
    pub(crate) redirect_uri: String,
}

/// The secrets of one consent.
pub(crate) struct Fresh {
    pub(crate) state: Clear,
    pub(crate) begun: Begun,
}

impl Fresh {
    pub(crate) fn new(redirect_uri: &str) -> Option<Self> {
        let begun = Begun { verifier: Hidden(random()?), redirect_uri: redirect_uri.to_owned() };
        Some(Self { state: random()?, begun })
    }

    /// The address of consent; `None` for a plan of another flow.
    pub(crate) fn address(&self, plan: &OAuthPlan, client_id: &Clear) -> Option<String> {
        let Flow::AuthorizationCode { authorize, parameters, .. } = &plan.flow else { return None };
        let challenge = BASE64URL_NOPAD.encode(&sha256(&self.begun.verifier.0));
        let mut all = vec![
            ("response_type", "code"),
            ("client_id", client_id.expose()),
            ("redirect_uri", self.begun.redirect_uri.as_str()),
            ("state", self.state.expose()),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ];
        if !plan.scope.is_empty() {
            all.push(("scope", plan.scope.as_str()));
        }
        all.extend(parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        Some(request::address(authorize, &all))
    }
}

/// 256 random bits in 43 characters.
fn random() -> Option<Clear> {
    let mut bytes = Zeroizing::new([0u8; 32]);
    rand::fill(bytes.as_mut_slice()).ok()?;
    Some(Clear::from(BASE64URL_NOPAD.encode(bytes.as_slice())))
}

pub(crate) fn sha256(text: &Clear) -> [u8; 32] {
    let mut out = [0u8; 32];
    let sum = digest::digest(&digest::SHA256, text.expose().as_bytes());
    out.iter_mut().zip(sum.as_ref()).for_each(|(to, from)| *to = *from);
    out
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::code("code=c%2B1&state=s&iss=https%3A%2F%2Fl.example", Ok("c+1"))]
    #[case::denied("error=access_denied&error_description=no&state=s", Err("access_denied"))]
    #[case::own_word("error=%3Cscript%3E&state=s", Err("for a reason that no standard names"))]
    #[case::more("code=c&state=s&scope=a&session_state=x", Ok("c"))]
    fn an_answer_is_read(#[case] query: &str, #[case] expected: Result<&str, &str>) {
        let callback = Callback::parse(query).unwrap();
        assert_eq!(callback.state.expose(), "s");
        assert_eq!(callback.outcome.as_ref().map(Clear::expose).map_err(|word| *word), expected);
    }

    #[rstest]
    #[case::nothing("")]
    #[case::no_state("code=c")]
    #[case::empty_state("code=c&state=")]
    #[case::no_code("state=s")]
    #[case::empty_code("code=&state=s")]
    #[case::both("code=c&error=access_denied&state=s")]
    #[case::two_codes("code=c&code=d&state=s")]
    #[case::two_states("code=c&state=s&state=t")]
    #[case::two_issuers("code=c&state=s&iss=a&iss=b")]
    fn an_answer_that_is_not_whole_is_refused(#[case] query: &str) {
        assert!(matches!(Callback::parse(query), Err(ConsentError::Malformed)));
    }

    #[test]
    fn a_query_without_end_is_not_read() {
        let query = format!("code={}&state=s", "c".repeat(MOST_BYTES));
        assert!(matches!(Callback::parse(&query), Err(ConsentError::Malformed)));
    }

    #[test]
    fn the_challenge_is_that_of_the_rfcs_example() {
        // RFC 7636, appendix B.
        let verifier = Clear::from("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(BASE64URL_NOPAD.encode(&sha256(&verifier)), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn two_consents_share_nothing() {
        let (one, two) = (Fresh::new("x").unwrap(), Fresh::new("x").unwrap());
        assert_eq!((one.state.expose().len(), one.begun.verifier.0.expose().len()), (43, 43));
        let all = [&one.state, &one.begun.verifier.0, &two.state, &two.begun.verifier.0];
        for (at, text) in all.iter().enumerate() {
            assert!(all[at + 1..].iter().all(|other| other.expose() != text.expose()));
        }
    }
}
