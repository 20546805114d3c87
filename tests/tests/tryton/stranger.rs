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
    // What becomes known later is a further note of the same entry; what people noted is none.
    let entries = async || {
        let of_ramal = notes(&tryton, maria).await.into_iter().filter(|note| note.contains("[ramal:"));
        let (mut entries, further): (Vec<_>, Vec<_>) =
            of_ramal.partition(|note| !note.contains("(complemento)"));
        if let Some(last) = entries.last_mut() {
            last.extend(further);
        }
        entries
    };
    calls("tryton", TENANT, tryton.files(&tryton.origin), customer, entries).await;
}
