//! `ramal call`: one call of a plugin outside any server, under the same rules as in one, and a report of what it
//! took, saw and sent.
//!
//! Nothing is looser here: the grant is checked, the component is compiled in a confined child, requests leave by
//! the one way out. What differs is that disclosures are listed in the report instead of a ledger's file.

mod answer;
pub(crate) mod arguments;
mod blame;
mod lines;
mod report;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use ramal_capability::{Actor, Authority, ClassSet, Export, Grant, InteractionId, Manifest, Purpose};
use ramal_egress::{CredentialSource, Egress, FileCredentials, StaticCredentials};
use ramal_engine::{BuildError, Called, Plugin, PoolSize, Runtime};
use ramal_ledger::Recording;
use uuid::Uuid;

use crate::args::CallArgs;
use crate::component::{self, Component};
use crate::failure::{Failure, Outcome};
use crate::files;
use crate::output::Terminal;
use answer::{Node, ToNode};
use arguments::Request;
use lines::Lines;
use report::Facts;

/// Calls, then reports.
pub(crate) async fn run(terminal: &Terminal, args: &CallArgs) -> Outcome {
    let export = arguments::export(&args.export)?;
    let now = Timestamp::now();
    let request = arguments::parse(export, &args.args, args.region, now)?;
    let component = component::open(&args.file)?;
    let grant = files::read_grant(&args.grant)?;
    let settings = files::read_settings(args.settings.as_deref(), &component.inspected.manifest)?;
    if !grant.pins_digest() {
        terminal
            .note("the grant holds for any build of this plugin (digest = \"any\"): for development only");
    }

    let (disclosed, said) = (Arc::new(Recording::default()), Arc::new(Lines::default()));
    let runtime = runtime(args, &disclosed, &said)?;
    let started = Instant::now();
    let plugin = runtime
        .load_in(&component.wasm, &grant, &settings, args.region)
        .await
        .map_err(|error| component::refused(error, &component.name))?;
    let loading = started.elapsed();

    let who = authority(args, &grant, &component, export, now);
    let called = perform(&plugin, who.clone(), request).await;
    let failure = called
        .outcome
        .as_ref()
        .err()
        .map(|error| blame::failure(error.clone(), &plugin, &files::name(&args.grant), &component.name));
    let facts = Facts {
        export,
        who: &who,
        plan: &plugin.plan(),
        loading,
        answer: called.outcome.as_ref().map_err(|error| error.code()),
        report: &called.report,
        disclosures: &disclosed.rows(),
        said: &said.take(),
        show_values: args.show_values,
    };
    if terminal.is_json() {
        terminal.document(&report::document(&facts, failure.as_ref()))?;
    } else {
        terminal.show(&report::page(&facts))?;
    }
    match failure {
        Some(failure) => Err(failure.documented()),
        None => Ok(()),
    }
}

/// A runtime for one call.
fn runtime(args: &CallArgs, disclosed: &Arc<Recording>, said: &Arc<Lines>) -> Outcome<Runtime> {
    let credentials: Arc<dyn CredentialSource> = match &args.credentials {
        Some(path) => Arc::new(FileCredentials::open(path).map_err(Failure::input)?),
        None => Arc::new(StaticCredentials::new()),
    };
    let egress = Egress::builder()
        .credentials(credentials)
        .ledger(Arc::clone(disclosed) as Arc<_>)
        .build()
        .map_err(Failure::environment)?;
    let pool = PoolSize { instances: 1, ..PoolSize::default() };
    Runtime::builder(cache_dir(args)?, Arc::new(egress))
        .log(Arc::clone(said) as Arc<_>)
        .pool(pool)
        .build()
        .map_err(|error| {
            let of_cache = matches!(error, BuildError::Cache(_));
            let failure = Failure::environment(error).context("cannot set up the runtime for plugins");
            if of_cache {
                failure.hint("compiled code can be kept elsewhere: --cache-dir FOLDER")
            } else {
                failure
            }
        })
}

/// Where compiled code is kept: the user's cache folder (XDG Base Directory Specification).
fn cache_dir(args: &CallArgs) -> Outcome<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    args.cache_dir
        .clone()
        .or_else(|| folder("XDG_CACHE_HOME").map(|cache| cache.join("ramal/code")))
        .or_else(|| folder("HOME").map(|home| home.join(".cache/ramal/code")))
        .ok_or_else(|| {
            Failure::environment(anyhow::Error::msg(
                "there is no cache folder: neither XDG_CACHE_HOME nor HOME is set",
            ))
            .hint("name a folder for compiled code with --cache-dir")
        })
}

/// On whose behalf, and for what. A live call or conversation is made up where the purpose needs one: that is what
/// trying a plugin means. A person is not: who acts must be said.
fn authority(
    args: &CallArgs,
    grant: &Grant,
    component: &Component,
    export: Export,
    at: Timestamp,
) -> Authority {
    let purpose = args.purpose.unwrap_or_else(|| likely(export, &component.inspected.manifest, grant));
    Authority {
        tenant: grant.tenant.clone(),
        purpose,
        interaction: purpose.needs_interaction().then(|| InteractionId(Uuid::now_v7())),
        actor: match &args.user {
            Some(id) => Actor::User { id: id.clone(), may: ClassSet::all() },
            None => Actor::System,
        },
        subject: None,
        at,
    }
}

/// The first purpose of the function that is granted; else the first, so that the denial says what lacks.
fn likely(export: Export, manifest: &Manifest, grant: &Grant) -> Purpose {
    let usable = |purpose: &&Purpose| grant.purposes.contains(purpose) && manifest.purposes.contains(purpose);
    let all = export.purposes();
    all.iter().find(usable).or(all.first()).copied().unwrap_or(Purpose::Diagnostics)
}

async fn perform(plugin: &Plugin, who: Authority, request: Request) -> Called<Node> {
    fn opened<T: ToNode>(called: Called<T>) -> Called<Node> {
        Called { outcome: called.outcome.map(T::to_node), report: called.report }
    }
    match request {
        Request::Check(ask) => opened(plugin.call(who, ask).await),
        Request::FindByPhone(ask) => opened(plugin.call(who, ask).await),
        Request::Search(ask) => opened(plugin.call(who, ask).await),
        Request::Get(ask) => opened(plugin.call(who, ask).await),
        Request::Create(ask) => opened(plugin.call(who, ask).await),
        Request::Update(ask) => opened(plugin.call(who, ask).await),
        Request::Write(ask) => opened(plugin.call(who, *ask).await),
        Request::Amend(ask) => opened(plugin.call(who, *ask).await),
        Request::OpenFor(ask) => opened(plugin.call(who, ask).await),
        Request::ListUsers(ask) => opened(plugin.call(who, ask).await),
        Request::ExportSubject(ask) => opened(plugin.call(who, ask).await),
        Request::EraseSubject(ask) => opened(plugin.call(who, ask).await),
        Request::Handle(ask) => opened(plugin.call(who, ask).await),
    }
}
