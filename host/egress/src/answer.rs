//! Step 8 of the order: caps on what comes back. The head decides first (status, declared length, encoding,
//! type), so that a refused answer is not read; then the body is read piece by piece under a limit of bytes
//! and of silence. Compressed answers are refused, not unpacked: the limit would not be one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use http::response::Parts;
use http::{HeaderMap, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use ramal_capability::EgressFailure;
use ramal_ledger::Outcome;
use tokio::time::timeout;
use zeroize::Zeroizing;

/// The longest wait that a CRM can ask for, in seconds.
const LONGEST_WAIT: u64 = 3_600;

/// A whole answer that may be projected.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

#[cfg(feature = "canned")]
impl Answer {
    /// An answer that no network brought.
    pub(crate) fn canned(body: &[u8]) -> Self {
        Self { status: 200, body: Zeroizing::new(body.to_vec()) }
    }
}

/// Why there is none, and whether the CRM had answered.
pub(crate) type NoAnswer = (Outcome, EgressFailure);

/// Reads an answer of at most `cap` bytes, whose body is never silent for longer than `idle`. `read` counts
/// the bytes of the body, whatever comes of it.
///
/// `budget` is what all answers of the call may still bring: those that come side by side share it.
pub(crate) async fn read(
    response: Response<Incoming>,
    cap: u64,
    budget: &AtomicU64,
    idle: Duration,
    read: &mut u64,
) -> Result<Answer, NoAnswer> {
    let answered = |failure| (Outcome::SentAnswered, failure);
    let (head, body) = response.into_parts();
    judge(head.status, &head.headers, Timestamp::now()).map_err(answered)?;
    content(&head, body, cap, budget, idle, read).await
}

/// Reads the answer of a token endpoint. There a 401 is an answer with a reason in it (RFC 6749, 5.2).
pub(crate) async fn read_token(
    response: Response<Incoming>,
    cap: u64,
    idle: Duration,
) -> Result<Answer, NoAnswer> {
    let (head, body) = response.into_parts();
    match judge(head.status, &head.headers, Timestamp::now()) {
        Ok(()) => {}
        Err(EgressFailure::AuthExpired) if identity(&head.headers).is_ok() => {}
        Err(failure) => return Err((Outcome::SentAnswered, failure)),
    }
    content(&head, body, cap, &AtomicU64::new(cap), idle, &mut 0).await
}

async fn content(
    head: &Parts,
    body: Incoming,
    cap: u64,
    budget: &AtomicU64,
    idle: Duration,
    read: &mut u64,
) -> Result<Answer, NoAnswer> {
    let answered = |failure| (Outcome::SentAnswered, failure);
    let status = head.status.as_u16();
    if body.is_end_stream() || head.status == StatusCode::NO_CONTENT {
        return Ok(empty(status));
    }
    if !is_json(&head.headers) {
        // An error page says enough by its status. Of a success nothing less than JSON will do, or nothing.
        return if head.status.is_success() { nothing(body, idle, read).await } else { Ok(()) }
            .map(|()| empty(status));
    }
    // What the head declares is taken from the call's budget at once, so that too much is not even read.
    let declared = body.size_hint().lower();
    if declared > cap || !taken(budget, declared) {
        return Err(answered(EgressFailure::TooLarge));
    }
    let body = collect(body, cap, declared, budget, idle, read)
        .await
        .map_err(|failure| (Outcome::SentFailed, failure))?;
    if body.is_empty() { Ok(empty(status)) } else { Ok(Answer { status, body }) }
}

fn empty(status: u16) -> Answer {
    Answer { status, body: Zeroizing::new(b"{}".to_vec()) }
}

/// Whether a body that is not said to be JSON is at least empty.
async fn nothing(body: Incoming, idle: Duration, read: &mut u64) -> Result<(), NoAnswer> {
    match collect(body, 0, 0, &AtomicU64::new(0), idle, read).await {
        Ok(_) => Ok(()),
        Err(EgressFailure::TooLarge) => {
            Err((Outcome::SentAnswered, EgressFailure::Unavailable("the answer is not JSON".to_owned())))
        }
        Err(failure) => Err((Outcome::SentFailed, failure)),
    }
}

async fn collect(
    mut body: Incoming,
    cap: u64,
    mut paid: u64,
    budget: &AtomicU64,
    idle: Duration,
    read: &mut u64,
) -> Result<Zeroizing<Vec<u8>>, EgressFailure> {
    let expected = usize::try_from(body.size_hint().lower().min(cap)).unwrap_or(0);
    let mut bytes = Zeroizing::new(Vec::with_capacity(expected));
    loop {
        match timeout(idle, body.frame()).await {
            Err(_) => return Err(EgressFailure::Timeout),
            Ok(None) => return Ok(bytes),
            Ok(Some(Err(_))) => return Err(EgressFailure::Unavailable("the answer broke off".to_owned())),
            Ok(Some(Ok(frame))) => {
                // Trailers carry nothing that a route could list.
                let Ok(data) = frame.into_data() else { continue };
                *read = read.saturating_add(data.len() as u64);
                let more = (data.len() as u64).saturating_sub(paid);
                paid = paid.saturating_sub(data.len() as u64);
                if *read > cap || !taken(budget, more) {
                    return Err(EgressFailure::TooLarge);
                }
                bytes.extend_from_slice(&data);
            }
        }
    }
}

/// Takes bytes from what the answers of a call may still bring, if there are so many.
fn taken(budget: &AtomicU64, bytes: u64) -> bool {
    budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes)).is_ok()
}

