//! Who is calling, and who becomes a customer.

use ramal_capability::{Clear, Purpose};
use ramal_engine::{
    ContactDraft, CreateContact, FindByPhone, GetContact, Page, PluginError, SearchContacts, UpdateContact,
};
use serde_json::json;

use super::desk::{Desk, candidates, refused, tryton_or_skip, words};

#[tokio::test]
async fn a_number_is_found_however_it_is_dialled_and_however_it_is_kept() {
    let tryton = tryton_or_skip!("a_number_is_found_however_it_is_dialled_and_however_it_is_kept");
    // Kept without the ninth digit, as Tryton takes it only as text.
    let old = json!({"name": "Davi Rocha", "contact_mechanisms": [["create", [{"type": "other", "value": "+551197776666"}]]]});
    tryton.create("party.party", &old).await.unwrap();
    let desk = Desk::tryton(&tryton).await;
    for (dialled, found) in [
        ("+5511987654321", vec!["Maria da Silva"]),
        // As WhatsApp names her: without the ninth digit.
        ("+551187654321", vec!["Maria da Silva"]),
        ("0 21 11 98765-4321", vec!["Maria da Silva"]),
        ("+5511997776666", vec!["Davi Rocha"]),
        ("+551197776666", vec!["Davi Rocha"]),
        // Kept as `(31) 3456-7890`, from before the server knew numbers.
        ("+553134567890", vec!["Ana Lima"]),
        // Two behind one switchboard.
        ("+551140028922", vec!["Carla Dias", "Padaria Estrela Ltda"]),
        // Switched off, and nobody.
        ("+5511955554444", vec![]),
        ("+5511900000000", vec![]),
    ] {
        assert_eq!(desk.who_is(dialled).await.unwrap(), found, "{dialled}");
    }
    let log = tryton.log();
    assert!(log.contains("party.party/search_read"), "the server logs what it was asked");
    assert!(!log.contains("98765") && !log.contains("?d="), "a number is in the server's log:\n{log}");
}

#[tokio::test]
async fn a_card_has_what_the_agent_needs_and_the_ledger_has_no_value() {
    let tryton = tryton_or_skip!("a_card_has_what_the_agent_needs_and_the_ledger_has_no_value");
    let desk = Desk::tryton(&tryton).await;
    let ask = FindByPhone { candidates: candidates("+5511987654321") };
    let found = desk.call(Purpose::ScreenPop, ask).await.unwrap();
    let [maria] = found.as_slice() else { panic!("{} cards", found.len()) };
    assert_eq!(maria.id, tryton.parties["Maria da Silva"].to_string());
    assert_eq!(words(&maria.phones), ["+55 11 98765-4321"]);
    assert_eq!(words(&maria.emails), ["maria.silva@example.com"]);
    assert_eq!(
        maria.url.as_deref(),
        Some(&*format!("{}/#crm/model/party.party/{}", tryton.origin, maria.id))
    );
    assert!(maria.updated.is_some_and(|at| at > 1_790_000_000_000), "{:?}", maria.updated);

    let rows = serde_json::to_string(&desk.ledger.rows()).unwrap();
    assert_eq!(desk.ledger.rows().len(), 1, "one request for all spellings");
    assert!(rows.contains("contact.phone") && !rows.contains("98765"), "{rows}");
}

#[tokio::test]
async fn one_party_is_read_and_an_unknown_one_is_not_found() {
    let tryton = tryton_or_skip!("one_party_is_read_and_an_unknown_one_is_not_found");
    let desk = Desk::tryton(&tryton).await;
    let get = async |id: i64| desk.call(Purpose::ScreenPop, GetContact { id: id.to_string() }).await;
    let joao = get(tryton.parties["João Souza"]).await.unwrap();
    assert_eq!(joao.name.value.expose(), "João Souza");
    assert_eq!(words(&joao.phones), ["+55 21 91234-5678", "+55 21 3004-5678"]);
    assert_eq!(refused(get(9999).await), PluginError::NotFound);
    assert_eq!(refused(get(tryton.parties["Bruno Nunes"]).await), PluginError::NotFound, "switched off");
}

#[tokio::test]
async fn what_somebody_typed_is_found_page_by_page() {
    let tryton = tryton_or_skip!("what_somebody_typed_is_found_page_by_page");
    let desk = Desk::tryton(&tryton).await;
    let search = async |query: &str, page: Page| {
        let found =
            desk.call(Purpose::Search, SearchContacts { query: Clear::from(query), page }).await.unwrap();
        let names: Vec<String> = found.items.iter().map(|c| c.name.value.expose().to_owned()).collect();
        (names, found.next)
    };
    let page = |limit, cursor| Page { limit, cursor };
    assert_eq!(search("souza", page(5, None)).await, (vec!["João Souza".to_owned()], None));
    assert_eq!(search("98765", page(5, None)).await.0, ["Maria da Silva"]);
    assert_eq!(search("maria.silva@", page(5, None)).await.0, ["Maria da Silva"]);
    let (first, next) = search("4002-8922", page(1, None)).await;
    assert_eq!(first, ["Carla Dias"]);
    assert_eq!(search("4002-8922", page(1, next)).await, (vec!["Padaria Estrela Ltda".to_owned()], None));
}

