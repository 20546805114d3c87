//! What a token endpoint answers, sorted into what can be done about it. The server's sentences
//! (`error_description`) are not looked at: they may repeat what was sent.

use std::time::Duration;

use jiff::Timestamp;
use ramal_capability::{Clear, OAuthPlan};
use ramal_egress::TokenAnswer;
use serde_json::{Map, Value};

use crate::record::{Hidden, Tokens, after};
use crate::state::Reason;

/// A token of more is none that could stand in a header.
const MOST_BYTES: usize = 16 * 1024;
/// What lives longer has no end that anybody will see.
const LONGEST: u64 = 10 * 365 * 86_400;
/// Where servers say how long the refresh token lives. No standard names the field.
const REFRESH_LIFETIMES: [&str; 3] =
    ["refresh_token_expires_in", "refresh_expires_in", "x_refresh_token_expires_in"];

/// Why there is no token in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A person has to act.
    Person(Reason),
    /// Later it may work.
    Busy,
    /// It is no answer of a token endpoint.
    Unusable,
}

/// Reads an answer. `before` is what the tokens were: a refresh token that is not given anew goes on.
pub(crate) fn read(
    plan: &OAuthPlan,
    answer: &TokenAnswer,
    before: Option<&Tokens>,
    now: Timestamp,
) -> Result<Tokens, Refusal> {
    let Ok(Value::Object(mut fields)) = serde_json::from_slice::<Value>(&answer.body) else {
        return Err(refusal(answer.status, None));
    };
    let token = text(&mut fields, "access_token").and_then(usable);
    let (Some(access), true) = (token, answer.status < 300) else {
        // Some servers refuse with a 200.
        return Err(refusal(answer.status, fields.get("error").and_then(Value::as_str)));
    };
    if plan.bearer
        && let Some(kind) = fields.get("token_type").and_then(Value::as_str)
        && !kind.eq_ignore_ascii_case("bearer")
    {
        // A token of a type that is not understood must not be used (RFC 6749, 7.1).
        return Err(Refusal::Unusable);
    }
    let until = |seconds: u64| after(now, Duration::from_secs(seconds.min(LONGEST)));
    let access_until = number(&fields, "expires_in").map(until);
    let given = text(&mut fields, "refresh_token").and_then(usable);
    let lifetime = REFRESH_LIFETIMES
        .iter()
        .find_map(|name| number(&fields, name))
        // Keycloak says 0 for one without an end.
        .filter(|seconds| *seconds > 0)
        .or(plan.refresh_lifetime.map(|time| time.as_secs()));
    let (refresh, refresh_until) = match (given, before) {
        (Some(refresh), _) => (Some(Hidden(refresh)), lifetime.map(until)),
        (None, Some(before)) => (before.refresh.clone(), before.refresh_until),
        (None, None) => (None, None),
    };
    Ok(Tokens { access: Hidden(access), access_until, refresh, refresh_until, obtained_at: now })
}

fn refusal(status: u16, error: Option<&str>) -> Refusal {
    match error {
        Some(
            "invalid_grant"
            | "interaction_required"
            | "consent_required"
            | "login_required"
            | "access_denied"
            // Words of single servers for the same thing.
            | "invalid_code"
            | "bad_refresh_token"
            | "bad_verification_code",
        ) => Refusal::Person(Reason::GrantRefused),
        Some(
            "invalid_client"
            | "unauthorized_client"
            | "invalid_client_secret"
            | "incorrect_client_credentials",
        ) => Refusal::Person(Reason::ClientRefused),
        Some("invalid_scope" | "invalid_target") => Refusal::Person(Reason::ScopeRefused),
        Some("invalid_request" | "unsupported_grant_type") => Refusal::Person(Reason::RequestRefused),
        Some("temporarily_unavailable" | "server_error" | "slow_down") => Refusal::Busy,
        _ if status == 401 => Refusal::Person(Reason::ClientRefused),
        _ => Refusal::Unusable,
    }
}

/// Takes the text out, so that no copy of it stays behind.
fn text(fields: &mut Map<String, Value>, name: &str) -> Option<Clear> {
    match fields.get_mut(name)?.take() {
        Value::String(text) => Some(Clear::from(text)),
        _ => None,
    }
}

/// A token that can stand in a header (RFC 6750, 2.1, and what servers really give).
fn usable(token: Clear) -> Option<Clear> {
    let good = (1..=MOST_BYTES).contains(&token.expose().len())
        && token.expose().bytes().all(|b| b.is_ascii_graphic());
    good.then_some(token)
}

