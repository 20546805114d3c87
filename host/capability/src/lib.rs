//! The rules of Ramal, as pure functions over plain data: what a kind of personal fact is, what a plugin
//! asks for, what a person granted, and what follows from both for one request and one answer.
//!
//! No I/O, no wasm, no async: the same code decides in the server, in `ramal call`, and in a vendor's
//! `cargo test`. A rule that lived in the engine or in the HTTP client could be met on one road and missed
//! on another; here there is one road, [`Invocation`]:
//!
//! ```text
//! Manifest + Grant + settings ──compile──▶ Plan        once, when a grant is loaded
//! Plan + Authority ──begin──▶ Invocation               once per call, owns the seals
//!   hand_in   a customer's value → what the guest gets (sealed, masked, clear or nothing)
//!   prepare   route + params + body → Prepared          seals opened in their places, or a Denial
//!   hear      what came to a hook → what the guest gets (as an answer)
//!   project   answer → what the guest gets              listed fields only, classed ones sealed
//!   show      what the guest returned → what a person may see
//! ```
//!
//! A value in the clear is a [`Clear`], a seal is an ordinary string: the types do not mix.
#![deny(missing_docs)]

mod address;
mod authority;
mod bounded;
mod class;
mod compiled;
mod denial;
mod echo;
mod exchange;
mod export;
#[cfg(test)]
mod fixture;
mod grant;
mod hook;
mod ids;
mod invocation;
mod kept;
mod limits;
pub mod longest;
mod manifest;
mod mask;
mod oauth;
mod plan;
mod pointer;
mod projection;
mod purpose;
mod request;
mod seal;
mod session;
mod settings;
mod show;
pub mod source;
mod spec;
mod template;
mod text;
mod value;

pub use address::{BadOrigin, Origin, Scheme};
pub use authority::{Actor, Authority, Subject};
pub use bounded::Bounded;
pub use class::{ClassSet, DataClass, Direction, Level, LevelTable};
pub use compiled::CompileError;
pub use denial::{Denial, Fix, Rule};
pub use exchange::{EgressCall, EgressFailure, Reply};
pub use export::{Export, Import};
pub use grant::{Destination, Grant};
pub use hook::{Hook, HookFault, Listed};
pub use ids::{
    BadDigest, BadId, CredentialId, Digest, HookId, InteractionId, PluginId, RouteId, TenantId, UserId,
};
pub use invocation::{Invocation, Report, Seen};
pub use limits::{LimitName, LimitWishes, Limits};
pub use manifest::{
    Ask, BadRecordKind, ClientProof, CredentialDecl, CredentialKind, Dedup, FlowDecl, HmacAlgorithm,
    HmacProof, HookDecl, HookProof, InterfaceVersion, JournalDecl, Manifest, OAuthDecl, RecordKind,
    RouteDecl, SessionDecl, SignatureEncoding, SignedPart, SignedTime, SyncDecl, Target, UnknownTarget,
    Verification, Version,
};
pub use oauth::{Flow, OAuthPlan};
pub use plan::{Plan, PlanError};
pub use pointer::{BadPattern, Pattern};
pub use purpose::Purpose;
pub use request::{Disclosed, Method, Prepared};
pub use session::{LoginRequest, MissingSecret, SessionPlan};
pub use settings::{SettingsError, SettingsProblem, SettingsSchema};
pub use show::{Place, Shown};
pub use source::{Finding, SourceError};
pub use spec::{BadSpec, FieldSpec, Receive, ReceiveOne};
pub use template::{Encoder, Language, Template, TemplateError};
pub use text::PhoneStyle;
pub use value::Clear;