#[tokio::test]
async fn a_new_customer_is_there_for_the_vendors_client_and_for_the_next_call() {
    let tryton = tryton_or_skip!("a_new_customer_is_there_for_the_vendors_client_and_for_the_next_call");
    let desk = Desk::tryton(&tryton).await;
    let draft = ContactDraft {
        name: Some("Rita \"Ritinha\" Alves".into()),
        phones: vec!["+5511912345678".into()],
        emails: vec!["rita@example.com".into()],
        ..ContactDraft::default()
    };
    let made = desk.call(Purpose::Search, CreateContact { draft }).await.unwrap();
    let seen = async || {
        let party = tryton.party(made.id.parse().unwrap()).await.unwrap();
        let mechanisms: Vec<_> =
            party.mechanisms.into_iter().map(|m| (m.kind, m.value_compact.unwrap_or_default())).collect();
        (party.name.unwrap_or_default(), mechanisms)
    };
    let pair = |kind: &str, value: &str| (kind.to_owned(), value.to_owned());
    assert_eq!(
        seen().await,
        (
            "Rita \"Ritinha\" Alves".into(),
            vec![pair("phone", "+5511912345678"), pair("email", "rita@example.com")]
        )
    );
    assert_eq!(desk.who_is("+5511912345678").await.unwrap(), ["Rita \"Ritinha\" Alves"]);

    let changes = ContactDraft {
        name: Some("Rita Lima".into()),
        phones: vec!["+551130001111".into(), "+5511912345678".into()],
        ..ContactDraft::default()
    };
    let changed = desk.call(Purpose::Search, UpdateContact { id: made.id.clone(), changes }).await.unwrap();
    assert_eq!(changed.name.value.expose(), "Rita Lima");
    let (name, mut mechanisms) = seen().await;
    mechanisms.sort();
    assert_eq!(name, "Rita Lima");
    assert_eq!(
        mechanisms,
        [pair("email", "rita@example.com"), pair("phone", "+551130001111"), pair("phone", "+5511912345678")]
    );

    let changes = ContactDraft { phones: vec!["+551130002222".into()], ..ContactDraft::default() };
    desk.call(Purpose::Search, UpdateContact { id: made.id.clone(), changes }).await.unwrap();
    let (_, mut mechanisms) = seen().await;
    mechanisms.sort();
    assert_eq!(mechanisms, [pair("email", "rita@example.com"), pair("phone", "+551130002222")]);

    let nobody = UpdateContact {
        id: "9999".into(),
        changes: ContactDraft { name: Some("X".into()), ..ContactDraft::default() },
    };
    assert_eq!(refused(desk.call(Purpose::Search, nobody).await), PluginError::NotFound);
}

#[tokio::test]
async fn a_number_that_tryton_takes_for_invalid_is_kept_and_found() {
    let tryton = tryton_or_skip!("a_number_that_tryton_takes_for_invalid_is_kept_and_found");
    let desk = Desk::tryton(&tryton).await;
    let draft = ContactDraft {
        name: Some("Otto Inventado".into()),
        phones: vec!["+551181234567".into()],
        ..ContactDraft::default()
    };
    let made = desk.call(Purpose::Search, CreateContact { draft }).await.unwrap();
    assert_eq!(words(&made.phones), ["+551181234567"]);
    let party = tryton.party(made.id.parse().unwrap()).await.unwrap();
    assert_eq!(party.mechanisms[0].kind, "other");
    assert_eq!(desk.who_is("+5511981234567").await.unwrap(), ["Otto Inventado"]);
}

#[tokio::test]
async fn a_nameless_draft_makes_nobody() {
    let tryton = tryton_or_skip!("a_nameless_draft_makes_nobody");
    let desk = Desk::tryton(&tryton).await;
    let draft = ContactDraft { phones: vec!["+5511912345678".into()], ..ContactDraft::default() };
    let refusal = refused(desk.call(Purpose::Search, CreateContact { draft }).await);
    assert!(matches!(refusal, PluginError::Invalid(_)), "{refusal}");
    assert_eq!(desk.who_is("+5511912345678").await.unwrap(), [""; 0]);
}
