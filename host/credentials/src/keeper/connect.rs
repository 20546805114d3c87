//! A consent, begun and finished. The server's routes are thin calls into these two.

use std::sync::Arc;

use ramal_capability::{Clear, EgressFailure, Flow, OAuthPlan, TenantId, UserId};
use ramal_egress::TokenCall;
use ramal_store::{ConsentRow, CredentialKey};
use zeroize::Zeroizing;

use super::renew::code;
use super::{Inner, Keeper};
use crate::answer::{self, Refusal};
use crate::consent::{Begun, Callback, ConsentError, ConsentStart, Fresh, sha256};
use crate::error::{KeeperError, Trouble};
use crate::record::{Tokens, after};
use crate::request;
use crate::state::Reason;
use crate::vault::{VaultError, consent_context};
use crate::wrap::WrapError;

impl Keeper {
    /// Begins a consent: where to send the admin's browser. `redirect_uri` is the address, registered with the CRM,
    /// at which the server then gets the answer.
    ///
    /// # Errors
    /// When the credential is of another kind, its client was not entered yet, or the store cannot be written.
    pub async fn begin_consent(
        &self,
        key: &CredentialKey,
        admin: &UserId,
        redirect_uri: &url::Url,
    ) -> Result<ConsentStart, ConsentError> {
        let inner = &self.0;
        let plan = inner.plan(key).ok_or_else(|| KeeperError::NotDeclared(key.clone()))?;
        let missing = || KeeperError::Missing(key.clone());
        let loaded = inner.load(key, &inner.cell(key)).await?;
        let record = loaded.record.ok_or_else(missing)?;
        let client_id = record.fields.get("client_id").ok_or_else(missing)?;
        let sealed_error = |source: VaultError| KeeperError::Sealed { key: key.clone(), source };
        let fresh =
            Fresh::new(redirect_uri.as_str()).ok_or_else(|| sealed_error(WrapError::Random.into()))?;
        let url = fresh.address(&plan, &client_id.0).ok_or_else(|| ConsentError::OtherFlow(key.clone()))?;
        let state = sha256(&fresh.state);
        let text = serde_json::to_vec(&fresh.begun).map(Zeroizing::new);
        let text = text.map_err(|_| sealed_error(VaultError::Content))?;
        let sealed = inner.vault.seal(&consent_context(key, admin, &state), &text).await;
        let now = inner.clock.now();
        let expires_at = after(now, inner.settings.consent);
        let row = ConsentRow {
            state,
            key: key.clone(),
            admin: admin.clone(),
            sealed: sealed.map_err(sealed_error)?,
            expires_at,
        };
        inner.store.begin_consent(&row, now).await.map_err(KeeperError::from)?;
        Ok(ConsentStart { url, expires_at })
    }

    /// Finishes a consent with what came back through the browser of `admin`, who is logged in for `tenant`. Says
    /// which credential is connected now. Whatever comes of it, the state is used up.
    ///
    /// # Errors
    /// When the answer does not belong to a consent that this admin began, the server gave none, or no token.
    pub async fn finish_consent(
        &self,
        tenant: &TenantId,
        admin: &UserId,
        callback: Callback,
    ) -> Result<CredentialKey, ConsentError> {
        let (inner, tenant, admin) = (Arc::clone(&self.0), tenant.clone(), admin.clone());
        // A browser that goes away must not take the tokens with it.
        let task = tokio::spawn(async move { inner.finish(&tenant, &admin, callback).await });
        task.await.unwrap_or(Err(ConsentError::Unavailable(Trouble::Aborted)))
    }
}

impl Inner {
    async fn finish(
        &self,
        tenant: &TenantId,
        admin: &UserId,
        callback: Callback,
    ) -> Result<CredentialKey, ConsentError> {
        let state = sha256(&callback.state);
        let taken = self.store.take_consent(tenant, &state).await.map_err(KeeperError::from)?;
        let row = taken.ok_or(ConsentError::Unknown)?;
        if row.expires_at <= self.clock.now() {
            return Err(ConsentError::Late);
        }
        if row.admin != *admin {
            return Err(ConsentError::OtherPerson);
        }
        let key = row.key;
        let plan = self.plan(&key).ok_or_else(|| KeeperError::NotDeclared(key.clone()))?;
        let sealed_error = |source: VaultError| KeeperError::Sealed { key: key.clone(), source };
        let text = self.vault.open(&consent_context(&key, admin, &state), &row.sealed).await;
        let text = text.map_err(sealed_error)?;
        let begun: Begun = serde_json::from_slice(&text).map_err(|_| sealed_error(VaultError::Content))?;
        let Flow::AuthorizationCode { issuer, .. } = &plan.flow else {
            return Err(ConsentError::OtherFlow(key));
        };
        if issuer.is_some() && *issuer != callback.issuer {
            return Err(ConsentError::OtherServer);
        }
        let brought = callback.outcome.map_err(ConsentError::Denied)?;
        let tokens = self.exchange(&key, &plan, &begun, &brought).await?;
        self.change(&key, |record| {
            // Removed meanwhile: then there is nothing to connect.
            let mut record = record?;
            record.tokens = Some(tokens.clone());
            record.settle();
            Some(record)
        })
        .await?;
        match self.cell(&key).live() {
            Some(_) => Ok(key),
            None => Err(KeeperError::Missing(key).into()),
        }
    }

    async fn exchange(
        &self,
        key: &CredentialKey,
        plan: &OAuthPlan,
        begun: &Begun,
        brought: &Clear,
    ) -> Result<Tokens, ConsentError> {
        let record = self.load(key, &self.cell(key)).await?.record;
        let record = record.ok_or_else(|| KeeperError::Missing(key.clone()))?;
        let ask = code(brought, &begun.redirect_uri, &begun.verifier.0);
        let form = request::form(plan, &record.fields, &ask, self.clock.now())
            .map_err(|_| ConsentError::Refused(Reason::SecretIncomplete))?;
        let call = TokenCall {
            origin: &plan.origin,
            target: &plan.target,
            private: &plan.private,
            authorization: form.authorization.as_ref(),
            form: &form.body,
        };
        let answer = self.endpoint.post(call).await.map_err(|failure| {
            ConsentError::Unavailable(match failure.failure {
                EgressFailure::Denied(_) => Trouble::NotAllowed,
                EgressFailure::RateLimited(_) => Trouble::Busy,
                _ if failure.sent => Trouble::NoAnswer,
                _ => Trouble::Unreachable,
            })
        })?;
        answer::read(plan, &answer, None, self.clock.now()).map_err(|refusal| match refusal {
            Refusal::Person(reason) => ConsentError::Refused(reason),
            Refusal::Busy => ConsentError::Unavailable(Trouble::Busy),
            Refusal::Unusable => ConsentError::Unavailable(Trouble::BadAnswer),
        })
    }
}
