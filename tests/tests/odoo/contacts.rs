//! Who is calling, and who becomes a customer.

use ramal_capability::{Clear, Purpose};
use ramal_engine::{
    ContactDraft, CreateContact, FindByPhone, GetContact, Page, PluginError, SearchContacts, UpdateContact,
};
use serde_json::{Value, json};

use super::desk::{Desk, candidates, odoo_or_skip, refused, words};

#[tokio::test]
async fn a_number_is_found_however_it_is_dialled_and_kept_and_nobody_else_is_shown() {
    let odoo = odoo_or_skip!("a_number_is_found_however_it_is_dialled_and_kept_and_nobody_else_is_shown");
    let desk = Desk::odoo(&odoo).await;
    for (dialled, found) in [
        ("+5511987654321", vec!["Maria da Silva"]),
        // As WhatsApp names her: without the ninth digit.
        ("+551187654321", vec!["Maria da Silva"]),
        ("0 21 11 98765-4321", vec!["Maria da Silva"]),
        // Kept without it.
        ("+5511976543210", vec!["Pedro Rocha"]),
        ("+551176543210", vec!["Pedro Rocha"]),
        // Kept with the prefix of a carrier.
        ("+553134567890", vec!["Ana Lima"]),
        // Of somebody abroad, for whose country Odoo makes no E.164 of it.
        ("+551133334444", vec!["Teo Smith"]),
        // Two behind one switchboard, one with a dot in the number.
        ("+551140028922", vec!["Carla Dias", "Padaria Estrela Ltda"]),
        // Archived, and nobody.
        ("+5511955554444", vec![]),
        ("+5511900000000", vec![]),
    ] {
        let mut names = desk.who_is(dialled).await.unwrap();
        names.sort();
        assert_eq!(names, found, "{dialled}");
    }

    // The trap: to Odoo an empty number is that of everybody who has none, and one of two digits an error.
    let ask = async |number: &str| {
        let candidates = vec![Clear::from(number)];
        desk.call(Purpose::ScreenPop, FindByPhone { candidates }).await.unwrap().len()
    };
    assert_eq!((ask("").await, ask("12").await), (0, 0));

    // Odoo answers `false` for an e-mail that is not there: no card has such an address.
    let found =
        desk.call(Purpose::ScreenPop, FindByPhone { candidates: candidates("+551140028922") }).await.unwrap();
    let carla = found.iter().find(|card| card.name.value.expose() == "Carla Dias").unwrap();
    assert!(carla.emails.is_empty());
    assert_eq!(carla.organization.as_ref().unwrap().value.expose(), "Padaria Estrela Ltda");
    let bakery = found.iter().find(|card| card.id != carla.id).unwrap();
    assert!(bakery.organization.is_none());

    let maria = desk
        .call(Purpose::ScreenPop, GetContact { id: odoo.partners["Maria da Silva"].to_string() })
        .await
        .unwrap();
    assert_eq!(words(&maria.phones), ["(11) 98765-4321"], "as somebody typed it");
    assert_eq!(words(&maria.emails), ["maria.silva@example.com"]);
    assert_eq!(maria.url.as_deref(), Some(&*format!("{}/odoo/res.partner/{}", odoo.origin, maria.id)));
    assert!(maria.updated.is_some_and(|at| at > 1_700_000_000_000), "{:?}", maria.updated);
    let get = async |id: String| desk.call(Purpose::ScreenPop, GetContact { id }).await;
    assert_eq!(refused(get("99999".into()).await), PluginError::NotFound);
    assert_eq!(
        refused(get(odoo.partners["Bruno Nunes"].to_string()).await),
        PluginError::NotFound,
        "archived"
    );

    let rows = serde_json::to_string(&desk.ledger.rows()).unwrap();
    assert!(rows.contains("contact.phone") && !rows.contains("98765"), "{rows}");
    let log = odoo.log();
    assert!(log.contains("/json/2/res.partner/search_read"), "the server logs what it was asked");
    assert!(!log.contains("98765"), "a number is in the server's log:\n{log}");
}

