//! `[[hook]]` and `[sync]`: what parses, and what each mistake is told.

use std::fmt::Write;

use super::super::*;
use crate::fixture::hooked_manifest;

fn hook() -> HookDecl {
    Manifest::parse("plugin.toml", &hooked_manifest()).unwrap().hooks[0].clone()
}

#[test]
fn a_signed_hook_says_what_is_signed_and_where_it_stands() {
    let hook = hook();
    let HookProof::Hmac(proof) = &hook.proof else { panic!("not signed") };
    assert_eq!(proof.algorithm, HmacAlgorithm::Sha256);
    assert_eq!((proof.header.as_str(), proof.prefix.as_str()), ("x-acme-signature", "v1="));
    assert_eq!(proof.signed, [SignedPart::Time, SignedPart::Text(".".into()), SignedPart::Body]);
    assert_eq!(proof.time.as_ref().unwrap().tolerance.as_secs(), 300);
    assert_eq!(hook.delivery_id.as_deref(), Some("x-acme-delivery"));
    assert_eq!(hook.receives().to_string(), "contact.name|contact.phone|contact.email|contact.document");
}

#[test]
fn an_admin_reads_what_a_hook_brings_and_how_often_the_crm_is_asked() {
    let sentences = Manifest::parse("plugin.toml", &hooked_manifest()).unwrap().sentences();
    let about: Vec<_> = sentences.iter().filter(|s| s.contains("hook") || s.contains("Asks")).collect();
    insta::assert_debug_snapshot!(about);
}

/// What is wrong, the text of the sample, and what stands there instead.
const WRONG: &[(&str, &str, &str)] = &[
    ("twice", "id = \"spare\"", "id = \"changes\""),
    ("no reason", "reason = \"declared and not granted\"\n", ""),
    ("unknown proof", "verify = \"path-secret\"", "verify = \"md5\""),
    ("no credential", "credential = \"hook\"\nverify = \"path-secret\"", "verify = \"path-secret\""),
    (
        "credential that is sent",
        "credential = \"hook\"\nverify = \"path",
        "credential = \"key\"\nverify = \"path",
    ),
    ("unknown credential", "credential = \"hook\"\nverify = \"path", "credential = \"hok\"\nverify = \"path"),
    (
        "a route that sends it",
        "credential = \"key\"\nparams = { phone",
        "credential = \"hook\"\nparams = { phone",
    ),
    ("signed without a signature", "verify = \"path-secret\"", "verify = \"hmac-sha1\""),
    (
        "path secret with a signature",
        "verify = \"path-secret\"",
        "verify = \"path-secret\"\nsignature = { header = \"X-S\", encoding = \"hex\" }",
    ),
    ("unknown encoding", "encoding = \"hex\"", "encoding = \"hexx\""),
    ("a time that is not signed", ", signed = \"{time}.{body}\"", ""),
    ("a signed time without its header", "time = { header = \"X-Acme-Time\" }\n", ""),
    (
        "a signed id without its header",
        "signed = \"{time}.{body}\" }\ntime = { header = \"X-Acme-Time\" }\ndelivery-id = \"X-Acme-Delivery\"\n",
        "signed = \"{id}{body}\" }\n",
    ),
    ("a body that is not signed", "\"{time}.{body}\"", "\"{time}\""),
    ("an unknown part", "\"{time}.{body}\"", "\"{time}.{url}.{body}\""),
    ("an open part", "\"{time}.{body}\"", "\"{time}.{body}{\""),
    (
        "a long tolerance",
        "time = { header = \"X-Acme-Time\" }",
        "time = { header = \"X-Acme-Time\", tolerance-seconds = 86400 }",
    ),
    ("a body without bound", "max-bytes = 2048", "max-bytes = 2000000"),
    ("a class in a header", "\"enum(updated|deleted)\"", "\"contact.name\""),
    ("a hosts header", "header.\"X-Acme-Event\"", "header.\"Cookie\""),
    ("a header twice", "max-bytes = 2048", "max-bytes = 2048\nheader.\"x-acme-event\" = \"id\""),
    (
        "a class unasked",
        "receive.\"/contact/name\" = \"contact.name\"",
        "receive.\"/contact/name\" = \"contact.birth\"",
    ),
    (
        "a switch on what is not taken",
        "receive.\"/contact/name\" = \"contact.name\"",
        "receive.\"/contact/name\" = { switch = \"kind\", case = { a = \"contact.name\" } }",
    ),
    ("nobody hears", "\"journal.write\", \"events.handle\"]", "\"journal.write\"]"),
    ("asked too often", "every-seconds = 300", "every-seconds = 1"),
    ("sync without a reason", "[sync]\nreason = \"to know of what no hook tells\"", "[sync]"),
];

#[test]
fn each_mistake_of_a_hook_is_told_with_its_place_and_what_to_do() {
    let (sample, mut page) = (hooked_manifest(), String::new());
    for (name, from, to) in WRONG {
        assert!(sample.contains(from), "`{from}` is not in the sample");
        let error = Manifest::parse("plugin.toml", &sample.replacen(from, to, 1)).expect_err(name);
        writeln!(page, "# {name}\n{error}\n").unwrap();
    }
    insta::assert_snapshot!(page);
}

#[test]
fn something_must_call_what_hears() {
    let sample = hooked_manifest();
    let (from, to) = (sample.find("[[hook]]").unwrap(), sample.find("[[route]]").unwrap());
    let without = format!("{}{}", &sample[..from], &sample[to..]);
    let error = Manifest::parse("plugin.toml", &without).unwrap_err().to_string();
    assert!(error.contains("`events.handle` is provided and nothing calls it"), "{error}");
    assert!(error.contains("no hook uses the credential"), "{error}");
}
