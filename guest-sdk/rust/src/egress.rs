//! The way to the CRM: name a route, give values, read the answer.
//!
//! There is no URL, method or header here, and so no way to get one wrong: the manifest declares them, a
//! person approves them, the host builds the request.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::parse_failure;
use crate::host::Backend;
#[cfg(target_family = "wasm")]
use crate::host::Host as _;
use crate::{Error, Result, Text};

/// Sends requests. From [`Cx::egress`](crate::Cx::egress).
#[derive(Clone, Copy)]
pub struct Egress<'a> {
    host: &'a Backend,
}

impl<'a> Egress<'a> {
    pub(crate) fn new(host: &'a Backend) -> Self {
        Self { host }
    }

    /// Sends a route without a body.
    ///
    /// # Errors
    /// When there is no answer that a plugin may act on. A status of 400 and more is an answer, see
    /// [`Reply::json`].
    pub fn send(&self, route: &str, params: Params) -> Result<Reply, Failure> {
        self.host.send(Call::new(route, params))
    }

    /// Sends a route with a JSON body. The HTTP method is the route's, whatever it is.
    ///
    /// # Errors
    /// As [`Egress::send`]; [`Failure::Unsendable`] if `body` is no JSON.
    pub fn post(
        &self,
        route: &str,
        params: Params,
        body: &(impl Serialize + ?Sized),
    ) -> Result<Reply, Failure> {
        self.host.send(Call::new(route, params).json(body)?)
    }

    /// Sends several calls side by side; the answers come in the order of the calls. This is all the
    /// concurrency that there is, and usually all that is needed.
    pub fn send_all(&self, calls: Vec<Call>) -> Vec<Result<Reply, Failure>> {
        self.host.send_all(calls)
    }
}

/// One request to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Call {
    pub(crate) route: String,
    pub(crate) params: Params,
    pub(crate) body: Option<String>,
}

impl Call {
    /// A call of a route of the manifest.
    pub fn new(route: &str, params: Params) -> Self {
        Self { route: route.to_owned(), params, body: None }
    }

    /// The call with a JSON body.
    ///
    /// # Errors
    /// [`Failure::Unsendable`] if `body` is no JSON, such as a map whose keys are no strings.
    pub fn json(mut self, body: &(impl Serialize + ?Sized)) -> Result<Self, Failure> {
        let text = serde_json::to_string(body).map_err(|e| unsendable(&self.route, &e))?;
        self.body = Some(text);
        Ok(self)
    }
}

#[cold]
fn unsendable(route: &str, error: &serde_json::Error) -> Failure {
    Failure::Unsendable(format!("route `{route}`: the body is no JSON: {}", parse_failure(error)))
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("route", &self.route)
            .field("params", &self.params)
            .field("body_bytes", &self.body.as_ref().map(String::len))
            .finish()
    }
}

/// The parameters of a route, by name. Made by [`params!`](crate::params).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params(pub(crate) Vec<(String, Text)>);

impl Params {
    /// None.
    pub const fn new() -> Self {
        Self(Vec::new())
    }
    /// With one more.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Text>) -> Self {
        self.0.push((name.into(), value.into()));
        self
    }
}

/// An answer of the CRM: a status, and the JSON fields that the route's `receive` lists.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    pub(crate) route: String,
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Reply {
    /// The HTTP status: 200 to 299, or 400 to 499 without 401, 407 and 429 (those are failures).
    pub fn status(&self) -> u16 {
        self.status
    }
    /// Whether the status is 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
    /// The projected JSON as text.
    pub fn body(&self) -> &str {
        &self.body
    }

    /// The answer, if the status says success.
    ///
    /// # Errors
    /// What [`Error::from_status`] makes of another status.
    pub fn success(self) -> Result<Self> {
        self.check().map(|()| self)
    }

    /// The answer's data, if the status says success.
    ///
    /// # Errors
    /// What [`Error::from_status`] makes of another status; [`Error::Permanent`] if the data do not fit `T`.
    pub fn json<T: DeserializeOwned>(self) -> Result<T> {
        self.check()?;
        self.json_of_any_status()
    }

    /// The answer's data, whatever the status: for routes with a `receive-error`.
    ///
    /// # Errors
    /// [`Error::Permanent`] if the data do not fit `T`.
    pub fn json_of_any_status<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.body).map_err(|e| self.misfit(&e))
    }

    // Not generic: what is here is once in a component, and not once for each type that is read.
    fn check(&self) -> Result<()> {
        if self.is_success() { Ok(()) } else { Err(Error::from_status(&self.route, self.status)) }
    }

    #[cold]
    fn misfit(&self, error: &serde_json::Error) -> Error {
        Error::Permanent(format!(
            "route `{}`: the answer does not fit the plugin's type: {}; are all its fields in `receive`?",
            self.route,
            parse_failure(error)
        ))
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("route", &self.route)
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// A rule forbids it. Nothing was sent. The text says what was asked, what is granted, what to do.
    Denied(String),
    /// No connection, a broken one, a 5xx, or an answer that is not what the route says.
    Unavailable(String),
    /// No answer in the time that the grant allows.
    Timeout,
    /// The answer, or the request, is larger than the grant allows.
    TooLarge,
    /// The CRM said 429, or the grant's own rate is used up; seconds to wait, if known.
    RateLimited(Option<u32>),
    /// A person must act: the CRM said 401, or there is no secret that could be sent.
    AuthExpired,
    /// The plugin's value could not be written as JSON. Nothing was sent.
    Unsendable(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Error::from(self.clone()), f)
    }
}
impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, body: &str) -> Reply {
        Reply { route: "find".into(), status, body: body.into() }
    }

    #[test]
    fn a_refusal_is_never_read_as_data() {
        let refused = reply(422, r#"[1]"#);
        assert_eq!(
            refused.clone().json::<Vec<u8>>(),
            Err(Error::Invalid("route `find`: the CRM answered 422".into()))
        );
        assert_eq!(refused.json_of_any_status::<Vec<u8>>(), Ok(vec![1]));
    }

    #[test]
    fn an_answer_that_does_not_fit_says_where_and_what_to_do() {
        assert_eq!(
            reply(200, r#"["Ana (invented)"]"#).json::<Vec<u8>>(),
            Err(Error::Permanent(
                "route `find`: the answer does not fit the plugin's type: invalid type: string, expected u8 at \
                 line 1 column 17; are all its fields in `receive`?"
                    .into()
            ))
        );
    }

    #[test]
    fn debug_of_calls_and_replies_shows_no_values() {
        let call = Call::new("find", crate::params! { "phone" => "+5511900000000" }).json(&["Ana"]).unwrap();
        let shown = format!("{call:?} {:?}", reply(200, r#"["Ana"]"#));
        assert!(!shown.contains("+55") && !shown.contains("Ana"), "{shown}");
    }

    #[test]
    fn what_is_no_json_is_not_sent() {
        let body = std::collections::BTreeMap::from([((1, 2), 3)]);
        assert_eq!(
            Call::new("find", Params::new()).json(&body),
            Err(Failure::Unsendable("route `find`: the body is no JSON: key must be a string".into()))
        );
    }
}