#[tokio::test]
async fn what_somebody_typed_is_found_and_a_new_customer_is_kept_and_changed() {
    let odoo = odoo_or_skip!("what_somebody_typed_is_found_and_a_new_customer_is_kept_and_changed");
    let desk = Desk::odoo(&odoo).await;
    let search = async |query: &str, limit, cursor| {
        let ask = SearchContacts { query: Clear::from(query), page: Page { limit, cursor } };
        let found = desk.call(Purpose::Search, ask).await.unwrap();
        let names: Vec<String> = found.items.iter().map(|c| c.name.value.expose().to_owned()).collect();
        (names, found.next)
    };
    assert_eq!(search("souza", 5, None).await, (vec!["João Souza".to_owned()], None));
    assert_eq!(search("maria.silva@", 5, None).await.0, ["Maria da Silva"]);
    assert_eq!(search("98765-43", 5, None).await.0, ["Maria da Silva"], "as it is written");
    assert_eq!(search("987654321", 5, None).await.0, ["Maria da Silva"], "as it is dialled");
    let (first, next) = search("padaria estrela", 1, None).await;
    assert_eq!(next.as_deref(), Some("1"));
    let (second, next) = search("padaria estrela", 1, next).await;
    assert_eq!((first.len(), second.len(), next), (1, 1, None));
    assert_ne!(first, second);

    let draft = ContactDraft {
        name: Some("Rita \"Ritinha\" Alves".into()),
        organization: Some("Alves & Filhas".into()),
        phones: vec!["+5511912345678".into()],
        emails: vec!["rita@example.com".into()],
    };
    let made = desk.call(Purpose::Search, CreateContact { draft }).await.unwrap();
    assert_eq!(made.name.value.expose(), "Rita \"Ritinha\" Alves");
    let seen = async |id: &str| {
        let query = format!(
            "SELECT name, company_name, phone, phone_sanitized, email, is_company FROM res_partner WHERE id = {id}"
        );
        odoo.rows(&query).await.unwrap().remove(0)
    };
    assert_eq!(
        seen(&made.id).await,
        json!({"name": "Rita \"Ritinha\" Alves", "company_name": "Alves & Filhas", "phone": "+5511912345678",
            "phone_sanitized": "+5511912345678", "email": "rita@example.com", "is_company": false})
    );
    assert_eq!(desk.who_is("+5511912345678").await.unwrap(), ["Rita \"Ritinha\" Alves"]);

    let changes = ContactDraft {
        name: Some("Rita Lima".into()),
        phones: vec!["+551130001111".into()],
        ..ContactDraft::default()
    };
    let changed = desk.call(Purpose::Search, UpdateContact { id: made.id.clone(), changes }).await.unwrap();
    assert_eq!((changed.name.value.expose(), words(&changed.phones)), ("Rita Lima", vec!["+551130001111"]));
    let row = seen(&made.id).await;
    assert_eq!(
        (&row["name"], &row["phone"], &row["email"], &row["company_name"]),
        (&json!("Rita Lima"), &json!("+551130001111"), &json!("rita@example.com"), &json!("Alves & Filhas")),
        "what is not said stays"
    );

    let company = ContactDraft { organization: Some("Oficina Inventada".into()), ..ContactDraft::default() };
    let company = desk.call(Purpose::Search, CreateContact { draft: company }).await.unwrap();
    let row = seen(&company.id).await;
    assert_eq!(
        (&row["name"], &row["is_company"], &row["company_name"]),
        (&json!("Oficina Inventada"), &json!(true), &Value::Null)
    );

    let nameless = ContactDraft { phones: vec!["+5511900000001".into()], ..ContactDraft::default() };
    let refusal = refused(desk.call(Purpose::Search, CreateContact { draft: nameless }).await);
    assert!(matches!(refusal, PluginError::Invalid(_)), "{refusal}");
    assert!(desk.who_is("+5511900000001").await.unwrap().is_empty());
    let changes = ContactDraft { name: Some("X".into()), ..ContactDraft::default() };
    let nobody = UpdateContact { id: "99999".into(), changes };
    assert_eq!(refused(desk.call(Purpose::Search, nobody).await), PluginError::NotFound);
}
