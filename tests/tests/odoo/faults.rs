//! Bad days: each ends in the error by which delivery knows what to do, and none of Odoo's words is told: a refusal of
//! Odoo quotes records, and its `debug` the server's source.

use ramal_capability::Purpose;
use ramal_engine::{CallError, Check, OpenWorkItems, PluginError};
use ramal_tests::odoo_plugin::grant;

use super::desk::{Desk, odoo_or_skip, refused};
use super::proxy::{Proxy, Weather};

const MARIA: &str = "+5511987654321";

#[tokio::test]
async fn each_refusal_of_odoo_says_what_to_do_and_nothing_of_anybody() {
    let mut odoo = odoo_or_skip!("each_refusal_of_odoo_says_what_to_do_and_nothing_of_anybody");
    let good = odoo.key.clone();

    odoo.key = "0".repeat(40);
    let desk = Desk::open(&odoo).await;
    assert_eq!(refused(desk.who_is(MARIA).await), PluginError::AuthExpired);
    assert_eq!(refused(desk.call(Purpose::Diagnostics, Check).await), PluginError::AuthExpired);

    // A key without the right is denied and told which.
    odoo.key = odoo.key_without_sales.clone();
    let desk = Desk::open(&odoo).await;
    assert_eq!(desk.who_is(MARIA).await.unwrap(), ["Maria da Silva"], "it may see contacts");
    let contact = odoo.partners["Maria da Silva"].to_string();
    let refusal = refused(desk.call(Purpose::ScreenPop, OpenWorkItems { contact }).await);
    assert!(
        matches!(&refusal, PluginError::Denied(text) if text.contains("open-leads") && !text.contains("Traceback")),
        "{refusal}"
    );
    assert_eq!(
        refused(desk.call(Purpose::Diagnostics, Check).await),
        PluginError::Denied(
            "the key's user may not read crm.lead; put the user into Odoo's group \"Sales / User: All Documents\"".into()
        )
    );

    // 404 of a database that is not there is no missing contact.
    odoo.key = good;
    let right = std::mem::replace(&mut odoo.database, "nowhere".to_owned());
    let desk = Desk::open(&odoo).await;
    for refusal in [refused(desk.who_is(MARIA).await), refused(desk.call(Purpose::Diagnostics, Check).await)]
    {
        assert!(matches!(&refusal, PluginError::Invalid(text) if text.contains("`nowhere`")), "{refusal}");
    }
    odoo.database = right;

    let proxy = Proxy::before(&odoo.origin).await;
    let short = grant(&proxy.origin).replace("requests = 100", "requests = 100\nrequest-ms = 1500");
    let desk = Desk::open_at(&odoo, &proxy.origin, &short).await;
    proxy.turn(Weather::BrokenFor("search_read"));
    assert_eq!(refused(desk.who_is(MARIA).await), PluginError::Transient("the CRM answered 500".into()));
    proxy.turn(Weather::Slow);
    assert_eq!(
        refused(desk.who_is(MARIA).await),
        PluginError::Transient("no answer in the time that the grant allows".into())
    );
    proxy.turn(Weather::Fair);
    assert_eq!(desk.who_is(MARIA).await.unwrap(), ["Maria da Silva"]);

    // What is not granted is denied before anything leaves.
    let narrow = grant(&odoo.origin).replace("\"find-by-phone\", ", "");
    let desk = Desk::open_at(&odoo, &odoo.origin, &narrow).await;
    let refusal = refused(desk.who_is(MARIA).await);
    assert!(matches!(&refusal, PluginError::Denied(text) if text.contains("find-by-phone")), "{refusal}");
    assert!(desk.ledger.rows().is_empty());
    let narrow = grant(&odoo.origin).replace("\"screen-pop\", ", "").replace("\nscreen-pop = ", "\n# ");
    let desk = Desk::open_at(&odoo, &odoo.origin, &narrow).await;
    assert!(matches!(desk.who_is(MARIA).await, Err(CallError::Denied(_))));

    let desk = Desk::open(&odoo).await;
    drop(odoo);
    let refusal = refused(desk.who_is(MARIA).await);
    assert!(matches!(refusal, PluginError::Transient(_)), "{refusal}");
    assert!(desk.ledger.rows().is_empty(), "nothing left");
}
