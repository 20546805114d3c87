//! Connecting an account: what goes to the browser, and what is taken back from it.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use ramal_capability::{Flow, UserId};
use ramal_credentials::{Callback, ConsentError, Keeper, KeeperError, Reason};
use rstest::rstest;

use crate::world::*;

fn admin(name: &str) -> UserId {
    name.parse().unwrap()
}

async fn begin(keeper: &Keeper) -> String {
    let redirect = url::Url::parse("https://ramal.example/v1/credentials/callback").unwrap();
    keeper.begin_consent(&key(), &admin("ana"), &redirect).await.unwrap().url
}

fn back(words: &str, url: &str) -> Callback {
    Callback::parse(&format!("{words}&state={}", query(url)["state"])).unwrap()
}

async fn unconnected(world: &World) -> Keeper {
    let keeper = world.node();
    keeper.set(&key(), entered(&[("client_id", "client-7"), ("client_secret", "s3cret")])).await.unwrap();
    keeper
}

#[tokio::test]
async fn the_person_is_sent_with_a_challenge_and_the_code_goes_back_with_its_verifier() {
    let world = World::new().await;
    let keeper = unconnected(&world).await;
    let error = token(&keeper).await.unwrap_err();
    assert!(matches!(error, KeeperError::NeedsPerson { reason: Reason::NeverConnected, .. }), "{error}");
    let url = begin(&keeper).await;
    let mut sent = query(&url);
    let (state, challenge) = (sent.remove("state").unwrap(), sent.remove("code_challenge").unwrap());
    assert_eq!((state.len(), challenge.len()), (43, 43));
    let sent: Vec<String> = sent.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(
        sent,
        [
            "access_type=offline",
            "client_id=client-7",
            "code_challenge_method=S256",
            "redirect_uri=https://ramal.example/v1/credentials/callback",
            "response_type=code",
            "scope=contacts.read",
        ]
    );
    keeper.finish_consent(&key().tenant, &admin("ana"), back("code=good-code", &url)).await.unwrap();
    assert_eq!(token(&keeper).await.unwrap(), "canary-access-1");
    let asked = world.server.asked.lock()[0].clone();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, asked["code_verifier"].as_bytes());
    assert_eq!(BASE64URL_NOPAD.encode(digest.as_ref()), challenge);
    assert_eq!(asked["redirect_uri"], "https://ramal.example/v1/credentials/callback");
}

#[tokio::test]
async fn a_consent_that_another_node_began_can_be_finished_here() {
    let world = World::new().await;
    let url = begin(&unconnected(&world).await).await;
    let other = world.node_over(world.second_store().await);
    other.finish_consent(&key().tenant, &admin("ana"), back("code=good-code", &url)).await.unwrap();
}

#[tokio::test]
async fn a_state_is_good_once_whatever_came_of_it() {
    let world = World::new().await;
    let keeper = unconnected(&world).await;
    for first in ["code=good-code", "code=stolen", "error=access_denied"] {
        let url = begin(&keeper).await;
        let _ = keeper.finish_consent(&key().tenant, &admin("ana"), back(first, &url)).await;
        let again = keeper.finish_consent(&key().tenant, &admin("ana"), back("code=good-code", &url)).await;
        assert!(matches!(again.unwrap_err(), ConsentError::Unknown), "{first}");
    }
}

