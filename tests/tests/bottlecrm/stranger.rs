//! An entry in BottleCRM stands on a contact, a deal or a ticket.

use ramal_tests::bottlecrm_plugin::TENANT;
use serde_json::Value;

use super::desk::bottlecrm_or_skip;
use super::journal::entries;
use crate::composed::stranger::{Known, calls};
use crate::desk::delivered::Delivered as _;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_strangers_call_is_told_once_somebody_says_whose_it_is() {
    let bottlecrm = bottlecrm_or_skip!("a_strangers_call_is_told_once_somebody_says_whose_it_is");
    let maria = bottlecrm.contacts["Maria da Silva"].clone();
    let files = bottlecrm.files(&bottlecrm.origin);
    let customer = Known { id: maria.clone(), number: "+5511987654321" };
    let told = async || {
        let rows = entries(&bottlecrm).await;
        let mine = |row: &&Value| row["contact_id"] == maria.as_str();
        rows.iter().filter(mine).map(|row| row["body"].as_str().unwrap().to_owned()).collect()
    };
    calls("bottlecrm", TENANT, files, customer, told).await;
}
