//! The one way out: match, open, credentials, resolve, filter, connect, project the answer.
//!
//! Everything that a plugin sends to a CRM goes through [`Egress::send`] or [`Egress::send_all`], in ten steps
//! whose order is fixed. Steps 1 to 4 and 9 are rules, decided by
//! [`Invocation`](ramal_capability::Invocation); the others happen here:
//!
//! | step | what | where |
//! |---|---|---|
//! | 1–4 | right, scan, address, seals opened in place | `Invocation::prepare` |
//! | 5 | the credential, in its one slot | `credentials`, `session`, `token` |
//! | 6 | own resolver, every address checked, that very address connected, TLS name = host | `connector`, `address` |
//! | 7 | the host's own headers; no redirects, cookies, `Alt-Svc`, proxies | `outbound`, `pool` |
//! | 8 | caps on time, head and body; status mapped | `answer` |
//! | 9 | listed fields only, personal ones sealed | `Invocation::project` |
//! | 10 | one row in the ledger for each request that left | `disclose` |
//!
//! The failures that this prevents are those of other hosts: a second HTTP path beside the check, a check on
//! a name whose address changes before the connection, a pool shared by a revoked grant, an error message with
//! the CRM's words in it.
#![deny(missing_docs)]

mod address;
mod answer;
mod connector;
mod credentials;
mod disclose;
mod egress;
mod outbound;
mod outline;
mod pool;
mod provider;
mod resolver;
mod roots;
mod session;
mod stream;
mod token;
mod webhook;

pub use credentials::{
    CredentialError, CredentialFileError, CredentialSource, FileCredentials, Secret, StaticCredentials,
};
pub use egress::{Builder, Egress};
pub use provider::{ProviderAddress, ProviderAnswer, ProviderCall, ProviderClient, ProviderStream};
pub use resolver::{Resolver, SystemResolver, TableResolver};
pub use roots::{Roots, RootsError};
pub use token::{TokenAnswer, TokenCall, TokenClient, TokenFailure};
pub use webhook::{
    WebhookAddress, WebhookAnswer, WebhookCall, WebhookClient, WebhookDisclosure, WebhookError,
};
