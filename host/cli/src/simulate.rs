//! `ramal simulate`: a made-up day, told to a host by its own doors, for demos and for load.
//!
//! What is sent is what an exchange or provider would send, signed by the secret of the configuration: the host
//! cannot tell the difference, and that is the point. So it speaks to this machine only unless it is told otherwise.

mod chance;
mod day;
mod form;
mod send;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use ramal_capability::Origin;
use ramal_numbers::{PhoneNumber, Region};
use ramal_practice_crm::{ApiKey, BaseUrl, PracticeCrm};
use ramal_server::{Secret, ServerConfig, SourceConfig};
use serde_json::json;

use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::{Cell, Page, Terminal, count};
use crate::{files, practice_crm};
use form::SignedEvents;
use send::{Pace, Sender};

/// The most that a file with a secret may have, in bytes.
const MOST_SECRET: usize = 4096;

#[derive(Debug, Args)]
pub(crate) struct SimulateArgs {
    /// The configuration of the host: where it listens, and the source's secret
    #[arg(long, value_name = "FILE", default_value = "ramal.toml")]
    pub(crate) config: PathBuf,
    /// The `[[tenant.source]]` to speak as [default: the first one]
    #[arg(long, value_name = "NAME")]
    pub(crate) source: Option<String>,
    /// Where the host is, when it is not where the configuration says, such as http://127.0.0.1:7700
    #[arg(long, value_name = "URL")]
    pub(crate) to: Option<Origin>,
    /// The same number makes the same day: the same calls, told again, are known to the host
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub(crate) seed: u64,
    /// How many calls
    #[arg(long, value_name = "NUMBER", default_value_t = 200)]
    pub(crate) calls: u32,
    /// How fast the day goes by: `1x` is as it happens, `60x` an hour in a minute, `max` as fast as the host takes it
    #[arg(long, value_name = "SPEED", default_value = "max")]
    pub(crate) speed: Speed,
    /// At most so many events each second
    #[arg(long, value_name = "NUMBER")]
    pub(crate) rate: Option<u32>,
    /// Allow a host that is not this machine. Never one with real customers
    #[arg(long)]
    pub(crate) elsewhere: bool,
    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

/// How fast a day goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speed {
    /// So many times as fast as it happens.
    Times(u32),
    /// As fast as the host takes it.
    Max,
}

impl FromStr for Speed {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "max" {
            return Ok(Self::Max);
        }
        let times = text.strip_suffix('x').and_then(|number| number.parse().ok());
        times.filter(|times| (1..=100_000).contains(times)).map(Self::Times).ok_or("write 1x, 60x or max")
    }
}

/// Tells a day and shows what became of it.
pub(crate) async fn run(terminal: &Terminal, args: &SimulateArgs) -> Outcome {
    let config = ServerConfig::load(&args.config).map_err(Failure::input)?;
    let source = source(&config, args.source.as_deref())?;
    let origin = match &args.to {
        Some(origin) => origin.clone(),
        None => listens_at(&config)?,
    };
    if !is_this_machine(&origin) && !args.elsewhere {
        return Err(Failure::usage(format!("{origin} is not this machine"))
            .hint("a simulation fills a host with invented calls; `--elsewhere` allows it"));
    }
    let form = SignedEvents::new(source.id.as_str(), secret(source)?);
    let calls = day::calls(args.seed, args.calls, &customers()?);
    // A day that is told at once lies behind us: no event may be ahead of the host's clock.
    let (begins, pace) = match args.speed {
        Speed::Max => (Timestamp::now().checked_sub(day::LENGTH), Pace::AtOnce),
        Speed::Times(times) => (Ok(Timestamp::now()), Pace::Times(times)),
    };
    let begins = begins.map_err(Failure::environment)?;
    let sender = Sender::new(origin, args.rate);
    let report = sender.tell(terminal, &form, &calls, begins, pace).await?;

    let seconds = report.took.as_secs_f64();
    let per_second = f64::from(report.events()) / seconds.max(0.001);
    if terminal.is_json() {
        terminal.document(&json!({
            "seed": args.seed, "calls": args.calls, "events": report.events(), "accepted": report.accepted,
            "repeated": report.repeated, "refused": report.refused, "again": report.again,
            "seconds": seconds, "per_second": per_second,
        }))?;
    } else {
        let mut page = Page::new();
        page.title(&format!(
            "a made-up day of {} (seed {})",
            count(args.calls.into(), "call", "calls"),
            args.seed
        ));
        page.fields(&[
            ("accepted", Cell::good(report.accepted.to_string())),
            ("known before", report.repeated.to_string().into()),
            ("refused", if report.refused == 0 { "0".into() } else { Cell::bad(report.refused.to_string()) }),
            ("sent again", report.again.to_string().into()),
            ("time", format!("{seconds:.1} s, {per_second:.0} events a second").into()),
        ]);
        terminal.show(&page)?;
    }
    if report.refused == 0 {
        return Ok(());
    }
    let text = format!(
        "the host did not take {} (last status: {})",
        count(report.refused.into(), "event", "events"),
        report.last_status
    );
    let failure = Failure::new(Exit::Failed, anyhow::Error::msg(text)).hint("the host's log says why");
    Err(if terminal.is_json() { failure.documented() } else { failure })
}

