//! Who writes: a user's names, the one that lasts longest first.
//!
//! User identifiers: <https://developers.facebook.com/docs/whatsapp/business-scoped-user-ids>. Whoever has a username and
//! was not spoken with for a month has no number for us.

use ramal_center::{ContactIdentity, ContactKind, Namespace};
use ramal_numbers::WaId;
use serde_json::Value;

use super::envelope::{Around, text};
use crate::party;

/// A user as `contacts` has it. Names for people are not read: who somebody is, the CRM knows better.
#[derive(Clone, Default)]
pub(super) struct Profile {
    pub(super) wa_id: Option<String>,
    pub(super) user_id: Option<String>,
    pub(super) parent_user_id: Option<String>,
}

impl Profile {
    pub(super) fn of(value: &Value) -> Self {
        let name = |name: &str| text(value, name).map(str::to_owned);
        Self { wa_id: name("wa_id"), user_id: name("user_id"), parent_user_id: name("parent_user_id") }
    }
}

/// The names by which a part of a payload calls a user: those in it, and those of the profile that is the same user's.
pub(super) fn names(around: &Around<'_>, wa_id: Option<&str>, user_id: Option<&str>) -> Vec<ContactIdentity> {
    let same = |profile: &&Profile| {
        let is = |told: &Option<String>, name: Option<&str>| name.is_some() && told.as_deref() == name;
        is(&profile.user_id, user_id) || is(&profile.wa_id, wa_id)
    };
    let profile = around.users.iter().find(same).or_else(|| match around.users.as_slice() {
        // Neither name stands with the message: there is one whom it can be from.
        [only] if wa_id.is_none() && user_id.is_none() => Some(only),
        _ => None,
    });
    let none = Profile::default();
    let profile = profile.unwrap_or(&none);
    let filled = |name: Option<&str>, other: &Option<String>| {
        name.map(str::to_owned).or_else(|| other.clone()).filter(|text| !text.is_empty())
    };
    let user = filled(user_id, &profile.user_id);
    let digits = filled(wa_id, &profile.wa_id);
    // Before a user's identifiers had a field of their own, one could stand where the digits do.
    let (digits, user) = match digits {
        Some(text) if !is_digits(text.trim_start_matches('+')) => (None, user.or(Some(text))),
        digits => (digits.map(|text| text.trim_start_matches('+').to_owned()), user),
    };
    let portfolio = around.whatsapp.number.portfolio.to_ascii_lowercase();
    let of = |namespace: &str, value: Option<&str>| {
        let namespace = Namespace::new(namespace).ok()?;
        ContactIdentity::new(ContactKind::Whatsapp, namespace, value?).ok()
    };
    let mut names = Vec::new();
    names.extend(of(&format!("{BSUID}:{portfolio}"), user.as_deref()));
    names.extend(of(PARENT, profile.parent_user_id.as_deref()));
    if let Some(digits) = digits {
        names.extend(of(Namespace::WA_ID, Some(&digits)));
        let number = WaId::parse(&digits).ok().and_then(|id| id.canonical());
        names.extend(number.and_then(|number| ContactIdentity::phone(&number.e164()).ok()));
    }
    names
}

/// The namespace of a user's identifier, before the portfolio within which it is one.
pub(super) const BSUID: &str = "bsuid";
/// The namespace of a user's identifier over all portfolios of one enterprise.
const PARENT: &str = "bsuid-parent";

fn is_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

/// Who calls: the number, if there is one.
pub(super) fn caller(
    around: &Around<'_>,
    wa_id: Option<&str>,
    user_id: Option<&str>,
) -> ramal_center::Caller {
    let names = names(around, wa_id, user_id);
    let phone = names.iter().find(|name| name.kind == ContactKind::Phone);
    party::caller(phone.map(|phone| phone.value().expose()), around.whatsapp.region)
}