/// What the head alone says.
fn judge(status: StatusCode, headers: &HeaderMap, now: Timestamp) -> Result<(), EgressFailure> {
    EgressFailure::judge(status.as_u16(), headers.contains_key(RETRY_AFTER), retry_after(headers, now))?;
    identity(headers)
}

fn identity(headers: &HeaderMap) -> Result<(), EgressFailure> {
    let plain = |v: &http::HeaderValue| v.as_bytes().eq_ignore_ascii_case(b"identity") || v.is_empty();
    if headers.get_all(CONTENT_ENCODING).iter().all(plain) {
        Ok(())
    } else {
        Err(EgressFailure::Unavailable("the answer is compressed although that was not offered".to_owned()))
    }
}

/// `application/json`, and everything whose name ends in `+json`.
fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(only), None) = (types.next(), types.next()) else { return false };
    let Ok(text) = only.to_str() else { return false };
    let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence
        .split_once('/')
        .is_some_and(|(_, sub)| sub == "json" || sub.strip_suffix("+json").is_some_and(|s| !s.is_empty()))
}

/// `Retry-After` in both its forms (RFC 9110, 10.2.3), at most an hour.
pub(crate) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<u32> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let seconds = if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        text.parse().unwrap_or(LONGEST_WAIT)
    } else {
        let at = DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text).ok()?;
        u64::try_from(at.as_second().saturating_sub(now.as_second())).unwrap_or(0)
    };
    u32::try_from(seconds.min(LONGEST_WAIT)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use rstest::rstest;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(n, v)| (n.parse().unwrap(), HeaderValue::from_str(v).unwrap())).collect()
    }

    #[rstest]
    #[case::seconds("120", Some(120))]
    #[case::now("0", Some(0))]
    #[case::date("Mon, 23 Nov 2026 12:01:30 GMT", Some(90))]
    #[case::wrong_weekday("Fri, 23 Nov 2026 12:01:30 GMT", Some(90))]
    #[case::date_gone("Mon, 23 Nov 2026 11:00:00 GMT", Some(0))]
    #[case::capped("86400", Some(3600))]
    #[case::date_capped("Tue, 24 Nov 2026 12:00:00 GMT", Some(3600))]
    #[case::enormous("99999999999999999999999", Some(3600))]
    #[case::negative("-5", None)]
    #[case::words("soon", None)]
    #[case::empty("", None)]
    fn both_forms_of_retry_after_are_read(#[case] text: &str, #[case] expected: Option<u32>) {
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        assert_eq!(retry_after(&headers(&[("retry-after", text)]), now), expected);
    }

    #[rstest]
    #[case(200, "ok")]
    #[case(204, "ok")]
    #[case(404, "ok")]
    #[case(422, "ok")]
    #[case(301, "unavailable: redirect refused: the CRM answered 301")]
    #[case(304, "unavailable: redirect refused: the CRM answered 304")]
    #[case(401, "the credential is missing or no longer accepted")]
    #[case(407, "unavailable: the CRM answered 407: a proxy stands before it")]
    #[case(429, "too many requests")]
    #[case(500, "unavailable: the CRM answered 500")]
    #[case(503, "unavailable: the CRM answered 503")]
    #[case(101, "unavailable: the CRM answered 101")]
    fn statuses_map_to_a_small_set(#[case] status: u16, #[case] expected: &str) {
        let judged = judge(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), Timestamp::UNIX_EPOCH);
        assert_eq!(judged.map_or_else(|e| e.to_string(), |()| "ok".to_owned()), expected);
    }

    #[rstest]
    #[case("application/json", true)]
    #[case("Application/JSON; charset=utf-8", true)]
    #[case("application/vnd.api+json", true)]
    #[case("application/problem+json;v=1", true)]
    #[case("text/html", false)]
    #[case("application/jsonp", false)]
    #[case("application/+json", false)]
    #[case("json", false)]
    #[case("", false)]
    fn json_is_told_by_its_type(#[case] text: &str, #[case] json: bool) {
        assert_eq!(is_json(&headers(&[("content-type", text)])), json);
    }

    #[test]
    fn two_types_are_none() {
        let mut two = headers(&[("content-type", "application/json")]);
        two.append(CONTENT_TYPE, HeaderValue::from_static("text/html"));
        assert!(!is_json(&two) && !is_json(&HeaderMap::new()));
    }

    #[rstest]
    #[case::gzip("gzip", false)]
    #[case::list("identity, gzip", false)]
    #[case::identity("Identity", true)]
    fn only_uncompressed_answers_pass(#[case] encoding: &str, #[case] passes: bool) {
        assert_eq!(identity(&headers(&[("content-encoding", encoding)])).is_ok(), passes);
    }
}
