//! What Meta's errors mean for whoever sends: whether the same may be sent again, when, and whose trouble it is.
//!
//! <https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes>. Only the numbers are kept: the texts
//! may repeat what was sent.

use std::time::Duration;

use ramal_capability::EgressFailure;
use ramal_egress::ProviderAnswer;
use serde::Deserialize;

use crate::SendError;

#[derive(Deserialize)]
struct Failed {
    error: Told,
}

#[derive(Deserialize)]
struct Told {
    code: i64,
    error_subcode: Option<i64>,
}

/// The request did not get through, or its answer did not.
pub(super) fn lost(failure: EgressFailure) -> SendError {
    match failure {
        EgressFailure::Denied(denial) => SendError::Refused { what: denial.asked },
        other => SendError::Unsure { what: other.to_string() },
    }
}

/// An answer that is none of success.
pub(super) fn read(answer: &ProviderAnswer) -> SendError {
    let after = answer.retry_after.map(|seconds| Duration::from_secs(seconds.into()));
    let told = serde_json::from_slice::<Failed>(&answer.body).ok().map(|failed| failed.error);
    let Some(told) = told else {
        let what = answer.status.to_string();
        return match answer.status {
            429 => SendError::Passing { what, after },
            401 | 403 => SendError::Credential { what },
            400..=499 => SendError::Refused { what },
            _ => SendError::Unsure { what },
        };
    };
    let what = match told.error_subcode {
        Some(subcode) => format!("{}/{subcode}", told.code),
        None => told.code.to_string(),
    };
    match told.code {
        // Too many requests of the app (4), of the account (80007), of the number (130429), to one user (131056), or
        // too many that users took for spam (131048); or Meta is busy or down (2, 131016, 133004).
        4 | 80007 | 130_429 | 131_048 | 131_056 | 2 | 131_016 | 133_004 => SendError::Passing { what, after },
        131_047 => SendError::WindowClosed { what },
        // Not on WhatsApp, an old version, terms not accepted (131026); part of an experiment (130472); enough or no
        // marketing (131049, 131050); the number itself (131021).
        131_026 | 130_472 | 131_049 | 131_050 | 131_021 => SendError::Undeliverable { what },
        // Expired, revoked, or without the right to this number.
        0 | 3 | 10 | 190 | 200..=299 | 131_005 => SendError::Credential { what },
        // Something went wrong (1, 131000): nobody says what, and nobody says that it did not go out.
        1 | 131_000 => SendError::Unsure { what },
        _ if answer.status >= 500 => SendError::Unsure { what },
        _ => SendError::Refused { what },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::window(
        400,
        r#"{"error":{"code":131047,"message":"CANARY"}}"#,
        "customer wrote too long ago for a free answer: 131047"
    )]
    #[case::undeliverable(400, r#"{"error":{"code":131026}}"#, "cannot reach this customer: 131026")]
    #[case::throughput(429, r#"{"error":{"code":130429}}"#, "does not take the message now: 130429")]
    #[case::pair(400, r#"{"error":{"code":131056}}"#, "does not take the message now: 131056")]
    #[case::expired(
        401,
        r#"{"error":{"code":190,"error_subcode":463}}"#,
        "does not accept the channel's token: 190/463"
    )]
    #[case::wrong_parameter(400, r#"{"error":{"code":100}}"#, "refuses the message: 100")]
    #[case::unknown_error(500, r#"{"error":{"code":131000}}"#, "answer is lost: 131000")]
    #[case::new_error_of_the_server(503, r#"{"error":{"code":999999}}"#, "answer is lost: 999999")]
    #[case::page_of_a_proxy(502, "<html>", "answer is lost: 502")]
    #[case::proxy_that_limits(429, "<html>", "does not take the message now: 429")]
    #[case::proxy_that_forbids(403, "", "does not accept the channel's token: 403")]
    fn an_error_says_what_to_do(#[case] status: u16, #[case] body: &str, #[case] expected: &str) {
        let answer = ProviderAnswer {
            status,
            media_type: String::new(),
            retry_after: Some(6),
            body: body.as_bytes().to_vec().into(),
        };
        let error = read(&answer);
        let text = error.to_string();
        assert!(text.contains(expected), "{text}");
        assert!(!text.contains("CANARY"));
        if let SendError::Passing { after, .. } = error {
            assert_eq!(after, Some(Duration::from_secs(6)));
        }
    }
}
