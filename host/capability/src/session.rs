//! A login whose token the host keeps: for CRMs that know sessions instead of keys, such as Tryton's JSON-RPC.
//! The guest sees neither the secrets nor the token.

use std::collections::BTreeMap;
use std::time::Duration;

use ipnet::IpNet;
use serde_json::Value;

use crate::address::Origin;
use crate::class::ClassSet;
use crate::compiled::{CompileError, Compiled, Scope};
use crate::manifest::SessionDecl;
use crate::request::Method;
use crate::spec::FieldSpec;
use crate::template::Language;
use crate::value::Clear;

/// How to log in, compiled.
#[derive(Debug)]
pub struct SessionPlan {
    secrets: Vec<String>,
    method: Method,
    origin: Origin,
    target: Compiled,
    body: Compiled,
    take: Vec<(String, String)>,
    value: Compiled,
    encode: bool,
    name: String,
    scheme: Option<String>,
    lifetime: Option<Duration>,
    private: Vec<IpNet>,
}

/// A login request, ready to be sent.
#[derive(Debug)]
pub struct LoginRequest {
    /// The method.
    pub method: Method,
    /// Path and query.
    pub target: Clear,
    /// The JSON body.
    pub body: Clear,
}

/// A secret that the login needs and the store does not have, or one that cannot be written in its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the login needs the secret `{0}`; add it to the credential")]
pub struct MissingSecret(pub String);

impl SessionPlan {
    pub(crate) fn compile(
        decl: &SessionDecl,
        settings: &Value,
        private: impl FnOnce(&Origin) -> Vec<IpNet>,
    ) -> Result<Self, CompileError> {
        let any = |name: &String| (name.clone(), FieldSpec::Classes(ClassSet::EMPTY));
        let secrets: Vec<_> = decl.secrets.iter().map(any).collect();
        let taken: Vec<_> =
            decl.secrets.iter().chain(decl.take.iter().map(|(name, _)| name)).map(any).collect();
        let parts = BTreeMap::new();
        let login = Scope { values: &secrets, settings, parts: &parts, raw: true };
        let after = Scope { values: &taken, settings, parts: &parts, raw: true };
        let (origin, target) = login.address(&decl.url)?;
        Ok(Self {
            private: private(&origin),
            secrets: decl.secrets.clone(),
            method: decl.method,
            origin,
            target,
            body: login.compile(&decl.body, Language::Json)?,
            take: decl.take.clone(),
            value: after.compile(&decl.value, Language::Text)?,
            encode: decl.encode_base64,
            name: decl.name.clone(),
            scheme: decl.scheme.clone(),
            lifetime: decl.lifetime,
        })
    }

    /// Where the login goes.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }
    /// Address ranges that are not public and that the grant names for the login's destination.
    pub fn private(&self) -> &[IpNet] {
        &self.private
    }
    /// How long a token is used at most, if the manifest says.
    pub fn lifetime(&self) -> Option<Duration> {
        self.lifetime
    }
    /// The header that carries the token.
    pub fn header(&self) -> &str {
        &self.name
    }

    /// The login request with these secrets.
    ///
    /// # Errors
    /// When a secret is missing.
    pub fn login(&self, secret: impl Fn(&str) -> Option<Clear>) -> Result<LoginRequest, MissingSecret> {
        let values = self.values(&secret)?;
        let unwritable = |_| MissingSecret("(a secret has characters that cannot be sent)".to_owned());
        Ok(LoginRequest {
            method: self.method,
            target: Clear::from(self.target.render(&values).map_err(unwritable)?),
            body: Clear::from(self.body.render(&values).map_err(unwritable)?),
        })
    }

    /// The header's value out of the login's answer, if the answer holds what it should.
    pub fn token(&self, secret: impl Fn(&str) -> Option<Clear>, answer: &[u8]) -> Option<Clear> {
        let answer: Value = serde_json::from_slice(answer).ok()?;
        let mut values = self.values(&secret).ok()?;
        for (_, pointer) in &self.take {
            values.push(match answer.pointer(pointer)? {
                Value::String(text) if !text.is_empty() => Clear::from(text.as_str()),
                Value::Number(number) => Clear::from(number.to_string()),
                _ => return None,
            });
        }
        let plain = Clear::from(self.value.render(&values).ok()?);
        let token = if self.encode {
            data_encoding::BASE64.encode(plain.expose().as_bytes())
        } else {
            plain.expose().to_owned()
        };
        if !token.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) {
            return None;
        }
        Some(Clear::from(match &self.scheme {
            Some(scheme) => format!("{scheme} {token}"),
            None => token,
        }))
    }

    fn values(&self, secret: &impl Fn(&str) -> Option<Clear>) -> Result<Vec<Clear>, MissingSecret> {
        self.secrets.iter().map(|name| secret(name).ok_or_else(|| MissingSecret(name.clone()))).collect()
    }
}
