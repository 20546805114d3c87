//! Signatures: whatever Twilio's own libraries sign is accepted, and whatever was changed on the way gets the same
//! verdict from them and from us.

use jiff::Timestamp;
use ramal_center::{Channel, Clear, Region};
use ramal_channels::{Incoming, SharedKey, Twilio, TwilioKeys, Webhook};
use serde_json::{Value, json};
use tokio::process::Command;
use url::Url;

use crate::installed::{Asked, install, tests_folder};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const KEY: &str = "webhooks_sharedkey_00";
const CASES: usize = 4_000;

/// The libraries, if this machine has them.
async fn libraries(test: &str) -> Option<(Asked, Asked)> {
    let folder = install("twilio", test).await?;
    let python = Asked::start(
        Command::new(folder.join("venv/bin/python")).arg(tests_folder().join("twilio/library.py")),
    );
    let node = Asked::start(Command::new("node").arg(folder.join("library.mjs")));
    Some((python, node))
}

/// One request, as it is sent.
#[derive(Clone, Debug)]
struct Sent {
    url: String,
    params: Vec<(String, String)>,
    /// A body that is no form.
    json: Option<String>,
    algorithm: &'static str,
    signature: String,
}

impl Sent {
    fn ours(&self) -> bool {
        let keys = TwilioKeys {
            tokens: vec![Clear::from(TOKEN)],
            shared: vec![SharedKey { id: KEY.to_owned(), secret: Clear::from(TOKEN) }],
        };
        let twilio = Twilio::new("AC1", keys, Channel::Mobile, Region::BR);
        let url = Url::parse(&self.url).unwrap();
        assert_eq!(url.as_str(), self.url, "the libraries must see what we see");
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.params).finish();
        let settings = format!("key={KEY},algorithm={}", self.algorithm);
        let kind = if self.json.is_some() { "application/json" } else { "application/x-www-form-urlencoded" };
        let mut headers = vec![("content-type", kind), ("x-twilio-signature", self.signature.as_str())];
        if self.algorithm == "HMAC_SHA256" {
            headers.push(("x-twilio-webhooks-signature-settings", &settings));
        }
        let body = self.json.as_ref().unwrap_or(&form).as_bytes();
        twilio.prove(&Incoming { url: &url, headers: &headers, body, now: Timestamp::now() }).is_ok()
    }

    fn asked(&self, what: &str) -> Value {
        json!({"do": what, "token": TOKEN, "url": self.url, "params": self.params, "body": self.json,
            "algorithm": self.algorithm, "signature": self.signature})
    }
}

/// Reproducible chance.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        // SplitMix64: the same numbers again, on every machine.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(n).unwrap()).unwrap()
    }
    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }
    fn word(&mut self) -> String {
        const LETTERS: &[&str] = &[
            "a", "Z", "0", "+", " ", "&", "=", "%", "é", "ção", "\n", "'", "\"", "/", "?", "#", "\u{20ac}",
            "~",
        ];
        (0..self.below(6)).map(|_| self.one(LETTERS)).collect()
    }
    fn params(&mut self) -> Vec<(String, String)> {
        const NAMES: &[&str] =
            &["CallSid", "From", "To", "Body", "a", "A", "Z", "aa", "Ab", "MediaUrl0", "é"];
        (0..self.below(7)).map(|_| (self.one(NAMES).to_owned(), self.word())).collect()
    }
    fn url(&mut self) -> String {
        let scheme = self.one(&["https", "http"]);
        let host = self.one(&["ramal.example", "a.b.example", "10.0.0.1"]);
        let port = self.one(&["", ":8443", ":7700"]);
        let path = self.one(&["/", "/v1/channels/tw/webhook", "/a%20b/c"]);
        let query = self.one(&["", "?x=1", "?x=1&y=%C3%A1", "?reference=a-b_c"]);
        format!("{scheme}://{host}{port}{path}{query}")
    }
}

/// The address with or without the port that its scheme has by itself.
fn other_port(url: &str, dice: &mut Dice) -> String {
    let parsed = Url::parse(url).unwrap();
    let host = parsed.host_str().unwrap();
    match parsed.port() {
        Some(port) if dice.below(2) == 0 => url.replacen(&format!("{host}:{port}"), host, 1),
        Some(_) => url.to_owned(),
        None if dice.below(2) == 0 => {
            let port = parsed.port_or_known_default().unwrap();
            url.replacen(host, &format!("{host}:{port}"), 1)
        }
        None => url.to_owned(),
    }
}

