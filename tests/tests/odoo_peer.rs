//! The Odoo test peer itself: what the plugin's tests stand on, and what the real server does that a plugin must know.
//! Where a new Odoo answers otherwise, this fails before the plugin's own tests puzzle anybody. All people and numbers are
//! invented.

use ramal_tests::odoo::Odoo;
use serde_json::{Value, json};

/// One server for a test, or the end of the test if it cannot be had.
macro_rules! odoo_or_skip {
    ($test:literal) => {
        match Odoo::start().await.unwrap().or_skip($test) {
            Some(odoo) => odoo,
            None => return,
        }
    };
}

#[tokio::test]
async fn odoo_answers_generously_and_says_false_for_nothing() {
    let odoo = odoo_or_skip!("odoo_answers_generously_and_says_false_for_nothing");
    let ask = async |method: &str, body: Value| odoo.ask(&odoo.key, method, &body).await.unwrap();
    let carla = odoo.partners["Carla Dias"];

    // A reference comes with the name of what it refers to, and an empty field is `false`.
    let (status, found) = ask(
        "res.partner/search_read",
        json!({"domain": [["id", "=", carla]], "fields": ["name", "parent_id", "email", "phone_mobile_search"]}),
    )
    .await;
    let bakery = odoo.partners["Padaria Estrela Ltda"];
    assert_eq!(
        (status, found),
        (
            200,
            json!([{"id": carla, "name": "Carla Dias", "parent_id": [bakery, "Padaria Estrela Ltda"],
            "email": false, "phone_mobile_search": false}])
        )
    );
    // Without `fields` it is everything.
    let all = odoo.call("res.partner/search_read", &json!({"domain": [["id", "=", carla]]})).await.unwrap();
    assert!(all[0].as_object().unwrap().len() > 100);
    // Without a filter it is everybody, and to search for an empty number is to search for those who have none.
    let (_, all) = ask("res.partner/search_count", json!({"domain": []})).await;
    assert!(all.as_i64().unwrap() > 10);
    let empty = json!({"domain": [["phone_mobile_search", "in", [""]]], "fields": ["name"]});
    let (_, found) = ask("res.partner/search_read", empty).await;
    assert!(found.as_array().unwrap().iter().any(|one| one["name"] == json!("Rui Semnumero")), "{found}");
    // A change of nobody succeeds.
    assert_eq!(ask("res.partner/write", json!({"ids": [], "vals": {"name": "X"}})).await, (200, json!(true)));
    // Customers with access to the portal are among the users.
    let (_, users) = ask("res.users/search_read", json!({"domain": [], "fields": ["name", "share"]})).await;
    assert!(users.as_array().unwrap().iter().any(|user| user["share"] == json!(true)), "{users}");
    // Odoo makes E.164 by the country of the contact, and nothing of what is no number there.
    let ids = [odoo.partners["Maria da Silva"], odoo.partners["Teo Smith"]];
    let sanitized = json!({"domain": [["id", "in", ids]], "fields": ["phone_sanitized"], "order": "id"});
    let (_, found) = ask("res.partner/search_read", sanitized).await;
    let found: Vec<&Value> = found.as_array().unwrap().iter().map(|one| &one["phone_sanitized"]).collect();
    assert_eq!(found, [&json!("+5511987654321"), &json!(false)]);
}

#[tokio::test]
async fn one_status_has_several_meanings_and_each_refusal_shows_the_servers_source() {
    let mut odoo = odoo_or_skip!("one_status_has_several_meanings_and_each_refusal_shows_the_servers_source");
    let keys = [odoo.key.clone(), odoo.key_without_sales.clone(), "0".repeat(40)];
    let [key, without_sales, wrong] = [&keys[0], &keys[1], &keys[2]];
    let nothing = json!({"domain": []});
    let by_id = |id: i64| json!({"ids": [id], "vals": {"name": "X"}});
    for (key, method, body, status, name) in [
        (wrong, "res.partner/search_count", nothing.clone(), 401, "werkzeug.exceptions.Unauthorized"),
        (without_sales, "crm.lead/search_count", nothing.clone(), 403, "odoo.exceptions.AccessError"),
        (key, "res.partner/_compute_display_name", json!({}), 403, "odoo.exceptions.AccessError"),
        (key, "res.partner/no_such_method", nothing.clone(), 404, "werkzeug.exceptions.NotFound"),
        (key, "no.such.model/read", nothing.clone(), 404, "werkzeug.exceptions.NotFound"),
        (key, "res.partner/write", by_id(99_999), 404, "odoo.exceptions.MissingError"),
        (
            key,
            "res.partner/create",
            json!({"vals_list": [{"phone": "1"}]}),
            422,
            "odoo.exceptions.ValidationError",
        ),
        (key, "res.partner/write", json!({"ids": [1]}), 422, "werkzeug.exceptions.UnprocessableEntity"),
        // A field, an argument or a filter that is not there is an error of the server, as if it were to be tried again.
        (
            key,
            "res.partner/create",
            json!({"vals_list": [{"name": "X", "mobile": "1"}]}),
            500,
            "builtins.ValueError",
        ),
        (key, "res.partner/search_read", json!({"fields": ["mobile"]}), 500, "builtins.ValueError"),
        (
            key,
            "res.partner/search_read",
            json!({"domain": [["mobile", "=", "1"]]}),
            500,
            "builtins.ValueError",
        ),
        (
            key,
            "res.partner/search_read",
            json!({"fields": ["name"], "filter": []}),
            500,
            "builtins.TypeError",
        ),
    ] {
        let (was, refusal) = odoo.ask(key, method, &body).await.unwrap();
        assert_eq!((was, refusal["name"].as_str()), (status, Some(name)), "{method} {body}");
        let debug = refusal["debug"].as_str().unwrap();
        assert!(debug.contains("Traceback") && debug.contains("/odoo/http.py"), "{method}: {debug}");
    }
    // A database that is not there is a page for people.
    odoo.database = "nowhere".to_owned();
    assert_eq!(odoo.ask(key, "res.partner/search_count", &nothing).await.unwrap(), (404, Value::Null));
}

