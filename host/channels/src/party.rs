//! What providers write where a number should stand: a number, an address that holds one, a word for "withheld", a
//! softphone's name. Only a number names a customer; what is taken for one by mistake shows a stranger's card.

use ramal_center::{Caller, Channel, ContactIdentity, ContactKind, Namespace, PhoneNumber, Region};
use ramal_numbers::WaId;

/// Digits that spell RESTRICTED, BLOCKED, UNKNOWN, ANONYMOUS and UNAVAILABLE on a telephone's keys: what North American
/// networks send in place of a number that is withheld.
const SPELT: [&str; 5] = ["7378742833", "2562533", "8656696", "266696687", "86282452253"];

/// The number in a text, without the scheme and the host of an address (`sip:+5511…@host`, `tel:`, `whatsapp:`).
pub(crate) fn number(text: &str, region: Region) -> Option<PhoneNumber> {
    let bare = bare(text);
    if SPELT.contains(&bare.trim_start_matches('+')) {
        return None;
    }
    PhoneNumber::parse(bare, region).ok()
}

/// Who calls. Whoever has no telephone number is nobody who could be looked up.
pub(crate) fn caller(text: Option<&str>, region: Region) -> Caller {
    text.and_then(|text| number(text, region)).map_or(Caller::Withheld, Caller::Number)
}

/// The customer of a message, the name that lasts longest first; nobody for an empty text. `account` is the business
/// within which a name is unique that is no number.
pub(crate) fn contacts(
    channel: Channel,
    text: &str,
    wa_id: Option<&str>,
    account: &str,
    region: Region,
) -> Vec<ContactIdentity> {
    let text = bare(text);
    let digits = |text: &str| WaId::parse(text.trim_start_matches('+')).ok();
    let id =
        (channel == Channel::Whatsapp).then(|| wa_id.and_then(digits).or_else(|| digits(text))).flatten();
    let phone = number(text, region).or_else(|| id.as_ref().and_then(WaId::canonical));
    let phone = phone.and_then(|n| ContactIdentity::phone(&n.canonical().e164()).ok());
    let of = |kind, namespace: &str, value: &str| {
        Namespace::new(namespace).and_then(|n| ContactIdentity::new(kind, n, value)).ok()
    };
    let first = match (&id, channel) {
        (Some(id), _) => of(ContactKind::Whatsapp, Namespace::WA_ID, id.verbatim()),
        // A user who shows no number.
        (None, Channel::Whatsapp) if phone.is_none() => {
            of(ContactKind::Whatsapp, &format!("bsuid:{}", account.to_ascii_lowercase()), text)
        }
        // A short code, or a sender's name in letters.
        (None, _) if phone.is_none() => of(ContactKind::Phone, "sender", text),
        (None, _) => None,
    };
    first.into_iter().chain(phone).collect()
}

/// The user's part of an address.
fn bare(text: &str) -> &str {
    let text = text.trim();
    // `"Ana" <sip:+5511987654321@pbx.example>`, as a SIP header has it.
    let text = text.split_once('<').map_or(text, |(_, rest)| rest.split('>').next().unwrap_or(rest));
    let text = ["sips:", "sip:", "tel:", "whatsapp:", "sms:"]
        .iter()
        .find_map(|scheme| {
            let head = text.get(..scheme.len())?;
            head.eq_ignore_ascii_case(scheme).then(|| text.get(scheme.len()..).unwrap_or_default())
        })
        .unwrap_or(text);
    text.split(['@', ';']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::e164("+5511987654321", Some("+5511987654321"))]
    #[case::national("(11) 98765-4321", Some("+5511987654321"))]
    #[case::sip("sip:+5511987654321@pbx.example:5060;user=phone", Some("+5511987654321"))]
    #[case::sip_header("\"Ana\" <SIP:11987654321@10.0.0.1>", Some("+5511987654321"))]
    #[case::whatsapp("whatsapp:+5511987654321", Some("+5511987654321"))]
    #[case::anonymous("anonymous", None)]
    #[case::spelt_anonymous("+266696687", None)]
    #[case::spelt_unavailable("+86282452253", None)]
    #[case::softphone("client:bruno", None)]
    #[case::extension("7002", None)]
    #[case::user("sip:bruno@pbx.example", None)]
    #[case::half_a_header("<", None)]
    #[case::two_bytes("é", None)]
    #[case::empty("", None)]
    fn only_a_number_is_a_number(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(number(text, Region::BR).map(|n| n.e164()).as_deref(), expected);
    }

    #[rstest]
    #[case::sms(Channel::Sms, "+5511987654321", None, &["phone/e164 +5511987654321"])]
    #[case::old_mobile(Channel::Sms, "+551187654321", None, &["phone/e164 +5511987654321"])]
    #[case::short_code(Channel::Sms, "28908", None, &["phone/sender 28908"])]
    #[case::letters(Channel::Sms, "BANCO", None, &["phone/sender BANCO"])]
    #[case::whatsapp(Channel::Whatsapp, "whatsapp:+554787654321", Some("554787654321"),
        &["whatsapp/wa-id 554787654321", "phone/e164 +5547987654321"])]
    #[case::whatsapp_without_its_id(Channel::Whatsapp, "whatsapp:+5511987654321", None,
        &["whatsapp/wa-id 5511987654321", "phone/e164 +5511987654321"])]
    #[case::user_without_a_number(Channel::Whatsapp, "whatsapp:BR.13491208655302741918", None,
        &["whatsapp/bsuid:ac1 BR.13491208655302741918"])]
    #[case::nobody(Channel::Sms, "", None, &[])]
    fn a_customer_has_every_name_that_came(
        #[case] channel: Channel,
        #[case] text: &str,
        #[case] wa_id: Option<&str>,
        #[case] expected: &[&str],
    ) {
        let told =
            |c: &ContactIdentity| format!("{}/{} {}", c.kind, c.namespace.as_str(), c.value().expose());
        let contacts = contacts(channel, text, wa_id, "AC1", Region::BR);
        assert_eq!(contacts.iter().map(told).collect::<Vec<_>>(), expected);
    }
}
