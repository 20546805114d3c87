//! Tries: seals that it made up, altered or relabelled, each as a parameter.

use crate::asking::{call, words};
use crate::bindings::ramal::crm::egress;
use crate::bindings::ramal::crm::types::{Contact, Error};
use crate::keeping::keep;
use crate::visit::Visit;

pub(super) fn run(visit: &Visit) -> Result<Vec<Contact>, Error> {
    let seal = visit.first();
    let token = &seal[seal.len() - 26..];
    let other = |c: char| if c == '0' { '1' } else { '0' };
    let at = seal.len() - 13;
    let changed: String = seal.chars().enumerate().map(|(i, c)| if i == at { other(c) } else { c }).collect();
    let last_changed = format!("{}{}", &seal[..seal.len() - 1], other(seal.chars().last().unwrap_or('0')));
    let tries = [
        ("made up", "sealed_contact.phone_AAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned()),
        ("one character", changed),
        ("last character", last_changed),
        ("cut", seal[..seal.len() - 1].to_owned()),
        ("relabelled", format!("sealed_contact.name_{token}")),
        ("capitals", format!("sealed_contact.phone_{}", token.to_uppercase())),
        ("doubled start", format!("sealed_{seal}")),
        ("no class", format!("sealed__{token}")),
        ("inside words", format!("from sealed_contact.phone_{} on", token.chars().rev().collect::<String>())),
    ];
    let kept: Vec<String> = tries
        .iter()
        .map(|(what, text)| format!("{what}: {}", words(&egress::send(&call("find", &[("phone", text)])))))
        .collect();
    keep("answer", &kept.join("\n"));
    Ok(Vec::new())
}
