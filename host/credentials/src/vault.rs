//! A record as bytes: AES-256-GCM-SIV (RFC 8452) under a data key that is made for this one writing.
//!
//! Who can write the database cannot read a secret, and cannot give one plugin's account to another either: tenant,
//! plugin, credential and revision go into both encryptions, so a row that was moved, or put under a newer number,
//! opens nowhere. GCM-SIV and not GCM, because a wrapping key lives long and a repeated nonce must not cost it.

use std::fmt::Write;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand;
use ramal_store::{CredentialKey, Sealed};
use zeroize::Zeroizing;

use crate::wrap::{DataKey, KeyWrapper, WrapError, Wrapped};

/// The first byte of everything that is sealed here.
const VERSION: u8 = 1;

/// Why something sealed cannot be opened, or something open not sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The key of the record.
    #[error(transparent)]
    Key(#[from] WrapError),
    /// The content was changed, or belongs to another record.
    #[error("the row was changed outside of ramal; restore it from a backup, or enter the secret again")]
    Forged,
    /// A newer version wrote it.
    #[error("the row has the form {0}, which this version does not know; run the ramal that wrote it")]
    Version(u8),
    /// It opened and holds something else.
    #[error("the row opened and is no credential; enter the secret again")]
    Content,
}

/// Seals and opens.
#[derive(Clone)]
pub(crate) struct Vault {
    wrapper: Arc<dyn KeyWrapper>,
}

impl Vault {
    pub(crate) fn new(wrapper: Arc<dyn KeyWrapper>) -> Self {
        Self { wrapper }
    }

    pub(crate) fn wrapper(&self) -> &dyn KeyWrapper {
        &*self.wrapper
    }

    /// Seals for a context, under a new data key.
    pub(crate) async fn seal(&self, context: &[u8], plain: &[u8]) -> Result<Sealed, VaultError> {
        let key = DataKey::random()?;
        let bytes = encrypt(key.expose(), context, plain)?;
        let wrapped = self.wrapper.wrap(&key, context).await?;
        Ok(Sealed { key_id: wrapped.key_id, wrapped: wrapped.bytes, bytes })
    }

    /// Opens what was sealed for the context.
    pub(crate) async fn open(
        &self,
        context: &[u8],
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let wrapped = Wrapped { key_id: sealed.key_id.clone(), bytes: sealed.wrapped.clone() };
        let key = self.wrapper.unwrap(&wrapped, context).await?;
        match decrypt(key.expose(), context, &sealed.bytes) {
            Err(VaultError::Key(WrapError::Forged)) => Err(VaultError::Forged),
            opened => opened,
        }
    }

    /// The data key under the newest wrapping key; `None` if it is already.
    pub(crate) async fn rewrap(
        &self,
        context: &[u8],
        sealed: &Sealed,
        newest: &str,
    ) -> Result<Option<Wrapped>, VaultError> {
        if sealed.key_id == newest {
            return Ok(None);
        }
        let old = Wrapped { key_id: sealed.key_id.clone(), bytes: sealed.wrapped.clone() };
        let key = self.wrapper.unwrap(&old, context).await?;
        Ok(Some(self.wrapper.wrap(&key, context).await?))
    }
}

/// What a credential's row is sealed for. Names have no `|` in them.
pub(crate) fn context(key: &CredentialKey, revision: u64) -> Vec<u8> {
    format!("ramal credential|{}|{}|{}|{revision}", key.tenant, key.plugin, key.credential).into_bytes()
}

/// What a consent under way is sealed for.
pub(crate) fn consent_context(
    key: &CredentialKey,
    admin: &ramal_capability::UserId,
    state: &[u8; 32],
) -> Vec<u8> {
    let mut text = format!("ramal consent|{}|{}|{}|{admin}|", key.tenant, key.plugin, key.credential);
    for byte in state {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text.into_bytes()
}

fn cipher(key: &[u8; 32]) -> Result<LessSafeKey, WrapError> {
    UnboundKey::new(&AES_256_GCM_SIV, key).map(LessSafeKey::new).map_err(|_| WrapError::Forged)
}

/// `version ‖ nonce ‖ ciphertext ‖ tag`.
pub(crate) fn encrypt(key: &[u8; 32], context: &[u8], plain: &[u8]) -> Result<Vec<u8>, WrapError> {
    let mut nonce = [0u8; NONCE_LEN];
    rand::fill(&mut nonce).map_err(|_| WrapError::Random)?;
    // Encrypted in place: the buffer is never long enough to be moved and left behind in the clear.
    let mut text = Vec::with_capacity(plain.len() + AES_256_GCM_SIV.tag_len());
    text.extend_from_slice(plain);
    cipher(key)?
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(context), &mut text)
        .map_err(|_| WrapError::Random)?;
    let mut sealed = vec![VERSION];
    sealed.extend_from_slice(&nonce);
    sealed.append(&mut text);
    Ok(sealed)
}

pub(crate) fn decrypt(
    key: &[u8; 32],
    context: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let (version, rest) = sealed.split_first().ok_or(WrapError::Forged)?;
    if *version != VERSION {
        return Err(VaultError::Version(*version));
    }
    let (nonce, text) = rest.split_at_checked(NONCE_LEN).ok_or(WrapError::Forged)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| WrapError::Forged)?;
    let mut text = Zeroizing::new(text.to_vec());
    let length = cipher(key)?
        .open_in_place(nonce, Aad::from(context), text.as_mut_slice())
        .map_err(|_| WrapError::Forged)?
        .len();
    text.truncate(length);
    Ok(text)
}

#[cfg(test)]
mod tests;