/// The host of the configuration, as this machine reaches it.
fn listens_at(config: &ServerConfig) -> Outcome<Origin> {
    let mut listen = config.listen;
    if listen.ip().is_unspecified() {
        listen.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    format!("http://{listen}").parse().map_err(Failure::input)
}

fn source<'a>(config: &'a ServerConfig, wanted: Option<&str>) -> Outcome<&'a SourceConfig> {
    let mut all = config.tenants.iter().flat_map(|tenant| &tenant.sources);
    let found = all.find(|source| wanted.is_none_or(|wanted| source.id.as_str() == wanted));
    found.ok_or_else(|| {
        Failure::usage("the configuration has no such source")
            .hint("name a `[[tenant.source]]` of the configuration with --source, or add one")
    })
}

fn secret(source: &SourceConfig) -> Outcome<Secret> {
    match (&source.secret, &source.secret_file) {
        (Some(secret), _) => Ok(secret.clone()),
        (None, Some(path)) => {
            let bytes = files::read("secret file", path, MOST_SECRET)?;
            Ok(Secret::new(String::from_utf8_lossy(&bytes).trim_end().to_owned()))
        }
        // `ServerConfig::load` has refused it.
        (None, None) => Err(Failure::usage("the source has no secret")),
    }
}

/// The invented customers' numbers.
fn customers() -> Outcome<Vec<String>> {
    let key = ApiKey::new(practice_crm::KEY).map_err(Failure::input)?;
    let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
    let typed = PracticeCrm::new(key, BaseUrl::from(nowhere)).numbers();
    // As a provider writes them.
    Ok(typed
        .iter()
        .filter_map(|number| PhoneNumber::parse(number, Region::BR).ok())
        .map(|n| n.e164())
        .collect())
}

fn is_this_machine(origin: &Origin) -> bool {
    origin.ip().map_or(origin.host() == "localhost", |ip| ip.is_loopback())
}

/// A time of the day, from its beginning on.
type Offset = SignedDuration;

/// As a wait; nothing when it is over.
fn wait(span: SignedDuration) -> Duration {
    Duration::try_from(span).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("1x", Some(Speed::Times(1)))]
    #[case("60x", Some(Speed::Times(60)))]
    #[case("max", Some(Speed::Max))]
    #[case("0x", None)]
    #[case("60", None)]
    #[case("-1x", None)]
    #[case("", None)]
    fn a_speed_is_so_many_times(#[case] text: &str, #[case] expected: Option<Speed>) {
        assert_eq!(text.parse().ok(), expected);
    }

    #[rstest]
    #[case("http://127.0.0.1:7700", true)]
    #[case("http://[::1]:7700", true)]
    #[case("http://localhost:7700", true)]
    #[case("http://10.0.0.1:7700", false)]
    #[case("https://ramal.acme.example", false)]
    fn this_machine_is_known_by_its_address(#[case] origin: &str, #[case] here: bool) {
        assert_eq!(is_this_machine(&origin.parse().unwrap()), here);
    }
}
