//! `ramal channels`: the inventory of the ways in, read from the configuration and the database. How a connection
//! stands at this moment is known to the host that runs: `GET /v1/channels` says it too.

use std::path::PathBuf;

use clap::Args;
use jiff::{Timestamp, Unit};
use ramal_capability::TenantId;
use ramal_server::{ChannelView, Inventory, ServerConfig};
use serde_json::json;

use crate::failure::{Failure, Outcome};
use crate::output::{Cell, Column, Page, Terminal};
use crate::store;

#[derive(Debug, Args)]
pub(crate) struct ChannelsArgs {
    /// Of this tenant only
    pub(crate) tenant: Option<TenantId>,
    /// The configuration
    #[arg(long, value_name = "FILE", default_value = "ramal.toml")]
    pub(crate) config: PathBuf,
    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

/// Shows the channels.
pub(crate) async fn run(terminal: &Terminal, args: &ChannelsArgs) -> Outcome {
    let config = ServerConfig::load(&args.config).map_err(Failure::input)?;
    let store = store::open(&config).await?;
    let inventory = Inventory::new(&config, store.clone(), Default::default());
    let now = Timestamp::now();
    let mut tenants = Vec::new();
    for tenant in config.tenants.iter().map(|tenant| &tenant.id) {
        if args.tenant.as_ref().is_none_or(|wanted| wanted == tenant) {
            let channels = inventory.list(tenant, now).await.map_err(Failure::environment)?;
            tenants.push((tenant, channels));
        }
    }
    store.close().await.map_err(Failure::environment)?;
    if terminal.is_json() {
        let list = tenants
            .iter()
            .map(|(tenant, channels)| json!({ "tenant": tenant.as_str(), "channels": channels }));
        return terminal.document(&list.collect::<Vec<_>>());
    }
    let mut page = Page::new();
    for (tenant, channels) in &tenants {
        page.section(tenant.as_str());
        if channels.is_empty() {
            page.line(Cell::faint("no channel and no source"));
            continue;
        }
        let columns = ["channel", "kind", "state", "first event", "last event"].map(Column::Left);
        let columns = [columns.as_slice(), &[Column::Right("30 days"), Column::Left("lines")]].concat();
        page.table(&columns, &channels.iter().map(row).collect::<Vec<_>>());
        let kept = channels.iter().flat_map(|channel| {
            channel.collects.iter().map(move |one| {
                [channel.channel.as_str(), one.data, one.kept_in, one.kept_for].map(Cell::from).to_vec()
            })
        });
        let kept: Vec<_> = kept.collect();
        if !kept.is_empty() {
            page.section("what they collect");
            page.table(&["channel", "data", "kept in", "kept for"].map(Column::Left), &kept);
        }
    }
    terminal.show(&page)
}

fn row(of: &ChannelView) -> Vec<Cell> {
    let state = match of.health {
        "listening" | "connected" => Cell::good(of.health),
        "silent" => Cell::bad(of.health),
        // Only a host that runs knows more of a link.
        "off" => Cell::faint("see the host"),
        other => Cell::careful(other),
    };
    let time = |at: Option<Timestamp>| {
        let second = at.and_then(|at| at.round(Unit::Second).ok());
        second.map_or_else(|| Cell::faint("never"), |at| Cell::from(at.to_string()))
    };
    vec![
        of.channel.as_str().into(),
        of.kind.into(),
        state,
        time(of.first_event_at),
        time(of.last_event_at),
        of.last_30_days.values().sum::<u64>().to_string().into(),
        of.lines.join(" ").into(),
    ]
}
