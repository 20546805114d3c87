//! From names to addresses. The connector asks here, judges *every* address of the answer and connects to one
//! that it judged: there is no second look-up between the check and the connection that could answer otherwise
//! (DNS rebinding).

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr};

use futures_util::future::BoxFuture;
use parking_lot::Mutex;

/// Turns a host name into addresses.
pub trait Resolver: Send + Sync {
    /// Every address of the host, in the order in which to try them.
    ///
    /// # Errors
    /// When the name has none, or nobody answers.
    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>>;
}

/// The machine's own resolver (`/etc/hosts`, DNS as configured).
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, 0)).await?.map(|a| a.ip()).collect()) })
    }
}

/// A fixed table, for tests and for machines without DNS. It can be changed between look-ups, as a hostile
/// name server would.
#[derive(Debug, Default)]
pub struct TableResolver {
    table: Mutex<HashMap<String, Vec<IpAddr>>>,
}

impl TableResolver {
    /// An empty table: no name has an address.
    pub fn new() -> Self {
        Self::default()
    }
    /// A table in which one name has the address 127.0.0.1.
    pub fn local(host: &str) -> Self {
        let table = Self::new();
        table.set(host, [Ipv4Addr::LOCALHOST.into()]);
        table
    }
    /// Sets the addresses of a name.
    pub fn set(&self, host: &str, addresses: impl IntoIterator<Item = IpAddr>) {
        self.table.lock().insert(host.to_owned(), addresses.into_iter().collect());
    }
}

impl Resolver for TableResolver {
    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        let found = self.table.lock().get(host).cloned();
        Box::pin(async move {
            found.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the table has no such name"))
        })
    }
}
