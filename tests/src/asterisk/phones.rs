//! Who has a telephone: customers and a carrier at one address, the phones of the house at another.

use std::net::SocketAddrV4;
use std::time::Duration;

use super::sipp::Plan;
use super::{Asterisk, CARRIER, HOUSE, PHONE_PASSWORD, Report, Sipp, free_udp_port};
use crate::peer::PeerError;

/// The telephones around one exchange.
#[derive(Debug, Clone, Copy)]
pub struct Phones<'a>(pub(super) &'a Asterisk);

/// A phone of the house that the exchange can ring.
#[derive(Debug, Clone)]
pub struct Phone {
    exchange: SocketAddrV4,
    extension: String,
    port: u16,
}

impl Phones<'_> {
    /// A customer calls a number; the scenario says how it goes on, its pauses last so long.
    ///
    /// # Errors
    /// Where SIPp cannot be run.
    pub async fn customer(
        self,
        scenario: &'static str,
        from: &str,
        to: &str,
        pause: Duration,
    ) -> Result<Sipp, PeerError> {
        self.customers(scenario, (from, to), pause, 1, 1).await
    }

    /// So many customers call, so many in a second.
    ///
    /// # Errors
    /// Where SIPp cannot be run.
    pub async fn customers(
        self,
        scenario: &'static str,
        (from, to): (&str, &str),
        pause: Duration,
        calls: u64,
        rate: u64,
    ) -> Result<Sipp, PeerError> {
        let plan = Plan::new(scenario, CARRIER).key("caller", from).with("-s", to);
        Sipp::start(Plan { remote: Some(self.exchange()), pause, calls, rate, ..plan }).await
    }

    /// The carrier takes so many calls to the outside, as the scenario says.
    ///
    /// # Errors
    /// Where SIPp cannot be run.
    pub async fn carrier(
        self,
        scenario: &'static str,
        pause: Duration,
        calls: u64,
    ) -> Result<Sipp, PeerError> {
        let plan = Plan::new(scenario, CARRIER);
        Sipp::start(Plan { port: Some(self.0.carrier), pause, calls, ..plan }).await
    }

    /// A phone of the house, which tells the exchange where it is.
    ///
    /// # Errors
    /// Where the exchange does not let it.
    pub async fn register(self, extension: &str) -> Result<Phone, PeerError> {
        let port = free_udp_port(HOUSE)
            .map_err(|source| PeerError::File { path: self.0.home().to_owned(), source })?;
        let phone = Phone { exchange: self.exchange(), extension: extension.to_owned(), port };
        let plan = phone.plan("phone-registers").key("contact_port", port);
        as_planned(&Sipp::start(plan).await?.end().await?, "a phone's registration")?;
        Ok(phone)
    }

    fn exchange(self) -> SocketAddrV4 {
        SocketAddrV4::new(HOUSE, self.0.sip)
    }
}

impl Phone {
    /// So many calls come to this phone, and it does as the scenario says; its pauses last so long.
    ///
    /// # Errors
    /// Where SIPp cannot be run.
    pub async fn takes(
        &self,
        scenario: &'static str,
        pause: Duration,
        calls: u64,
    ) -> Result<Sipp, PeerError> {
        let plan = Plan::new(scenario, HOUSE);
        Sipp::start(Plan { port: Some(self.port), pause, calls, ..plan }).await
    }

    /// Answers one call, and after the pause hands it on to another extension (REFER).
    ///
    /// # Errors
    /// Where SIPp cannot be run.
    pub async fn transfers_to(&self, target: &str, pause: Duration) -> Result<Sipp, PeerError> {
        let target = format!("{target}@{}", self.exchange);
        let plan = Plan::new("answers-and-transfers", HOUSE).key("target", target);
        Sipp::start(Plan { port: Some(self.port), pause, ..plan }).await
    }

    /// Calls a number or a code, and does as the scenario says.
    ///
    /// # Errors
    /// Where SIPp cannot be run.
    pub async fn calls(&self, scenario: &'static str, to: &str, pause: Duration) -> Result<Sipp, PeerError> {
        Sipp::start(Plan { pause, ..self.plan(scenario).with("-s", to) }).await
    }

    /// Dials a code, such as `*45` to log in to the queue, and waits until the exchange has done what it says.
    ///
    /// # Errors
    /// Where the exchange does not take it.
    pub async fn dials(&self, code: &str) -> Result<(), PeerError> {
        let report = self.calls("phone-dials", code, Duration::ZERO).await?.end().await?;
        as_planned(&report, &format!("the code {code}"))
    }

    fn plan(&self, scenario: &'static str) -> Plan {
        let plan = Plan::new(scenario, HOUSE).key("caller", &self.extension);
        let plan = plan.with("-au", &self.extension).with("-ap", PHONE_PASSWORD);
        Plan { remote: Some(self.exchange), ..plan }
    }
}

fn as_planned(report: &Report, what: &str) -> Result<(), PeerError> {
    if report.is_as_planned(1) {
        return Ok(());
    }
    Err(PeerError::Ask { what: what.to_owned(), reason: format!("{report:?}") })
}