/// Why the plugin empties the copies itself before it deletes a contact.
#[tokio::test]
async fn a_deleted_contact_lives_on_in_its_leads_meetings_and_messages() {
    let odoo = odoo_or_skip!("a_deleted_contact_lives_on_in_its_leads_meetings_and_messages");
    let maria = odoo.partners["Maria da Silva"];
    let lead = odoo.leads["Plano anual"];
    let meeting = json!({"name": "Reunião", "start": "2027-01-04 12:00:00", "stop": "2027-01-04 13:00:00",
        "partner_ids": [[6, 0, [maria]]]});
    odoo.create("calendar.event", &meeting).await.unwrap();
    let number = json!({"ids": [lead], "vals": {"phone": "+55 11 98765-0000"}});
    odoo.call("crm.lead/write", &number).await.unwrap();
    let empty = json!({"ids": [maria], "vals": {"phone": false, "email": false}});
    odoo.call("res.partner/write", &empty).await.unwrap();
    odoo.call("res.partner/unlink", &json!({"ids": [maria]})).await.unwrap();
    let left = odoo.traces(&["Maria da", "98765", "maria.silva"]).await.unwrap();
    for place in [
        "crm_lead.contact_name",
        "crm_lead.phone",
        "calendar_event.description",
        "mail_tracking_value.new_value_char",
    ] {
        assert!(left.iter().any(|known| known == place), "{place} is not in {left:?}");
    }
    // Taking a value away adds it to what an administrator reads, unless Odoo is told not to.
    let joao = odoo.partners["João Souza"];
    let empty = |context: Value| json!({"ids": [joao], "vals": {"email": false}, "context": context});
    odoo.call("res.partner/write", &empty(json!({}))).await.unwrap();
    let left = odoo.traces(&["joao@example.com"]).await.unwrap();
    assert!(left.contains(&"mail_tracking_value.old_value_char".to_owned()), "{left:?}");
    let rui = odoo.partners["Rui Semnumero"];
    let quietly = json!({"ids": [rui], "vals": {"email": false}, "context": {"tracking_disable": true}});
    odoo.call("res.partner/write", &quietly).await.unwrap();
    assert_eq!(odoo.traces(&["rui@example.com"]).await.unwrap(), [""; 0]);
    // A deleted bank account is an archived one.
    let bank =
        odoo.create("res.partner.bank", &json!({"partner_id": joao, "acc_number": "zebra-1"})).await.unwrap();
    let gone = odoo.call("res.partner.bank/unlink", &json!({"ids": [bank]})).await.unwrap();
    let left = odoo.traces(&["zebra-1"]).await.unwrap();
    assert_eq!((gone, left), (json!(true), vec!["res_partner_bank.acc_number".to_owned()]));
    // The panel's user may not delete a lead: it has to be emptied.
    let refusal = odoo.ask(&odoo.key, "crm.lead/unlink", &json!({"ids": [lead]})).await.unwrap();
    assert_eq!((refusal.0, &refusal.1["name"]), (403, &json!("odoo.exceptions.AccessError")));
}

#[tokio::test]
async fn a_message_to_one_of_odoos_users_is_seen_by_its_readers_and_by_whoever_caused_it() {
    let odoo =
        odoo_or_skip!("a_message_to_one_of_odoos_users_is_seen_by_its_readers_and_by_whoever_caused_it");
    let lead = |name: &str| json!({"vals_list": [{"name": name, "user_id": odoo.seller}]});
    odoo.ask(&odoo.admin_key, "crm.lead/create", &lead("Girafa")).await.unwrap();
    odoo.ask(&odoo.key, "crm.lead/create", &lead("Zebra")).await.unwrap();
    let of = |word: &str| {
        format!(
            "SELECT id FROM mail_message WHERE message_type = 'user_notification' AND body LIKE '%{word}%'"
        )
    };
    assert_eq!(odoo.rows(&of("Girafa")).await.unwrap().len(), 1);
    let seen = json!({"domain": [["message_type", "=", "user_notification"]], "fields": ["id"]});
    let (_, seen) = odoo.ask(&odoo.key, "mail.message/search_read", &seen).await.unwrap();
    assert_eq!(
        seen,
        Value::from(odoo.rows(&of("Zebra")).await.unwrap()),
        "its own and not the administrator's"
    );
    // It cannot be deleted, only emptied.
    let id = seen[0]["id"].clone();
    let (status, _) = odoo.ask(&odoo.key, "mail.message/unlink", &json!({"ids": [id]})).await.unwrap();
    assert_eq!(status, 403);
    let empty = json!({"ids": [id], "vals": {"body": null, "subject": null}});
    assert_eq!(odoo.ask(&odoo.key, "mail.message/write", &empty).await.unwrap(), (200, json!(true)));
    assert!(odoo.rows(&of("Zebra")).await.unwrap().is_empty());
}
