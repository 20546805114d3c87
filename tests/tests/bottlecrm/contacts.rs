//! Who is calling, and who becomes a customer.

use ramal_capability::{Clear, Purpose};
use ramal_engine::{
    ContactDraft, CreateContact, FindByPhone, GetContact, Page, PluginError, SearchContacts, UpdateContact,
};
use ramal_tests::bottlecrm::BottleCrm;

use super::desk::{Desk, bottlecrm_or_skip, candidates, refused, words};

/// The rows of contacts with such a name, as `first|last|email|phone|organization`.
async fn rows(bottlecrm: &BottleCrm, first: &str) -> Vec<String> {
    let query = format!(
        "SELECT concat_ws('|', first_name, last_name, email, phone, organization) AS line FROM contacts \
         WHERE first_name LIKE '{first}%' ORDER BY created_at"
    );
    let rows = bottlecrm.rows(&query).await.unwrap();
    rows.into_iter().map(|row| row["line"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_number_is_found_however_it_is_dialled_and_nobody_of_another_city_or_company() {
    let bottlecrm =
        bottlecrm_or_skip!("a_number_is_found_however_it_is_dialled_and_nobody_of_another_city_or_company");
    let desk = Desk::bottlecrm(&bottlecrm).await;
    for (dialled, found) in [
        // Not Sérgio of Rio, whose number has the same ending, and not Olga of another company.
        ("+5511987654321", vec!["Maria da Silva"]),
        ("+551187654321", vec!["Maria da Silva"]),
        ("0 21 11 98765-4321", vec!["Maria da Silva"]),
        ("+5521987654321", vec!["Sérgio Prado"]),
        ("+5521912345678", vec!["João Souza"]),
        // Kept without the ninth digit.
        ("+5511976543210", vec!["Pedro Rocha"]),
        ("+553134567890", vec!["Ana Lima"]),
        // Two behind one switchboard.
        ("+551140028922", vec!["Carla Dias", "Padaria Estrela"]),
        // Switched off, and nobody.
        ("+5511955554444", vec![]),
        ("+5511900000000", vec![]),
    ] {
        assert_eq!(desk.who_is(dialled).await.unwrap(), found, "{dialled}");
    }
    let log = bottlecrm.log();
    assert!(log.contains("/api/contacts/duplicates/"), "the server logs what it was asked");
    assert!(!log.contains("98765"), "a number is in the server's log:\n{log}");
}

#[tokio::test]
async fn a_card_has_what_the_agent_needs_and_the_ledger_has_no_value() {
    let bottlecrm = bottlecrm_or_skip!("a_card_has_what_the_agent_needs_and_the_ledger_has_no_value");
    let desk = Desk::bottlecrm(&bottlecrm).await;
    let ask = FindByPhone { candidates: candidates("+5511987654321") };
    let found = desk.call(Purpose::ScreenPop, ask).await.unwrap();
    let [card] = found.as_slice() else { panic!("{} cards", found.len()) };
    let maria = &bottlecrm.contacts["Maria da Silva"];
    assert_eq!(&card.id, maria);
    assert_eq!(
        (words(&card.phones), words(&card.emails)),
        (vec!["(11) 98765-4321"], vec!["maria.silva@example.com"])
    );
    let rows = serde_json::to_string(&desk.ledger.rows()).unwrap();
    assert!(rows.contains("contact.phone") && !rows.contains("98765"), "{rows}");

    let whole = desk.call(Purpose::ScreenPop, GetContact { id: maria.clone() }).await.unwrap();
    assert_eq!(whole.name.value.expose(), "Maria da Silva");
    assert_eq!(whole.organization.unwrap().value.expose(), "Oficina Inventada");
    assert_eq!(whole.owner.unwrap().value.expose(), "Vendedora Exemplo");
    assert_eq!(whole.url.unwrap(), format!("{}/contacts/{maria}", bottlecrm.origin));
    assert!(whole.updated.is_some_and(|at| at > 1_790_000_000_000), "{:?}", whole.updated);
    // One that nobody has, one of another company, and one that is none.
    for id in [&bottlecrm.nobody, &bottlecrm.rival, "17"] {
        let missing = desk.call(Purpose::ScreenPop, GetContact { id: id.to_owned() }).await;
        assert_eq!(refused(missing), PluginError::NotFound, "{id}");
    }
}

#[tokio::test]
async fn what_somebody_typed_is_found_page_by_page() {
    let bottlecrm = bottlecrm_or_skip!("what_somebody_typed_is_found_page_by_page");
    let desk = Desk::bottlecrm(&bottlecrm).await;
    let search = async |query: &str, limit: u32, cursor: Option<String>| {
        let ask = SearchContacts { query: Clear::from(query), page: Page { limit, cursor } };
        let found = desk.call(Purpose::Search, ask).await.unwrap();
        let names: Vec<String> = found.items.iter().map(|c| c.name.value.expose().to_owned()).collect();
        (names, found.next)
    };
    assert_eq!(search("souza", 5, None).await, (vec!["João Souza".to_owned()], None));
    assert_eq!(search("maria.silva@", 5, None).await.0, ["Maria da Silva"]);
    // BottleCRM itself finds nobody by a whole name.
    assert_eq!(search("maria da silva", 5, None).await.0, ["Maria da Silva"]);
    assert!(search("zebra", 5, None).await.0.is_empty());
    let (mut names, mut cursor) = (Vec::new(), None);
    loop {
        let (page, next) = search("4002-8922", 1, cursor).await;
        assert_eq!(page.len(), 1);
        names.extend(page);
        cursor = next;
        if cursor.is_none() {
            break;
        }
    }
    names.sort();
    assert_eq!(names, ["Carla Dias", "Padaria Estrela"]);
}

#[tokio::test]
async fn a_new_customer_is_one_row_however_often_it_is_entered() {
    let bottlecrm = bottlecrm_or_skip!("a_new_customer_is_one_row_however_often_it_is_entered");
    let desk = Desk::bottlecrm(&bottlecrm).await;
    let draft = ContactDraft {
        name: Some("Rita Aparecida \"Ritinha\" Alves".into()),
        organization: Some("Oficina Inventada".into()),
        phones: vec!["+5511912345678".into()],
        emails: vec!["rita@example.com".into()],
    };
    let create = async || desk.call(Purpose::Search, CreateContact { draft: draft.clone() }).await.unwrap();
    let made = create().await;
    assert_eq!(create().await.id, made.id);
    assert_eq!(
        rows(&bottlecrm, "Rita").await,
        ["Rita Aparecida \"Ritinha\" Alves|-|rita@example.com|+5511912345678|Oficina Inventada"]
    );
    assert_eq!(desk.who_is("+5511912345678").await.unwrap(), ["Rita Aparecida \"Ritinha\" Alves -"]);

    // Somebody whom a person entered, first and last name apart.
    let known = ContactDraft {
        name: Some("joão souza".into()),
        phones: vec!["+5521912345678".into()],
        ..ContactDraft::default()
    };
    let known = desk.call(Purpose::Search, CreateContact { draft: known }).await.unwrap();
    assert_eq!(known.id, bottlecrm.contacts["João Souza"]);

    // Somebody else with João's address of e-mail: BottleCRM keeps one contact for each.
    let taken = ContactDraft {
        name: Some("Outra Pessoa".into()),
        emails: vec!["joao@example.com".into()],
        ..ContactDraft::default()
    };
    let refusal = refused(desk.call(Purpose::Search, CreateContact { draft: taken }).await);
    assert!(matches!(&refusal, PluginError::Invalid(text) if text.contains("e-mail")), "{refusal}");

    let changes = ContactDraft { phones: vec!["+551130001111".into()], ..ContactDraft::default() };
    desk.call(Purpose::Search, UpdateContact { id: made.id.clone(), changes }).await.unwrap();
    assert_eq!(
        rows(&bottlecrm, "Rita").await,
        ["Rita Aparecida \"Ritinha\" Alves|-|rita@example.com|+551130001111|Oficina Inventada"],
        "the rest is as it was"
    );
    let nobody = UpdateContact {
        id: bottlecrm.nobody.clone(),
        changes: ContactDraft { name: Some("X".into()), ..ContactDraft::default() },
    };
    assert_eq!(refused(desk.call(Purpose::Search, nobody).await), PluginError::NotFound);
    // Data that BottleCRM refuses; its own words would repeat them.
    let changes =
        ContactDraft { phones: vec!["+55119876543210000000000000000".into()], ..ContactDraft::default() };
    let refusal = refused(desk.call(Purpose::Search, UpdateContact { id: made.id, changes }).await);
    assert!(matches!(&refusal, PluginError::Invalid(text) if !text.contains("98765")), "{refusal}");
}

#[tokio::test]
async fn a_500_after_the_contact_was_saved_makes_no_second_one() {
    let bottlecrm =
        bottlecrm_or_skip!("a_500_after_the_contact_was_saved_makes_no_second_one", start_as_pip_installs_it);
    let desk = Desk::bottlecrm(&bottlecrm).await;
    for draft in [
        ContactDraft {
            name: Some("Rita Alves".into()),
            phones: vec!["+5511912345678".into()],
            ..ContactDraft::default()
        },
        // Only a name: a namesake would be somebody else, but this one was not there a moment ago.
        ContactDraft { name: Some("Rita Inventada".into()), ..ContactDraft::default() },
    ] {
        desk.call(Purpose::Search, CreateContact { draft }).await.unwrap();
    }
    assert_eq!(rows(&bottlecrm, "Rita").await, ["Rita Alves|-|+5511912345678", "Rita Inventada|-"]);
    assert_eq!(desk.who_is("+5511912345678").await.unwrap(), ["Rita Alves -"]);
}

#[tokio::test]
async fn no_answer_after_the_contact_was_saved_makes_no_second_one() {
    let bottlecrm = bottlecrm_or_skip!(
        "no_answer_after_the_contact_was_saved_makes_no_second_one",
        start_without_its_queue
    );
    let desk = Desk::bottlecrm(&bottlecrm).await;
    let draft = ContactDraft {
        name: Some("Rita Alves".into()),
        phones: vec!["+5511912345678".into()],
        ..ContactDraft::default()
    };
    let create = async || desk.call(Purpose::Search, CreateContact { draft: draft.clone() }).await.unwrap();
    assert_eq!(create().await.id, create().await.id);
    assert_eq!(rows(&bottlecrm, "Rita").await, ["Rita Alves|-|+5511912345678"]);
}
