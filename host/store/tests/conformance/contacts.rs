//! The timeline of one customer over all channels.

use crate::support::*;
use ramal_store::*;
use rstest::rstest;

#[rstest]
#[tokio::test]
async fn one_customers_calls_and_conversations_are_one_timeline(
    #[values(Backend::Memory, Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    let (ana, caio) = (phone("+5511987654321"), phone("+5511912345678"));
    let put = async |channel: Channel, reference: Option<&str>, contacts: &[ContactIdentity], second: i64| {
        stored(&*o.store, begin("a", started(channel, reference, contacts), second)).await.id
    };
    let call = put(Channel::Fixed, Some("c1"), std::slice::from_ref(&ana), 0).await;
    // WhatsApp told the number once, and then no more.
    let both = begin("a", started(Channel::Whatsapp, None, &[bsuid("BR.1"), ana.clone()]), 1);
    let both = stored(&*o.store, both).await;
    let end = InteractionEvent::Ended { cause: EndCause::Closed, provider_cause: None };
    stored(&*o.store, change(&both, end, 2)).await;
    let hidden = put(Channel::Whatsapp, None, &[bsuid("BR.1")], 3).await;
    let sms = put(Channel::Sms, None, std::slice::from_ref(&ana), 4).await;
    let other = put(Channel::Fixed, Some("c2"), std::slice::from_ref(&caio), 5).await;

    let timeline = async |contact: &ContactIdentity| {
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let page = o.store.timeline(&tenant("a"), contact, cursor, 2).await.unwrap();
            seen.extend(page.items.iter().map(|i| i.id));
            match page.next {
                Some(next) => cursor = Some(next),
                None => return seen,
            }
        }
    };
    assert_eq!(timeline(&ana).await, [sms, hidden, both.id, call]);
    // The number in its old form is the same line.
    assert_eq!(timeline(&phone("+551187654321")).await, [sms, hidden, both.id, call]);
    assert_eq!(timeline(&bsuid("BR.1")).await, [sms, hidden, both.id, call]);
    assert_eq!(timeline(&caio).await, [other]);
    assert!(timeline(&phone("+5511900000000")).await.is_empty());
}

#[rstest]
#[tokio::test]
async fn a_link_that_comes_later_joins_the_timelines(
    #[values(Backend::Memory, Backend::Sqlite, Backend::Postgres)] backend: Backend,
) {
    let Some(o) = open(backend).await else { return };
    let ana = phone("+5511987654321");
    let call =
        stored(&*o.store, begin("a", started(Channel::Fixed, Some("c1"), std::slice::from_ref(&ana)), 0))
            .await;
    let chat = stored(&*o.store, begin("a", started(Channel::Whatsapp, None, &[bsuid("BR.1")]), 1)).await;
    let page = o.store.timeline(&tenant("a"), &ana, None, 10).await.unwrap();
    assert_eq!(page.items, std::slice::from_ref(&call));
    let link = InteractionEvent::ContactLinked { contact: ana.clone() };
    let chat = stored(&*o.store, change(&chat, link, 2)).await;
    let page = o.store.timeline(&tenant("a"), &ana, None, 10).await.unwrap();
    assert_eq!(page.items, [chat, call]);
}
