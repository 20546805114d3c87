//! A manifest in words: what an admin reads before any TOML.

use super::{CredentialKind, Dedup, Manifest, Verification};
use crate::class::{DataClass, Level};
use crate::purpose::Purpose;

/// A class as people call it.
pub(crate) fn class_words(class: DataClass) -> &'static str {
    match class {
        DataClass::ContactName => "name",
        DataClass::ContactOrganization => "company",
        DataClass::ContactPhone => "phone",
        DataClass::ContactEmail => "e-mail",
        DataClass::ContactDocument => "CPF, CNPJ or another state number",
        DataClass::ContactAddress => "address",
        DataClass::ContactBirth => "date of birth",
        DataClass::ContactNote => "notes about the contact",
        DataClass::InteractionMeta => "when, how long and with which agent",
        DataClass::InteractionText => "what was said or written",
        DataClass::RecordingLink => "link to the recording",
        DataClass::RecordingAudio => "sound of the recording",
        DataClass::WorkItem => "deals and tickets",
        DataClass::Agent => "names and addresses of the company's own people",
        DataClass::Sensitive => "sensitive data (LGPD art. 5 II)",
    }
}

/// A purpose as people call it.
pub(crate) fn purpose_words(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::ScreenPop => "screen pop",
        Purpose::Search => "search",
        Purpose::Journal => "journal",
        Purpose::ClickToCall => "click to call",
        Purpose::Sync => "synchronisation",
        Purpose::SubjectRequest => "requests of data subjects",
        Purpose::Diagnostics => "diagnostics",
    }
}

pub(super) fn of(manifest: &Manifest) -> Vec<String> {
    let at = |level: Level| {
        let words = manifest.asks.iter().filter(|(_, ask)| ask.most() == level).map(|(class, ask)| {
            format!("{}{}", class_words(*class), if ask.optional { " (optional)" } else { "" })
        });
        words.collect::<Vec<_>>().join(", ")
    };
    let or_nothing = |list: String| if list.is_empty() { "nothing".to_owned() } else { list };
    let mut all = vec![
        format!("May read in clear: {}.", or_nothing(at(Level::Clear))),
        format!("May pass on sealed: {}.", or_nothing(at(Level::Sealed))),
    ];
    for (level, words) in [
        (Level::Masked, "May see with most of it hidden"),
        (Level::Exists, "May know only whether there is one"),
    ] {
        let list = at(level);
        if !list.is_empty() {
            all.push(format!("{words}: {list}."));
        }
    }
    let targets: Vec<String> = manifest
        .targets()
        .into_iter()
        .map(|target| match target {
            super::Target::Fixed(origin) if origin.scheme() == crate::address::Scheme::Https => {
                origin.authority()
            }
            super::Target::Fixed(origin) => format!("{origin} (not encrypted)"),
            made => made.to_string(),
        })
        .collect();
    all.push(format!(
        "Sends to: {}.",
        if targets.is_empty() { "nowhere".to_owned() } else { targets.join(", ") }
    ));
    let purposes: Vec<&str> = manifest.purposes.iter().map(|purpose| purpose_words(*purpose)).collect();
    all.push(format!("For: {}.", purposes.join(", ")));
    for hook in &manifest.hooks {
        let words: Vec<&str> = hook.receives().iter().map(class_words).collect();
        let what = if words.is_empty() { "nothing personal".to_owned() } else { words.join(", ") };
        all.push(format!("Takes what the CRM sends to the hook {}: {what}.", hook.id));
    }
    if let Some(journal) = &manifest.journal {
        let kinds: Vec<&str> = journal.on.iter().map(|kind| kind.as_str()).collect();
        all.push(format!("Writes what happened only on a record of the CRM: {}.", kinds.join(" or ")));
    }
    if let Some(sync) = &manifest.sync {
        all.push(format!("Asks for what has changed every {} seconds.", sync.every.as_secs()));
    }
    let credentials: Vec<String> = manifest
        .credentials
        .iter()
        .map(|credential| match &credential.kind {
            CredentialKind::Query { .. } => {
                format!("{} (sent in the address, where servers may log it)", credential.label)
            }
            _ => credential.label.clone(),
        })
        .collect();
    if !credentials.is_empty() {
        all.push(format!("Needs from you: {}.", credentials.join(", ")));
    }
    if manifest.dedup == Dedup::None {
        all.push("Nothing keeps a repeated journal entry from being written twice.".to_owned());
    }
    all.push(
        match manifest.verification {
            Verification::RealServer => "Tried against a real server, says its author.",
            Verification::VendorSpec => "Tried against the vendor's specification only, says its author.",
            Verification::DocsOnly => "Written from documents and never tried, says its author.",
        }
        .to_owned(),
    );
    all
}
