use ramal_capability::ClientProof;
use rstest::rstest;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn plan(flow: Flow) -> OAuthPlan {
    OAuthPlan {
        flow,
        origin: "https://login.example.com".parse().unwrap(),
        target: "/token".to_owned(),
        private: vec![],
        scope: String::new(),
        client: ClientProof::Basic,
        bearer: true,
        refresh_lifetime: None,
    }
}

fn code() -> OAuthPlan {
    plan(Flow::AuthorizationCode {
        authorize: "https://l.example.com/a".into(),
        parameters: vec![],
        issuer: None,
    })
}

/// A token from second 0 that ends after an hour, and its refresh token.
fn record(refresh: Option<Option<i64>>) -> Record {
    Record {
        fields: [("client_id".to_owned(), Hidden("c".into()))].into(),
        tokens: Some(Tokens {
            access: Hidden("access".into()),
            access_until: Some(at(3_600)),
            refresh: refresh.map(|_| Hidden("refresh".into())),
            refresh_until: refresh.flatten().map(at),
            obtained_at: at(0),
        }),
        ..Record::default()
    }
}

const AHEAD: Duration = Duration::from_secs(300);

#[rstest]
#[case::fresh(0, record(Some(None)), Due::No)]
#[case::just_not_yet(3_299, record(Some(None)), Due::No)]
#[case::ahead(3_300, record(Some(None)), Due::Soon)]
#[case::last_moment(3_589, record(Some(None)), Due::Soon)]
#[case::too_late_to_arrive(3_590, record(Some(None)), Due::Now)]
#[case::ended(4_000, record(Some(None)), Due::Now)]
#[case::nothing_to_renew_with(3_400, record(None), Due::No)]
#[case::nothing_to_renew_with_at_the_end(3_600, record(None), Due::Never(Reason::NoRefreshToken))]
#[case::refresh_token_ended(3_600, record(Some(Some(3_000))), Due::Never(Reason::RefreshExpired))]
#[case::refresh_token_ended_access_lives(3_400, record(Some(Some(3_000))), Due::No)]
#[case::never_connected(0, Record { tokens: None, ..record(None) }, Due::Never(Reason::NeverConnected))]
#[case::person(
    0,
    Record { ended: Some(Ended { reason: Reason::GrantRefused, since: at(0) }), ..record(Some(None)) },
    Due::Never(Reason::GrantRefused)
)]
fn a_consent_is_renewed_ahead_of_its_tokens_end(#[case] now: i64, #[case] record: Record, #[case] due: Due) {
    assert_eq!(record.due(Some(&code()), None, AHEAD, at(now)), due);
}

#[rstest]
#[case::none(Record { tokens: None, ..record(None) }, 0, Due::Now)]
#[case::fresh(record(None), 0, Due::No)]
#[case::ahead(record(None), 3_400, Due::Soon)]
#[case::ended(record(None), 3_600, Due::Now)]
fn a_client_that_asks_for_itself_needs_no_refresh_token(
    #[case] record: Record,
    #[case] now: i64,
    #[case] due: Due,
) {
    assert_eq!(record.due(Some(&plan(Flow::ClientCredentials)), None, AHEAD, at(now)), due);
}

#[test]
fn a_token_that_the_crm_refused_is_renewed_at_once_and_another_one_is_not() {
    let due = |stale: &str| record(Some(None)).due(Some(&code()), Some(&stale.into()), AHEAD, at(0));
    assert_eq!((due("access"), due("older")), (Due::Now, Due::No));
}

#[test]
fn a_token_without_an_end_is_never_renewed_ahead() {
    let mut record = record(Some(None));
    record.tokens.as_mut().unwrap().access_until = None;
    assert_eq!(record.due(Some(&code()), None, AHEAD, at(1_000_000)), Due::No);
}

const WARN: Duration = Duration::from_secs(7 * 86_400);
const DAY: i64 = 86_400;

#[rstest]
#[case::valid(record(Some(None)), 0, "valid until 2026-09-21 15:13Z")]
#[case::refresh_token_far(record(Some(Some(30 * DAY))), 0, "valid until 2026-09-21 15:13Z")]
#[case::refresh_token_near(
    record(Some(Some(6 * DAY))),
    0,
    "the consent (refresh token) ends at 2026-09-27 14:13Z"
)]
#[case::no_refresh(record(None), 0, "the token, which cannot be renewed, ends at 2026-09-21 15:13Z")]
#[case::at_its_end(
    record(None),
    3_600,
    "waits for a person since 2026-09-21 15:13Z: the token has ended and the server gave none to renew it; connect \
     the account again"
)]
#[case::failing(
    Record { failing: Some(Failing { since: at(60), count: 2, retry_at: at(90) }), ..record(Some(None)) },
    80,
    "renewing: failed 2 times since 2026-09-21 14:14Z"
)]
#[case::in_doubt(
    Record {
        failing: Some(Failing { since: at(60), count: 1, retry_at: at(90) }),
        lost: Some(at(60)),
        ..record(Some(None))
    },
    80,
    "renewing: an answer was lost, the refresh token may be spent"
)]
#[case::died(
    Record { attempt: Some(at(60)), ..record(Some(None)) },
    121,
    "renewing: an answer was lost, the refresh token may be spent"
)]
#[case::failing_and_under_way(
    Record {
        failing: Some(Failing { since: at(60), count: 2, retry_at: at(90) }),
        attempt: Some(at(91)),
        ..record(Some(None))
    },
    92,
    "renewing: failed 2 times since 2026-09-21 14:14Z"
)]
#[case::under_way(Record { attempt: Some(at(60)), ..record(Some(None)) }, 61, "renewing")]
fn the_state_of_a_consent_is_told_in_words(#[case] record: Record, #[case] now: i64, #[case] words: &str) {
    assert_eq!(record.state(Some(&code()), WARN, at(now)).to_string(), words);
}

#[rstest]
#[case::none(Record::default(), "missing: nothing is stored")]
#[case::there(record(None), "valid")]
#[case::far(Record { fields_until: Some(at(8 * DAY)), ..record(None) }, "valid until 2026-09-29 14:13Z")]
#[case::near(
    Record { fields_until: Some(at(7 * DAY)), ..record(None) },
    "the stored secret ends at 2026-09-28 14:13Z"
)]
#[case::past(Record { fields_until: Some(at(-1)), ..record(None) }, "the stored secret ends at 2026-09-21 14:13Z")]
fn the_state_of_a_stored_key_is_told_in_words(#[case] record: Record, #[case] words: &str) {
    assert_eq!(record.state(None, WARN, at(0)).to_string(), words);
}

#[test]
fn a_record_comes_back_as_it_was_without_growing_its_buffer() {
    let mut record = record(Some(Some(9)));
    record.fields.insert("private_key".to_owned(), Hidden("line\n\u{1}\"quoted\"\n".repeat(500).into()));
    record.attempt = Some(at(5));
    let text = record.to_bytes().unwrap();
    let most = record.fields.iter().map(|(n, v)| n.len() + v.0.expose().len() + 16).sum::<usize>() + 13;
    assert_eq!(text.capacity(), most * 6 + 1024, "it was not moved");
    assert!(Record::from_bytes(&text).unwrap() == record);
    assert!(Record::from_bytes(b"{}").is_none() && Record::from_bytes(b"").is_none());
}
