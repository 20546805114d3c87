//! How the host gets tokens for one plugin of one tenant: the manifest's `oauth2`, with settings written in and
//! the grant's private ranges beside the endpoint. Made with the plan; the guest sees nothing of it.

use std::collections::BTreeMap;
use std::time::Duration;

use ipnet::IpNet;
use serde_json::Value;

use crate::address::Origin;
use crate::compiled::{CompileError, Compiled, Scope};
use crate::manifest::{ClientProof, FlowDecl, OAuthDecl};
use crate::template::Language;

/// How to get tokens, compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthPlan {
    /// In which way.
    pub flow: Flow,
    /// The token endpoint's scheme, host and port.
    pub origin: Origin,
    /// Its path and query.
    pub target: String,
    /// Address ranges that are not public and that the grant names for the endpoint.
    pub private: Vec<IpNet>,
    /// The scopes, with spaces between; empty for the server's own choice.
    pub scope: String,
    /// How the host proves to be the client.
    pub client: ClientProof,
    /// Whether the manifest says `Bearer` and so expects tokens of that type.
    pub bearer: bool,
    /// How long a refresh token lives where the server does not tell.
    pub refresh_lifetime: Option<Duration>,
}

/// One of the ways to a token, with everything but the secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flow {
    /// A person consents in the browser.
    AuthorizationCode {
        /// The address of consent, without the host's parameters.
        authorize: String,
        /// Constant parameters to add.
        parameters: Vec<(String, String)>,
        /// Who must have answered (RFC 9207).
        issuer: Option<String>,
    },
    /// The client asks for itself.
    ClientCredentials,
    /// The client signs whom it acts for.
    JwtBearer {
        /// Whom it acts for; the client itself if none.
        subject: Option<String>,
        /// For whom the signature is.
        audience: String,
    },
}

impl OAuthPlan {
    /// The token endpoint's whole address: the audience of what the client signs for it.
    pub fn endpoint(&self) -> String {
        format!("{}{}", self.origin, self.target)
    }

    pub(crate) fn compile(
        decl: &OAuthDecl,
        settings: &Value,
        private: impl FnOnce(&Origin) -> Vec<IpNet>,
    ) -> Result<Self, CompileError> {
        let parts = BTreeMap::new();
        let scope = Scope { values: &[], settings, parts: &parts, raw: true };
        let (origin, target) = scope.address(&decl.token)?;
        let target = constant(&target)?;
        let text = |template| scope.compile(template, Language::Text).and_then(|c| constant(&c));
        let flow = match &decl.flow {
            FlowDecl::AuthorizationCode { authorize, parameters, issuer } => {
                let (at, path) = scope.address(authorize)?;
                Flow::AuthorizationCode {
                    authorize: format!("{at}{}", constant(&path)?),
                    parameters: parameters.clone(),
                    issuer: issuer.as_ref().map(text).transpose()?,
                }
            }
            FlowDecl::ClientCredentials => Flow::ClientCredentials,
            FlowDecl::JwtBearer { subject, audience } => Flow::JwtBearer {
                subject: subject.as_ref().map(text).transpose()?,
                audience: match audience {
                    Some(audience) => text(audience)?,
                    None => format!("{origin}{target}"),
                },
            },
        };
        Ok(Self {
            flow,
            private: private(&origin),
            origin,
            target,
            scope: decl.scopes.join(" "),
            client: decl.client,
            bearer: decl.scheme.eq_ignore_ascii_case("bearer"),
            refresh_lifetime: decl.refresh_lifetime,
        })
    }
}

/// The text of a template that has no values.
fn constant(compiled: &Compiled) -> Result<String, CompileError> {
    compiled.render(&[]).map_err(|_| CompileError::Path("a place that only a value could fill"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{GRANT, MANIFEST, settings};
    use crate::grant::Grant;
    use crate::ids::Digest;
    use crate::manifest::Manifest;
    use crate::plan::{Plan, PlanError};

    const OAUTH: &str = "kind = \"oauth2\"\nflow = \"jwt-bearer\"\ntoken = \"{setting.server}/oauth/{setting.company}/token\"\n\
                         subject = \"panel-{setting.company}\"\nscopes = [\"a\", \"b\"]";

    fn compile(oauth: &str, grant: &str) -> Result<Plan, PlanError> {
        let text = MANIFEST.replace("kind = \"bearer\"", oauth);
        let manifest = Manifest::parse("plugin.toml", &text).unwrap_or_else(|e| panic!("{e}"));
        let grant = Grant::parse("grant.toml", grant).unwrap_or_else(|e| panic!("{e}"));
        Plan::compile(&manifest, Digest([1; 32]), &grant, &settings())
    }

    #[test]
    fn settings_are_written_in_and_the_grants_ranges_stand_beside() {
        let grant =
            GRANT.replace("reason = \"the CRM\"", "reason = \"the CRM\"\nprivate = [\"10.1.0.0/16\"]");
        let plan = compile(OAUTH, &grant).unwrap();
        let (id, (decl, oauth)) = plan.credentials().into_iter().next().unwrap();
        let oauth = oauth.unwrap();
        assert_eq!((id.as_str(), decl.kind.as_str()), ("key", "oauth2"));
        assert_eq!(oauth.endpoint(), "https://crm.example/oauth/1/token");
        assert_eq!(oauth.private, ["10.1.0.0/16".parse::<IpNet>().unwrap()]);
        assert_eq!(oauth.scope, "a b");
        assert_eq!(
            oauth.flow,
            Flow::JwtBearer { subject: Some("panel-1".to_owned()), audience: oauth.endpoint() }
        );
    }

    #[test]
    fn a_token_endpoint_that_the_grant_does_not_name_is_refused() {
        let elsewhere =
            "kind = \"oauth2\"\nflow = \"client-credentials\"\ntoken = \"https://evil.example/token\"";
        let error = compile(elsewhere, GRANT).err().unwrap();
        assert!(matches!(error, PlanError::NotADestination { .. }), "{error}");
        assert!(error.to_string().contains("[[destination]]\norigin = \"https://evil.example\""), "{error}");
    }

    #[test]
    fn the_page_of_consent_is_opened_by_a_person_and_needs_no_destination() {
        let code = "kind = \"oauth2\"\nflow = \"authorization-code\"\ntoken = \"https://crm.example/token\"\n\
                    authorize = \"https://login.example/{setting.company}/authorize?x=1\"";
        let plan = compile(code, GRANT).unwrap();
        let oauth = plan.credentials().into_values().next().unwrap().1.unwrap();
        let Flow::AuthorizationCode { authorize, .. } = &oauth.flow else { panic!("another flow") };
        assert_eq!(authorize, "https://login.example/1/authorize?x=1");
    }
}
