//! Tries: to find out the number behind a seal by comparing it with guesses, the right one among them.

use crate::bindings::ramal::crm::text::{self, PhoneStyle};
use crate::bindings::ramal::crm::types::{Contact, Error};
use crate::keeping::keep;
use crate::visit::Visit;

pub(super) fn run(visit: &Visit) -> Result<Vec<Contact>, Error> {
    let seal = visit.first();
    let digits = text::phone_format(seal, PhoneStyle::Digits).expect("the seal holds a number");
    let guess = visit.told.text.as_str();
    let answers = [
        text::same(seal, guess),
        text::same(guess, seal),
        text::same(&digits, guess),
        text::same(&format!("{seal}{guess}"), guess),
        text::same(&format!(" {seal}"), seal),
        text::same(&seal.to_uppercase(), seal),
    ];
    let words: Vec<String> = answers
        .into_iter()
        .map(|answer| answer.map_or_else(|refusal| refusal, |equal| format!("it answered {equal}")))
        .collect();
    keep("answer", &words.join("\n"));
    Ok(Vec::new())
}
