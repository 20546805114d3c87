//! Signatures as another program computed them, and every way in which a post can end. The secrets are made up.

use super::*;
use ramal_capability::Denial;
use rstest::rstest;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn keys(secrets: &[&str]) -> Vec<hmac::Key> {
    secrets.iter().map(|text| key(&Secret::new(*text)).unwrap()).collect()
}

#[test]
fn the_signature_is_that_of_standard_webhooks() {
    let id = "d7f72956-6d8f-51f7-836d-54c525cc83dc".parse().unwrap();
    let headers = signed(&keys(&[SECRET, OTHER]), id, 1_780_000_000, r#"{"test": 2432232314}"#);
    // Computed with the Python package standardwebhooks 1.1.0.
    assert_eq!(
        headers,
        [
            ("webhook-id", "d7f72956-6d8f-51f7-836d-54c525cc83dc".to_owned()),
            ("webhook-timestamp", "1780000000".to_owned()),
            (
                "webhook-signature",
                "v1,AyfjA2OV8gNXScLASIqZdcJFulNg0BxHTgNGF3Lmipw= \
                 v1,1p3tWTZdWCOcjHbm8kx9kI5nRHbkO2fmCdXgjFhZYKc="
                    .to_owned()
            ),
        ]
    );
}

#[rstest]
#[case::right(SECRET, true)]
#[case::padded(OTHER, true)]
#[case::no_prefix("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", false)]
#[case::too_short("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa==", false)]
#[case::not_base64("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2La*aSw", false)]
#[case::hexadecimal("0123456789abcdef0123456789abcdef", false)]
fn a_secret_is_written_as_standard_webhooks_writes_it(#[case] text: &str, #[case] ok: bool) {
    assert_eq!(key(&Secret::new(text)).is_ok(), ok);
}

fn answer(status: u16, retry_after: Option<u32>) -> Result<WebhookAnswer, EgressFailure> {
    Ok(WebhookAnswer { status, retry_after })
}

fn denied(rule: Rule) -> Result<WebhookAnswer, EgressFailure> {
    Err(Denial::new(rule, "a connection to `erp.example`", "nothing").into())
}

#[rstest]
#[case::ok(answer(200, None), "done")]
#[case::accepted(answer(202, None), "done")]
#[case::no_content(answer(204, None), "done")]
#[case::gone(answer(410, None), "pause gone")]
#[case::slow_down(answer(429, Some(90)), "wait 90 s")]
#[case::slow_down_for_unknown(answer(429, None), "wait")]
#[case::down_for_a_time(answer(503, Some(7)), "wait 7 s")]
#[case::down(answer(503, None), "retry unavailable")]
#[case::error(answer(500, None), "retry unavailable")]
#[case::error_with_a_wish(answer(500, Some(7)), "retry unavailable")]
#[case::gateway(answer(504, None), "retry unavailable")]
#[case::too_slow(answer(408, None), "retry unavailable")]
#[case::too_early(answer(425, None), "retry unavailable")]
#[case::moved(answer(308, None), "dead redirected")]
#[case::bad_request(answer(400, None), "dead refused")]
#[case::wrong_secret(answer(401, None), "dead refused")]
#[case::not_there(answer(404, None), "dead refused")]
#[case::media_type(answer(415, None), "dead refused")]
#[case::silent(Err(EgressFailure::Timeout), "retry unreachable")]
#[case::down_altogether(Err(EgressFailure::Unavailable("no route".to_owned())), "retry unreachable")]
#[case::endless_head(Err(EgressFailure::TooLarge), "retry unreachable")]
#[case::inside_the_network(denied(Rule::Address), "pause address")]
#[case::no_ledger(denied(Rule::Ledger), "retry ledger")]
fn each_end_of_a_post_has_its_outcome(
    #[case] answered: Result<WebhookAnswer, EgressFailure>,
    #[case] expected: &str,
) {
    let told = match outcome(answered) {
        Outcome::Done(_) => "done".to_owned(),
        Outcome::Transient(failure) => format!("retry {}", failure.code),
        Outcome::RetryAfter(Some(wait), _) => format!("wait {} s", wait.as_secs()),
        Outcome::RetryAfter(None, _) => "wait".to_owned(),
        Outcome::Untried(wait, _) => format!("not tried, {} s", wait.as_secs()),
        Outcome::Permanent(failure) => format!("dead {}", failure.code),
        Outcome::AuthExpired(failure) | Outcome::Denied(failure) => format!("pause {}", failure.code),
    };
    assert_eq!(told, expected);
}
