use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::keyfile::LocalKeyFile;

// Invented secrets.
const SECRET: &[u8] = b"refresh-token-of-nobody";

fn key(tenant: &str, plugin: &str, credential: &str) -> CredentialKey {
    CredentialKey {
        tenant: tenant.parse().unwrap(),
        plugin: plugin.parse().unwrap(),
        credential: credential.parse().unwrap(),
    }
}

fn vault(dir: &tempfile::TempDir) -> Vault {
    Vault::new(Arc::new(LocalKeyFile::open(dir.path().join("credentials.keys")).unwrap()))
}

#[tokio::test]
async fn what_was_sealed_opens_and_shows_nothing_before() {
    let dir = tempfile::tempdir().unwrap();
    let (vault, context) = (vault(&dir), context(&key("acme", "crm", "api"), 1));
    let sealed = vault.seal(&context, SECRET).await.unwrap();
    assert!(!sealed.bytes.windows(7).any(|part| SECRET.windows(7).any(|secret| secret == part)));
    assert_eq!(vault.open(&context, &sealed).await.unwrap().as_slice(), SECRET);
    let again = vault.seal(&context, SECRET).await.unwrap();
    assert_ne!((&sealed.bytes, &sealed.wrapped), (&again.bytes, &again.wrapped), "a new key each time");
}

#[rstest]
#[case::tenant(key("other", "crm", "api"), 7)]
#[case::plugin(key("acme", "crn", "api"), 7)]
#[case::credential(key("acme", "crm", "apj"), 7)]
#[case::older(key("acme", "crm", "api"), 6)]
#[case::newer(key("acme", "crm", "api"), 8)]
#[tokio::test]
async fn a_row_in_anothers_place_or_under_another_number_does_not_open(
    #[case] place: CredentialKey,
    #[case] revision: u64,
) {
    let dir = tempfile::tempdir().unwrap();
    let vault = vault(&dir);
    let sealed = vault.seal(&context(&key("acme", "crm", "api"), 7), SECRET).await.unwrap();
    let refused = vault.open(&context(&place, revision), &sealed).await.unwrap_err();
    assert_eq!(refused, VaultError::Key(WrapError::Forged));
}

#[tokio::test]
async fn the_content_of_one_row_with_the_key_of_another_does_not_open() {
    let dir = tempfile::tempdir().unwrap();
    let (vault, context) = (vault(&dir), context(&key("acme", "crm", "api"), 1));
    let mut one = vault.seal(&context, SECRET).await.unwrap();
    one.bytes = vault.seal(&context, b"another").await.unwrap().bytes;
    assert_eq!(vault.open(&context, &one).await.unwrap_err(), VaultError::Forged);
}

#[tokio::test]
async fn every_flipped_bit_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let (vault, context) = (vault(&dir), context(&key("acme", "crm", "api"), 1));
    let good = vault.seal(&context, SECRET).await.unwrap();
    for bit in 0..good.bytes.len() * 8 {
        let mut bad = good.clone();
        bad.bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(vault.open(&context, &bad).await.is_err(), "bit {bit} of the content");
    }
    for bit in 0..good.wrapped.len() * 8 {
        let mut bad = good.clone();
        bad.wrapped[bit / 8] ^= 1 << (bit % 8);
        assert!(vault.open(&context, &bad).await.is_err(), "bit {bit} of the key");
    }
    for length in 0..good.bytes.len() {
        let mut bad = good.clone();
        bad.bytes.truncate(length);
        assert!(vault.open(&context, &bad).await.is_err(), "cut to {length}");
    }
}

#[tokio::test]
async fn a_row_of_a_later_form_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let (vault, context) = (vault(&dir), context(&key("acme", "crm", "api"), 1));
    let mut sealed = vault.seal(&context, SECRET).await.unwrap();
    sealed.bytes[0] = 2;
    insta::assert_snapshot!(
        vault.open(&context, &sealed).await.unwrap_err(),
        @"the row has the form 2, which this version does not know; run the ramal that wrote it"
    );
}

proptest! {
    #[test]
    fn bytes_that_were_never_sealed_do_not_open_and_do_not_panic(bytes: Vec<u8>) {
        prop_assert!(decrypt(&[7; 32], b"context", &bytes).is_err());
    }

    #[test]
    fn any_content_comes_back(plain: Vec<u8>, context: Vec<u8>) {
        let sealed = encrypt(&[7; 32], &context, &plain).unwrap();
        let opened = decrypt(&[7; 32], &context, &sealed).unwrap();
        prop_assert_eq!(opened.as_slice(), plain.as_slice());
    }
}
