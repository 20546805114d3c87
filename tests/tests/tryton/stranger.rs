//! A note in Tryton stands on a party.

use ramal_tests::tryton_plugin::TENANT;

use super::card::warm;
use super::desk::tryton_or_skip;
use super::journal::notes;
use crate::composed::stranger::{Known, calls};
use crate::desk::delivered::Delivered as _;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_strangers_call_is_told_once_somebody_says_whose_it_is() {
    let tryton = tryton_or_skip!("a_strangers_call_is_told_once_somebody_says_whose_it_is");
    warm(&tryton).await;
    let maria = tryton.parties["Maria da Silva"];
    let customer = Known { id: maria.to_string(), number: "+5511987654321" };
    calls("tryton", TENANT, tryton.files(&tryton.origin), customer, async || notes(&tryton, maria).await)
        .await;
}