/// Seconds, also where a server writes them as a text.
fn number(fields: &Map<String, Value>, name: &str) -> Option<u64> {
    match fields.get(name)? {
        Value::Number(number) => number.as_u64().or_else(|| {
            let seconds = number.as_f64()?;
            (seconds >= 0.0)
                .then(|| Duration::try_from_secs_f64(seconds).map_or(LONGEST, |time| time.as_secs()))
        }),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use ramal_capability::{ClientProof, Flow};
    use rstest::rstest;
    use zeroize::Zeroizing;

    use super::*;

    fn plan() -> OAuthPlan {
        OAuthPlan {
            flow: Flow::ClientCredentials,
            origin: "https://login.example.com".parse().unwrap(),
            target: "/token".to_owned(),
            private: vec![],
            scope: String::new(),
            client: ClientProof::Basic,
            bearer: true,
            refresh_lifetime: Some(Duration::from_secs(1_000)),
        }
    }

    fn answer(status: u16, body: &str) -> TokenAnswer {
        TokenAnswer { status, body: Zeroizing::new(body.as_bytes().to_vec()) }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn before() -> Tokens {
        Tokens {
            access: Hidden("old".into()),
            access_until: Some(at(1)),
            refresh: Some(Hidden("old-refresh".into())),
            refresh_until: Some(at(77)),
            obtained_at: at(0),
        }
    }

    #[rstest]
    #[case::all(
        r#"{"access_token":"a","token_type":"Bearer","expires_in":3600,"refresh_token":"r","refresh_token_expires_in":9}"#,
        (Some(4_600), Some("r"), Some(1_009))
    )]
    #[case::keeps_refresh(r#"{"access_token":"a","expires_in":3600}"#, (Some(4_600), Some("old-refresh"), Some(77)))]
    #[case::rotated_without_lifetime(r#"{"access_token":"a","refresh_token":"r"}"#, (None, Some("r"), Some(2_000)))]
    #[case::text_for_number(r#"{"access_token":"a","expires_in":"60"}"#, (Some(1_060), Some("old-refresh"), Some(77)))]
    #[case::keycloak(
        r#"{"access_token":"a","expires_in":60,"refresh_token":"r","refresh_expires_in":0}"#,
        (Some(1_060), Some("r"), Some(2_000))
    )]
    #[case::float(r#"{"access_token":"a","expires_in":59.9}"#, (Some(1_059), Some("old-refresh"), Some(77)))]
    #[case::endless(
        r#"{"access_token":"a","expires_in":18446744073709551615}"#,
        (Some(1_000 + 315_360_000), Some("old-refresh"), Some(77))
    )]
    fn tokens_are_read(#[case] body: &str, #[case] expected: (Option<i64>, Option<&str>, Option<i64>)) {
        let read = read(&plan(), &answer(200, body), Some(&before()), at(1_000)).ok().unwrap();
        assert_eq!(read.access.0.expose(), "a");
        let second = |time: Option<Timestamp>| time.map(Timestamp::as_second);
        let refresh = read.refresh.as_ref().map(|refresh| refresh.0.expose());
        assert_eq!((second(read.access_until), refresh, second(read.refresh_until)), expected);
    }

    #[rstest]
    #[case::grant(400, r#"{"error":"invalid_grant"}"#, Refusal::Person(Reason::GrantRefused))]
    #[case::client(401, r#"{"error":"invalid_client"}"#, Refusal::Person(Reason::ClientRefused))]
    #[case::bare_401(401, "{}", Refusal::Person(Reason::ClientRefused))]
    #[case::scope(400, r#"{"error":"invalid_scope"}"#, Refusal::Person(Reason::ScopeRefused))]
    #[case::request(400, r#"{"error":"unsupported_grant_type"}"#, Refusal::Person(Reason::RequestRefused))]
    #[case::refused_with_200(200, r#"{"error":"invalid_code"}"#, Refusal::Person(Reason::GrantRefused))]
    #[case::busy(400, r#"{"error":"temporarily_unavailable"}"#, Refusal::Busy)]
    #[case::unknown_word(400, r#"{"error":"oops"}"#, Refusal::Unusable)]
    #[case::not_found(404, "{}", Refusal::Unusable)]
    #[case::no_token(200, r#"{"expires_in":3600}"#, Refusal::Unusable)]
    #[case::empty_token(200, r#"{"access_token":""}"#, Refusal::Unusable)]
    #[case::line_break(200, r#"{"access_token":"a\r\nX: 1"}"#, Refusal::Unusable)]
    #[case::token_in_a_400(400, r#"{"access_token":"a"}"#, Refusal::Unusable)]
    #[case::other_type(200, r#"{"access_token":"a","token_type":"mac"}"#, Refusal::Unusable)]
    #[case::list(200, "[]", Refusal::Unusable)]
    #[case::no_json(200, "<html>", Refusal::Unusable)]
    fn refusals_are_sorted_by_who_can_mend_them(
        #[case] status: u16,
        #[case] body: &str,
        #[case] expected: Refusal,
    ) {
        assert_eq!(read(&plan(), &answer(status, body), None, at(0)).err().unwrap(), expected);
    }
}
