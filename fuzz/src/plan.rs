//! What the checks share: one plan that uses every kind of place, and customers who do not exist.
//!
//! The values below are canaries. Each stands behind a seal before the fuzzer's bytes are read, and a target
//! fails when one of them turns up where a plugin could read it.

use std::sync::{Arc, LazyLock};

use ramal_capability::{
    Actor, Authority, ClassSet, Clear, DataClass, Digest, Export, Grant, InteractionId, Invocation, Manifest,
    Plan, Purpose, Subject, TenantId,
};
use serde_json::{Value, json};

/// A manifest with every kind of place. Made up.
pub const MANIFEST: &str = include_str!("plugin.toml");
/// A grant for it. Made up.
pub const GRANT: &str = include_str!("grant.toml");

/// The telephone number behind a seal. Nobody's: 90000 is no prefix in use.
pub const PHONE: &str = "+5511900000021";
/// The name behind a seal. Nobody's.
pub const NAME: &str = "Ana Lima Inventada";
/// The text behind a seal.
pub const NOTE: &str = "asks to be called back (made up)";

static PARSED: LazyLock<Manifest> = LazyLock::new(|| {
    Manifest::parse("plugin.toml", MANIFEST).unwrap_or_else(|e| panic!("{}", e.render(false)))
});
static PLAN: LazyLock<Arc<Plan>> = LazyLock::new(|| {
    let grant = Grant::parse("grant.toml", GRANT).unwrap_or_else(|e| panic!("{}", e.render(false)));
    let plan = Plan::compile(manifest(), digest(), &grant, &settings());
    Arc::new(plan.unwrap_or_else(|e| panic!("{e}")))
});

/// The fixed manifest.
pub fn manifest() -> &'static Manifest {
    &PARSED
}

/// The fixed plan.
pub fn plan() -> &'static Arc<Plan> {
    &PLAN
}

/// The digest that the fixed grant names.
pub fn digest() -> Digest {
    Digest([7; 32])
}

/// What the admin entered for the fixed manifest.
pub fn settings() -> Value {
    json!({ "server": "https://crm.example", "company": 1 })
}

/// A call with the right export for its purpose, and always the same seals.
pub fn begin(plan: &Arc<Plan>, purpose: Purpose) -> Option<Invocation> {
    let export = match purpose {
        Purpose::Search => Export::ContactsSearch,
        Purpose::Journal => Export::JournalWrite,
        _ => Export::ContactsFindByPhone,
    };
    let actor = Actor::User { id: "ana".parse().ok()?, may: ClassSet::all() };
    let authority = Authority {
        tenant: TenantId::new("test").ok()?,
        purpose,
        interaction: Some(InteractionId(uuid::Uuid::from_u128(7))),
        actor,
        subject: Some(Subject("s1".into())),
        at: "2026-12-01T12:00:00Z".parse().ok()?,
    };
    Invocation::begin(Arc::clone(plan), authority, export, [9; 32]).ok()
}

/// Seals of the three canaries: telephone number, name, note.
pub fn seals(call: &mut Invocation) -> [String; 3] {
    [(DataClass::ContactPhone, PHONE), (DataClass::ContactName, NAME), (DataClass::InteractionText, NOTE)]
        .map(|(class, value)| match call.hand_in(class, &Clear::from(value)) {
            Ok(Some(seal)) => seal,
            other => panic!("the fixed grant gives {class} sealed, not {other:?}"),
        })
}

/// Writes seals where a corpus file has `@0`, `@1` and `@2`, so that the files stay readable and the fuzzer
/// needs not find 128 random bits.
pub fn with_seals(text: &str, seals: &[String; 3]) -> String {
    let mut out = text.to_owned();
    for (i, seal) in seals.iter().enumerate() {
        out = out.replace(&format!("@{i}"), seal);
    }
    out
}

/// The input as text: as much of it as is UTF-8.
pub fn text(data: &[u8]) -> &str {
    match std::str::from_utf8(data) {
        Ok(text) => text,
        Err(error) => data
            .get(..error.valid_up_to())
            .and_then(|valid| std::str::from_utf8(valid).ok())
            .unwrap_or_default(),
    }
}

/// Fails when a text that a plugin may read holds a canary, in whatever case or punctuation.
pub fn assert_no_canary(what: &str, text: &str) {
    let folded = text.to_lowercase();
    for canary in [PHONE, NAME, NOTE] {
        assert!(!folded.contains(&canary.to_lowercase()), "{what} holds a sealed value");
    }
    assert!(!folded.contains(PHONE.trim_start_matches('+')), "{what} holds the digits of a sealed number");
}
