//! What a client signs instead of showing a secret (RFC 7523): a JWT, RS256 or ES256 as the key is.

use aws_lc_rs::rand::{self, SystemRandom};
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256};
use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use jiff::Timestamp;
use ramal_capability::Clear;
use serde_json::json;
use zeroize::Zeroizing;

/// How long an assertion is good, in seconds: some servers take none that is good for longer.
const LIFETIME: i64 = 180;

/// The private key is none that can sign here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the private key is no RSA or P-256 key in PEM; enter the file that begins with -----BEGIN PRIVATE KEY-----"
)]
pub(crate) struct BadKey;

/// Whom an assertion is about and for.
pub(crate) struct Claims<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) audience: &'a str,
    pub(crate) scope: Option<&'a str>,
}

enum Key {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
}

/// The signed assertion. Each has an id of its own, so a server can refuse a second use.
pub(crate) fn sign(
    pem: &Clear,
    key_id: Option<&Clear>,
    claims: &Claims<'_>,
    now: Timestamp,
) -> Result<Clear, BadKey> {
    let key = read(pem)?;
    let mut id = [0u8; 16];
    rand::fill(&mut id).map_err(|_| BadKey)?;
    let mut head =
        json!({ "alg": match key { Key::Rsa(_) => "RS256", Key::P256(_) => "ES256" }, "typ": "JWT" });
    if let (Some(head), Some(key_id)) = (head.as_object_mut(), key_id) {
        head.insert("kid".to_owned(), key_id.expose().into());
    }
    let mut body = json!({
        "iss": claims.issuer, "sub": claims.subject, "aud": claims.audience,
        "iat": now.as_second(), "exp": now.as_second() + LIFETIME, "jti": HEXLOWER.encode(&id),
    });
    if let (Some(body), Some(scope)) = (body.as_object_mut(), claims.scope) {
        body.insert("scope".to_owned(), scope.into());
    }
    let encode = |part: serde_json::Value| BASE64URL_NOPAD.encode(part.to_string().as_bytes());
    let mut text = format!("{}.{}", encode(head), encode(body));
    let signature = match &key {
        Key::Rsa(key) => {
            let mut signature = vec![0; key.public_modulus_len()];
            key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
                .map_err(|_| BadKey)?;
            signature
        }
        Key::P256(key) => {
            key.sign(&SystemRandom::new(), text.as_bytes()).map_err(|_| BadKey)?.as_ref().to_vec()
        }
    };
    text.push('.');
    text.push_str(&BASE64URL_NOPAD.encode(&signature));
    Ok(Clear::from(text))
}

fn read(pem: &Clear) -> Result<Key, BadKey> {
    let text = pem.expose().trim();
    let rest = text.strip_prefix("-----BEGIN ").ok_or(BadKey)?;
    let (label, rest) = rest.split_once("-----").ok_or(BadKey)?;
    let (body, _) = rest.split_once("-----END ").ok_or(BadKey)?;
    let plain: Zeroizing<String> =
        Zeroizing::new(body.chars().filter(|c| !c.is_ascii_whitespace()).collect());
    let der = Zeroizing::new(BASE64.decode(plain.as_bytes()).map_err(|_| BadKey)?);
    match label {
        "PRIVATE KEY" => RsaKeyPair::from_pkcs8(&der)
            .map(Key::Rsa)
            .or_else(|_| EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der).map(Key::P256))
            .map_err(|_| BadKey),
        "RSA PRIVATE KEY" => RsaKeyPair::from_der(&der).map(Key::Rsa).map_err(|_| BadKey),
        "EC PRIVATE KEY" => EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, &der)
            .map(Key::P256)
            .map_err(|_| BadKey),
        _ => Err(BadKey),
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::AsDer;
    use aws_lc_rs::rsa::{KeyPair, KeySize};
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_FIXED, KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
        VerificationAlgorithm,
    };
    use rstest::rstest;
    use serde_json::Value;

    use super::*;

    fn pem(label: &str, der: &[u8]) -> Clear {
        Clear::from(format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", BASE64.encode(der)))
    }

    fn rsa() -> (Clear, Vec<u8>) {
        let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
        (pem("PRIVATE KEY", key.as_der().unwrap().as_ref()), key.public_key().as_ref().to_vec())
    }

    fn p256() -> (Clear, Vec<u8>) {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let der = key.to_pkcs8v1().unwrap();
        (pem("PRIVATE KEY", der.as_ref()), key.public_key().as_ref().to_vec())
    }

    #[rstest]
    #[case::rsa(rsa(), "RS256", &RSA_PKCS1_2048_8192_SHA256)]
    #[case::p256(p256(), "ES256", &ECDSA_P256_SHA256_FIXED)]
    fn what_is_signed_verifies_and_says_whom_it_is_about(
        #[case] (pem, public): (Clear, Vec<u8>),
        #[case] algorithm: &str,
        #[case] verify: &'static dyn VerificationAlgorithm,
    ) {
        let claims = Claims {
            issuer: "client-7",
            subject: "ana@example.invalid",
            audience: "https://login.example.com",
            scope: Some("read"),
        };
        let now = Timestamp::from_second(1_790_000_000).unwrap();
        let text = sign(&pem, Some(&"key-1".into()), &claims, now).unwrap();
        let parts: Vec<&str> = text.expose().split('.').collect();
        let json = |part: &str| -> Value {
            serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap()
        };
        let (head, mut body) = (json(parts[0]), json(parts[1]));
        assert_eq!(head, json!({"alg": algorithm, "typ": "JWT", "kid": "key-1"}));
        let id = body.as_object_mut().unwrap().remove("jti").unwrap();
        assert_eq!(id.as_str().unwrap().len(), 32);
        assert_eq!(
            body,
            json!({
                "iss": "client-7", "sub": "ana@example.invalid", "aud": "https://login.example.com", "scope": "read",
                "iat": 1_790_000_000, "exp": 1_790_000_180,
            })
        );
        let signed = format!("{}.{}", parts[0], parts[1]);
        let signature = BASE64URL_NOPAD.decode(parts[2].as_bytes()).unwrap();
        UnparsedPublicKey::new(verify, public).verify(signed.as_bytes(), &signature).unwrap();
    }

    #[rstest]
    #[case::nothing("")]
    #[case::no_pem("s3cret")]
    #[case::public("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----")]
    #[case::no_base64("-----BEGIN PRIVATE KEY-----\n***\n-----END PRIVATE KEY-----")]
    #[case::no_key("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----")]
    #[case::no_end("-----BEGIN PRIVATE KEY-----\nAAAA")]
    fn a_key_that_is_none_is_an_error_without_its_text(#[case] text: &str) {
        let claims = Claims { issuer: "a", subject: "a", audience: "b", scope: None };
        let error = sign(&text.into(), None, &claims, Timestamp::UNIX_EPOCH).unwrap_err();
        assert!(!error.to_string().contains("s3cret"));
    }
}
