//! Bad days: each ends in the error by which delivery knows what to do, and none of Odoo's words is told: a refusal of
//! Odoo quotes records, and its `debug` the server's source.

use ramal_capability::Purpose;
use ramal_engine::{Check, OpenWorkItems, PluginError};
use ramal_tests::odoo_plugin::grant;
use ramal_tests::weather::Proxy;

use super::desk::{Desk, odoo_or_skip, refused};
use crate::desk::faults;

const MARIA: &str = "+5511987654321";

#[tokio::test]
async fn each_refusal_of_odoo_says_what_to_do_and_nothing_of_anybody() {
    let mut odoo = odoo_or_skip!("each_refusal_of_odoo_says_what_to_do_and_nothing_of_anybody");
    let good = odoo.key.clone();

    odoo.key = "0".repeat(40);
    let desk = Desk::odoo(&odoo).await;
    assert_eq!(refused(desk.who_is(MARIA).await), PluginError::AuthExpired);
    assert_eq!(refused(desk.call(Purpose::Diagnostics, Check).await), PluginError::AuthExpired);

    // A key without the right is denied and told which.
    odoo.key = odoo.key_without_sales.clone();
    let desk = Desk::odoo(&odoo).await;
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
    let desk = Desk::odoo(&odoo).await;
    for refusal in [refused(desk.who_is(MARIA).await), refused(desk.call(Purpose::Diagnostics, Check).await)]
    {
        assert!(matches!(&refusal, PluginError::Invalid(text) if text.contains("`nowhere`")), "{refusal}");
    }
    odoo.database = right;

    let proxy = Proxy::before(&odoo.origin).await.unwrap();
    let short = grant(&proxy.origin).replace("requests = 100", "requests = 100\nrequest-ms = 1500");
    let desk = Desk::odoo_at(&odoo, &proxy.origin, &short).await;
    faults::an_error_page_is_worth_another_try_and_none_of_it_is_told(&desk, &proxy).await;
    faults::a_slow_server_is_given_up_and_asked_again(&desk, &proxy).await;

    let open = async |grant: &str| Desk::odoo_at(&odoo, &odoo.origin, grant).await;
    faults::what_is_not_granted_is_denied_before_anything_leaves(&grant(&odoo.origin), open).await;
    let open = async |origin: &str| Desk::odoo_at(&odoo, origin, &grant(origin)).await;
    faults::a_server_without_a_name_or_without_tls_is_worth_another_try(&odoo.origin, open).await;

    let desk = Desk::odoo(&odoo).await;
    drop(odoo);
    faults::a_server_that_is_down_is_worth_another_try(&desk).await;
}