#[tokio::test]
async fn a_state_belongs_to_its_admin_and_its_tenant_and_has_ten_minutes() {
    let world = World::new().await;
    let keeper = unconnected(&world).await;
    let tenant = key().tenant;
    let url = begin(&keeper).await;
    let other = keeper.finish_consent(&tenant, &admin("eve"), back("code=good-code", &url)).await;
    assert!(matches!(other.unwrap_err(), ConsentError::OtherPerson));

    let url = begin(&keeper).await;
    let other = key_of("other").tenant;
    let elsewhere = keeper.finish_consent(&other, &admin("ana"), back("code=good-code", &url)).await;
    assert!(matches!(elsewhere.unwrap_err(), ConsentError::Unknown));

    let url = begin(&keeper).await;
    world.clock.advance(Duration::from_secs(600));
    let late = keeper.finish_consent(&tenant, &admin("ana"), back("code=good-code", &url)).await;
    assert!(matches!(late.unwrap_err(), ConsentError::Late));

    let made_up = Callback::parse("code=good-code&state=made-up").unwrap();
    let unknown = keeper.finish_consent(&tenant, &admin("ana"), made_up).await;
    assert!(matches!(unknown.unwrap_err(), ConsentError::Unknown));
    assert_eq!(world.server.count(), 0, "no code was sent for any of them");
}

#[rstest]
#[case::right(Some("https://login.example.com"), true)]
#[case::other(Some("https://evil.example.com"), false)]
#[case::none(None, false)]
#[tokio::test]
async fn where_the_server_names_itself_the_name_must_be_right(
    #[case] issuer: Option<&str>,
    #[case] good: bool,
) {
    let world = World::new().await;
    let keeper = unconnected(&world).await;
    let mut plan = code_plan();
    if let Flow::AuthorizationCode { issuer, .. } = &mut plan.flow {
        *issuer = Some("https://login.example.com".to_owned());
    }
    keeper.declare_one(key(), Some(plan));
    let url = begin(&keeper).await;
    let words = issuer.map_or("code=good-code".to_owned(), |issuer| format!("code=good-code&iss={issuer}"));
    let done = keeper.finish_consent(&key().tenant, &admin("ana"), back(&words, &url)).await;
    match good {
        true => assert!(done.is_ok()),
        false => assert!(matches!(done.unwrap_err(), ConsentError::OtherServer)),
    }
    assert_eq!(world.server.count(), usize::from(good));
}

#[rstest]
#[case::denied(
    "error=access_denied",
    Mood::Good,
    "the server gave no consent (access_denied); allow the access, or ask who administers the account"
)]
#[case::bad_code(
    "code=stolen",
    Mood::Good,
    "the server gave no token for the consent: the server no longer takes the consent; connect the account again"
)]
#[case::unreachable(
    "code=good-code",
    Mood::Unreachable,
    "the server could not be asked for the token: the token endpoint cannot be reached; begin to connect again"
)]
#[tokio::test]
async fn an_account_that_is_not_connected_says_why_and_stays_as_it_was(
    #[case] words: &str,
    #[case] mood: Mood,
    #[case] told: &str,
) {
    let world = World::new().await;
    let keeper = world.connected().await;
    world.server.set(mood);
    let url = begin(&keeper).await;
    let error = keeper.finish_consent(&key().tenant, &admin("ana"), back(words, &url)).await.unwrap_err();
    assert_eq!(error.to_string(), told);
    assert_eq!(token(&keeper).await.unwrap(), "canary-access-1", "the old consent goes on");
}

#[tokio::test]
async fn what_cannot_be_connected_says_so() {
    let world = World::new().await;
    let keeper = world.node();
    let redirect = url::Url::parse("https://ramal.example/cb").unwrap();
    let begun = keeper.begin_consent(&key(), &admin("ana"), &redirect).await;
    assert!(matches!(begun.unwrap_err(), ConsentError::Keeper(KeeperError::Missing(_))));
    keeper.declare_one(key(), Some(client_plan()));
    keeper.set(&key(), entered(&[("client_id", "client-7"), ("client_secret", "s3cret")])).await.unwrap();
    let begun = keeper.begin_consent(&key(), &admin("ana"), &redirect).await;
    assert!(matches!(begun.unwrap_err(), ConsentError::OtherFlow(_)));
    keeper.declare_one(key(), None);
    let begun = keeper.begin_consent(&key(), &admin("ana"), &redirect).await;
    assert!(matches!(begun.unwrap_err(), ConsentError::Keeper(KeeperError::NotDeclared(_))));
}