/// Changes something, or nothing.
fn changed(sent: &Sent, dice: &mut Dice) -> Sent {
    let mut sent = sent.clone();
    match dice.below(10) {
        0 => sent.url = dice.url(),
        1 => sent.params.push(("x".to_owned(), dice.word())),
        2 if !sent.params.is_empty() => {
            let at = dice.below(sent.params.len());
            sent.params.remove(at);
        }
        3 if !sent.params.is_empty() => {
            let at = dice.below(sent.params.len());
            sent.params[at].1 = dice.word();
        }
        4 if !sent.params.is_empty() => {
            // The same once more: it is signed once.
            let again = dice.one(&sent.params);
            sent.params.push(again);
        }
        5 => sent.params.reverse(),
        6 => sent.signature = sent.signature.replacen(|c: char| c.is_ascii_lowercase(), "Q", 1),
        7 => sent.signature.truncate(dice.below(28)),
        8 => sent.url.push_str(if sent.url.contains('?') { "&z=1" } else { "?z=1" }),
        _ => {}
    }
    sent
}

#[tokio::test]
async fn twilios_libraries_and_we_agree_on_thousands_of_requests() {
    let Some((mut python, mut node)) = libraries("twilios_libraries_and_we_agree").await else { return };
    let mut dice = Dice(1);
    let (mut accepted, mut refused) = (0_usize, 0_usize);
    for case in 0..CASES {
        let algorithm = dice.one(&["HMAC_SHA1", "HMAC_SHA256"]);
        let (url, params) = (dice.url(), dice.params());
        let mut sent = Sent { url, params, json: None, algorithm, signature: String::new() };
        // What is signed is the address with or without its port.
        let signed = Sent { url: other_port(&sent.url, &mut dice), ..sent.clone() };
        let signer = if algorithm == "HMAC_SHA1" && case % 2 == 0 { &mut node } else { &mut python };
        sent.signature = signer.ask(&signed.asked("sign")).await["signature"].as_str().unwrap().to_owned();
        // A port that is not the scheme's own cannot be guessed; leaving it out can.
        let sent_as_signed = sent.ours();
        assert!(sent_as_signed, "case {case}: a library signed it: {sent:?}");
        let sent = changed(&sent, &mut dice);
        let ours = sent.ours();
        let theirs = python.ask(&sent.asked("check")).await["valid"].as_bool().unwrap();
        assert_eq!(ours, theirs, "case {case}: {sent:?}");
        if algorithm == "HMAC_SHA1" {
            let theirs = node.ask(&sent.asked("check")).await["valid"].as_bool().unwrap();
            assert_eq!(ours, theirs, "case {case}, by JavaScript: {sent:?}");
        }
        *(if ours { &mut accepted } else { &mut refused }) += 1;
    }
    // Neither verdict is the rare one, or the comparison would say little.
    assert!(accepted > CASES / 4 && refused > CASES / 4, "{accepted} accepted, {refused} refused");
}

#[tokio::test]
async fn bodies_that_are_no_forms_too() {
    let Some((mut python, mut node)) = libraries("bodies_that_are_no_forms_too").await else { return };
    let hash = |body: &str| {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body.as_bytes());
        data_encoding::HEXLOWER.encode(digest.as_ref())
    };
    for (signed, body) in [("{}", "{}"), (r#"{"a":"é"}"#, r#"{"a":"é"}"#), ("{}", "{ }"), ("", "{}")] {
        let url = format!("https://ramal.example/v1/channels/tw/webhook?bodySHA256={}", hash(signed));
        for algorithm in ["HMAC_SHA1", "HMAC_SHA256"] {
            let mut sent = Sent {
                url: url.clone(),
                params: Vec::new(),
                json: None,
                algorithm,
                signature: String::new(),
            };
            sent.signature = python.ask(&sent.asked("sign")).await["signature"].as_str().unwrap().to_owned();
            sent.json = Some(body.to_owned());
            assert_eq!(sent.ours(), signed == body);
            let theirs = python.ask(&sent.asked("check")).await;
            assert_eq!(theirs["valid"], sent.ours());
            if algorithm == "HMAC_SHA1" {
                assert_eq!(node.ask(&sent.asked("check")).await["valid"], sent.ours());
            }
        }
    }
}
