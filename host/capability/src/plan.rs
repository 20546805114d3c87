//! Manifest, grant and settings, compiled into what one plugin may do: made once when a grant is loaded,
//! read by every call.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ipnet::IpNet;
use ramal_numbers::Region;
use serde_json::Value;

use crate::address::Origin;
use crate::authority::{Actor, Authority};
use crate::class::{DataClass, Direction, Level, LevelTable};
use crate::compiled::{CompileError, Compiled, Scope};
use crate::denial::{Denial, Rule, one_more};
use crate::export::{Export, Import};
use crate::grant::{Destination, Grant, MAX_YEARS, years_after};
use crate::hook::Hook;
use crate::ids::{CredentialId, Digest, HookId, PluginId, RouteId, TenantId};
use crate::limits::Limits;
use crate::manifest::{CredentialDecl, CredentialKind, Manifest, RouteDecl};
use crate::oauth::OAuthPlan;
use crate::pointer::Tree;
use crate::purpose::Purpose;
use crate::request::Method;
use crate::session::SessionPlan;
use crate::settings::SettingsError;
use crate::spec::{FieldSpec, Receive, ReceiveOne};
use crate::template::Language;

/// A route that is granted, compiled.
#[derive(Debug)]
pub(crate) struct RoutePlan {
    pub(crate) id: RouteId,
    pub(crate) method: Method,
    pub(crate) origin: Origin,
    pub(crate) target: Compiled,
    pub(crate) headers: Vec<(String, Compiled)>,
    pub(crate) params: Vec<(String, FieldSpec)>,
    pub(crate) send: Tree<FieldSpec>,
    pub(crate) receive: Tree<Receive>,
    pub(crate) receive_error: Tree<Receive>,
    pub(crate) credential: Option<Arc<CredentialDecl>>,
    pub(crate) session: Option<Arc<SessionPlan>>,
    pub(crate) oauth: Option<Arc<OAuthPlan>>,
    pub(crate) private: Vec<IpNet>,
    pub(crate) purposes: BTreeSet<Purpose>,
}

/// What one plugin may do for one tenant: manifest ∩ grant, with the settings written in.
pub struct Plan {
    tenant: TenantId,
    plugin: PluginId,
    version: String,
    digest: Digest,
    grant_revision: u64,
    pins_digest: bool,
    approved_at: jiff::civil::Date,
    expires: jiff::civil::Date,
    ended: AtomicBool,
    region: Region,
    purposes: BTreeSet<Purpose>,
    granted_purposes: BTreeSet<Purpose>,
    provides: BTreeSet<Export>,
    uses: BTreeSet<Import>,
    /// What the manifest asks.
    asked: LevelTable,
    levels: LevelTable,
    limits: Limits,
    routes: HashMap<RouteId, Arc<RoutePlan>>,
    declared_routes: BTreeSet<RouteId>,
    hooks: HashMap<HookId, Arc<Hook>>,
    declared_hooks: BTreeSet<HookId>,
    /// The credentials that prove who sends to them.
    hook_credentials: BTreeMap<CredentialId, Arc<CredentialDecl>>,
    sync: Option<Duration>,
    destinations: Vec<Origin>,
    /// The same as they are spelt.
    spelt: Vec<Box<str>>,
    settings: Arc<str>,
}

/// Why manifest, grant and settings do not fit together.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The grant is for another plugin.
    #[error(
        "the grant is for the plugin `{grant}`, the component is `{component}`; give the grant of `{component}`"
    )]
    OtherPlugin {
        /// In the grant.
        grant: PluginId,
        /// In the component.
        component: PluginId,
    },
    /// The grant is for other bytes.
    #[error(
        "the grant is for the component {grant}, this one is {component}; review the new one with `ramal inspect` and \
         `ramal grant propose`, then put its digest into the grant"
    )]
    OtherDigest {
        /// In the grant.
        grant: Digest,
        /// Of the component.
        component: Digest,
    },
    /// A granted route that the manifest does not have.
    #[error("the grant names the route `{route}`, which `{plugin}` does not have; remove it from `routes`")]
    UnknownRoute {
        /// The plugin.
        plugin: PluginId,
        /// The route.
        route: RouteId,
    },
    /// A granted hook that the manifest does not have.
    #[error("the grant names the hook `{hook}`, which `{plugin}` does not have; remove it from `hooks`")]
    UnknownHook {
        /// The plugin.
        plugin: PluginId,
        /// The hook.
        hook: HookId,
    },
    /// The settings do not fit the manifest's schema.
    #[error("the settings do not fit: {0}")]
    Settings(#[from] SettingsError),
    /// A route that does not compile.
    #[error("the route `{route}`: {why}")]
    Route {
        /// The route.
        route: RouteId,
        /// Why.
        why: CompileError,
    },
    /// A route that leads where the grant does not.
    #[error(
        "the route `{route}` leads to {origin}, which the grant does not name; if that is right, add to the grant:\n\
         [[destination]]\norigin = \"{origin}\"\nreason = \"…\""
    )]
    NotADestination {
        /// The route.
        route: RouteId,
        /// Where it leads.
        origin: Origin,
    },
}

impl Plan {
    /// Compiles. What the manifest asks and the grant does not give is absent; what the grant gives and the
    /// manifest does not ask is absent too.
    ///
    /// # Errors
    /// When the three do not fit together; the error says which line to change.
    pub fn compile(
        manifest: &Manifest,
        digest: Digest,
        grant: &Grant,
        settings: &Value,
    ) -> Result<Self, PlanError> {
        if grant.plugin != manifest.id {
            return Err(PlanError::OtherPlugin {
                grant: grant.plugin.clone(),
                component: manifest.id.clone(),
            });
        }
        if let Some(granted) = grant.digest.filter(|granted| *granted != digest) {
            return Err(PlanError::OtherDigest { grant: granted, component: digest });
        }
        let declared_routes: BTreeSet<RouteId> = manifest.routes.iter().map(|r| r.id.clone()).collect();
        if let Some(route) = grant.routes.iter().find(|route| !declared_routes.contains(*route)) {
            return Err(PlanError::UnknownRoute { plugin: manifest.id.clone(), route: route.clone() });
        }
        let declared_hooks: BTreeSet<HookId> = manifest.hooks.iter().map(|h| h.id.clone()).collect();
        if let Some(hook) = grant.hooks.iter().find(|hook| !declared_hooks.contains(*hook)) {
            return Err(PlanError::UnknownHook { plugin: manifest.id.clone(), hook: hook.clone() });
        }
        let settings = manifest.settings.check(settings)?;
        let mut routes = HashMap::new();
        for decl in manifest.routes.iter().filter(|decl| grant.routes.contains(&decl.id)) {
            routes.insert(decl.id.clone(), Arc::new(route(decl, manifest, grant, &settings)?));
        }
        let mut asked = LevelTable::default();
        for (class, ask) in &manifest.asks {
            asked.set(*class, Direction::ToPlugin, ask.to_plugin);
            asked.set(*class, Direction::FromCrm, ask.from_crm);
        }
        let levels = asked.meet(&grant.classes);
        let limits = Limits::resolve(&manifest.limits, &grant.limits);
        let (mut hooks, mut hook_credentials) = (HashMap::new(), BTreeMap::new());
        for decl in manifest.hooks.iter().filter(|decl| grant.hooks.contains(&decl.id)) {
            let hook = Hook::compile(decl, &levels, limits.answer_bytes, limits.json_depth);
            hooks.insert(decl.id.clone(), Arc::new(hook));
            if let Some(credential) = manifest.credential(&decl.credential) {
                hook_credentials.insert(credential.id.clone(), Arc::new(credential.clone()));
            }
        }
        Ok(Self {
            tenant: grant.tenant.clone(),
            plugin: manifest.id.clone(),
            version: manifest.version.to_string(),
            digest,
            grant_revision: grant.revision,
            pins_digest: grant.digest.is_some(),
            approved_at: grant.approved_at,
            expires: grant.expires,
            ended: AtomicBool::new(false),
            region: Region::BR,
            purposes: manifest.purposes.clone(),
            granted_purposes: grant.purposes.clone(),
            provides: manifest.provides.clone(),
            uses: manifest.uses.clone(),
            asked,
            levels,
            limits,
            routes,
            declared_routes,
            hooks,
            declared_hooks,
            hook_credentials,
            sync: manifest.sync.as_ref().map(|sync| sync.every),
            destinations: grant.destinations.iter().map(|d| d.origin.clone()).collect(),
            spelt: grant.destinations.iter().map(|d| d.origin.to_string().into()).collect(),
            settings: settings.to_string().into(),
        })
    }

    /// Sets the region by whose rules numbers without a country code are read.
    #[must_use]
    pub fn with_region(mut self, region: Region) -> Self {
        self.region = region;
        self
    }

    /// Whose data.
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }
    /// Which plugin.
    pub fn plugin(&self) -> &PluginId {
        &self.plugin
    }
    /// Its version.
    pub fn version(&self) -> &str {
        &self.version
    }
    /// Its bytes.
    pub fn digest(&self) -> Digest {
        self.digest
    }
    /// Which revision of the grant.
    pub fn grant_revision(&self) -> u64 {
        self.grant_revision
    }
    /// Whether the grant holds for these bytes only.
    pub fn pins_digest(&self) -> bool {
        self.pins_digest
    }
    /// The limits in force.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }
    /// The region by whose rules numbers are read.
    pub fn region(&self) -> Region {
        self.region
    }
    /// What the plugin offers.
    pub fn provides(&self) -> &BTreeSet<Export> {
        &self.provides
    }
    /// What the plugin may import.
    pub fn uses(&self) -> &BTreeSet<Import> {
        &self.uses
    }
    /// The level of a class.
    pub fn level(&self, class: DataClass, direction: Direction) -> Level {
        self.levels.get(class, direction)
    }
    /// The credentials that granted routes and hooks use, and how the host gets tokens for those that are
    /// `oauth2`.
    pub fn credentials(&self) -> BTreeMap<CredentialId, (Arc<CredentialDecl>, Option<Arc<OAuthPlan>>)> {
        let used =
            self.routes.values().filter_map(|route| Some((route.credential.clone()?, route.oauth.clone())));
        let proving = self.hook_credentials.values().map(|decl| (Arc::clone(decl), None));
        used.chain(proving).map(|(decl, oauth)| (decl.id.clone(), (decl, oauth))).collect()
    }
    /// The granted hooks, in no order.
    pub fn hooks(&self) -> impl Iterator<Item = &Arc<Hook>> {
        self.hooks.values()
    }
    /// How often the CRM is to be asked for what has changed; `None` when it need not, or when the plugin may not
    /// be called for that.
    pub fn sync(&self) -> Option<Duration> {
        let may = |set: &BTreeSet<Purpose>| set.contains(&Purpose::Sync);
        self.sync.filter(|_| may(&self.purposes) && may(&self.granted_purposes))
    }
    /// The server that most of the granted routes send to: whose patience the plugin's calls use up. `None` when no
    /// route is granted. A granted destination may be a page that is only linked to, and says nothing of it.
    pub fn origin(&self) -> Option<&Origin> {
        let mut routes: BTreeMap<&Origin, usize> = BTreeMap::new();
        for route in self.routes.values() {
            *routes.entry(&route.origin).or_default() += 1;
        }
        // Of two with as many the first by name, so that it is the same in every process.
        routes.into_iter().rev().max_by_key(|(_, count)| *count).map(|(origin, _)| origin)
    }
    /// The settings as JSON, defaults filled in.
    pub fn settings(&self) -> &str {
        &self.settings
    }

    /// Ends the grant at once: no new call is admitted, one under way is denied at its next request.
    pub fn end(&self) {
        self.ended.store(true, Ordering::Release);
    }
    /// Whether the grant was ended.
    pub fn is_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Whether it is over at this moment: it was ended, or its last day has passed.
    pub fn is_over(&self, at: jiff::Timestamp) -> bool {
        self.is_ended() || jiff::tz::Offset::UTC.to_datetime(at).date() > self.expires
    }

    /// The granted destinations, as they are spelt.
    pub(crate) fn spelt(&self) -> impl Iterator<Item = &str> {
        self.spelt.iter().map(|origin| &**origin)
    }

    pub(crate) fn may_link(&self, url: &str) -> bool {
        // Most links begin with a destination as it is spelt here, and end it with what nothing else begins with.
        let ends = |rest: &str| rest.is_empty() || rest.starts_with(['/', '?', '#']);
        if self.spelt.iter().any(|origin| url.strip_prefix(&**origin).is_some_and(ends)) {
            return true;
        }
        // `Origin` is strict on purpose; a link has a path, so its origin is cut off first.
        let Ok(parsed) = url::Url::parse(url) else { return false };
        let origin = parsed.origin().ascii_serialization();
        origin.parse::<Origin>().is_ok_and(|origin| self.destinations.contains(&origin))
    }

    /// The effective right of one call: manifest ∩ grant ∩ acting user ∩ live interaction ∩ purpose.
    pub(crate) fn admit(&self, authority: &Authority, export: Export) -> Result<LevelTable, Denial> {
        self.alive(authority)?;
        let purpose = authority.purpose;
        if !self.granted_purposes.contains(&purpose) || !self.purposes.contains(&purpose) {
            let list =
                |set: &BTreeSet<Purpose>| set.iter().map(|p| p.as_str()).collect::<Vec<_>>().join(", ");
            let denial =
                Denial::new(Rule::Purpose, format!("a call for {purpose}"), list(&self.granted_purposes));
            let line = |have: &BTreeSet<Purpose>| {
                one_more("purposes", have.iter().map(|p| p.as_str()), purpose.as_str())
            };
            return Err(if self.purposes.contains(&purpose) {
                denial.fix("grant.toml", "[grant]", line(&self.granted_purposes))
            } else {
                denial.fix("plugin.toml", "[plugin]", line(&self.purposes))
            });
        }
        if !self.provides.contains(&export) {
            let denial =
                Denial::new(Rule::NotProvided, format!("{export}"), "what the manifest's `provides` lists");
            let have = self.provides.iter().map(|export| export.as_str());
            return Err(denial.fix("plugin.toml", "[plugin]", one_more("provides", have, export.as_str())));
        }
        if !export.purposes().contains(&purpose) {
            return Err(Denial::new(
                Rule::Purpose,
                format!("{export} for {purpose}"),
                export.purposes().iter().map(|p| p.as_str()).collect::<Vec<_>>().join(", "),
            ));
        }
        if purpose.needs_interaction() && authority.interaction.is_none() {
            return Err(Denial::new(
                Rule::Interaction,
                format!("{purpose} without a call or conversation"),
                "none",
            ));
        }
        let mut levels = self.levels.clone();
        match &authority.actor {
            Actor::System if purpose.needs_user() => {
                return Err(Denial::new(Rule::User, format!("{purpose} without an acting person"), "none"));
            }
            Actor::System => {}
            Actor::User { may, .. } => {
                for &class in DataClass::ALL.iter().filter(|class| !may.contains(**class)) {
                    // What the person may not see, a plugin that acts for the person does not fetch; what the
                    // host hands in stays behind its seal.
                    levels.set(class, Direction::FromCrm, Level::None);
                    let handed = levels.get(class, Direction::ToPlugin).min(Level::Sealed);
                    levels.set(class, Direction::ToPlugin, handed);
                }
            }
        }
        Ok(levels)
    }

    fn alive(&self, authority: &Authority) -> Result<(), Denial> {
        if self.is_ended() {
            return Err(Denial::new(Rule::GrantEnded, "a call under a revoked grant", "nothing any more"));
        }
        if authority.tenant != self.tenant {
            return Err(Denial::new(
                Rule::GrantEnded,
                format!("a call for `{}`", authority.tenant),
                format!("`{}`", self.tenant),
            ));
        }
        let today = jiff::tz::Offset::UTC.to_datetime(authority.at).date();
        if today > self.expires {
            let until = format!("until {}", self.expires);
            let denial = Denial::new(Rule::GrantEnded, "a call after the grant's end", until);
            // Longer than that a grant may not last: then a person approves it anew.
            let next = years_after(today, 1).min(years_after(self.approved_at, MAX_YEARS));
            return Err(if next < today {
                denial
            } else {
                denial.fix("grant.toml", "[grant]", format!("expires = \"{next}\""))
            });
        }
        Ok(())
    }

    /// The refusal of a call that means nothing without a value of this class.
    pub(crate) fn lacks(&self, class: DataClass, export: Export) -> Denial {
        let denial =
            Denial::new(Rule::Class, format!("{class} for {export}"), format!("{class} to-plugin = none"));
        let asked = self.asked.get(class, Direction::ToPlugin);
        if asked == Level::None {
            return denial.fix("plugin.toml", format!("[ask.\"{class}\"]"), "to-plugin = \"sealed\"");
        }
        let to_plugin = asked.min(Level::Sealed).as_str();
        let from_crm = match self.levels.get(class, Direction::FromCrm) {
            Level::None => String::new(),
            level => format!(", from-crm = \"{}\"", level.as_str()),
        };
        denial.fix(
            "grant.toml",
            "[classes]",
            format!("\"{class}\" = {{ to-plugin = \"{to_plugin}\"{from_crm} }}"),
        )
    }

    /// A granted hook, at the time of the call.
    ///
    /// # Errors
    /// When the manifest has no such hook, the grant does not give it, the plugin may not be called for `sync`, or the
    /// grant has ended.
    pub fn hook(&self, name: &str, authority: &Authority) -> Result<&Arc<Hook>, Denial> {
        self.admit(authority, Export::EventsHandle)?;
        let granted = || {
            let names: BTreeSet<&str> = self.hooks.keys().map(HookId::as_str).collect();
            let names: Vec<&str> = names.into_iter().collect();
            if names.is_empty() { "no hook".to_owned() } else { names.join(", ") }
        };
        match (self.hooks.get(name), self.declared_hooks.get(name)) {
            (Some(hook), _) => Ok(hook),
            (None, Some(declared)) => {
                let names: BTreeSet<&str> = self.hooks.keys().map(HookId::as_str).collect();
                let line = one_more("hooks", names.into_iter(), declared.as_str());
                let denial = Denial::new(Rule::Hook, format!("the hook `{declared}`"), granted());
                Err(denial.fix("grant.toml", "[grant]", line))
            }
            // The name comes from outside: only one that the manifest declares is repeated.
            (None, None) => {
                Err(Denial::new(Rule::UnknownHook, "a hook that the manifest does not have", granted()))
            }
        }
    }

    /// A granted route that serves the purpose of the call.
    pub(crate) fn route(&self, name: &str, authority: &Authority) -> Result<&Arc<RoutePlan>, Denial> {
        self.alive(authority)?;
        let names = || self.routes.keys().map(RouteId::as_str).collect::<BTreeSet<_>>().into_iter();
        let granted = || names().collect::<Vec<_>>().join(", ");
        let Some(route) = self.routes.get(name) else {
            // The name comes from the guest: only one that the manifest declares is repeated.
            return Err(match self.declared_routes.get(name) {
                Some(declared) => Denial::new(Rule::Route, format!("the route `{declared}`"), granted()).fix(
                    "grant.toml",
                    "[grant]",
                    one_more("routes", names(), declared.as_str()),
                ),
                None => Denial::new(Rule::UnknownRoute, "a route that the manifest does not have", granted()),
            });
        };
        if !route.purposes.contains(&authority.purpose) {
            let serves = route.purposes.iter().map(|p| p.as_str()).collect::<Vec<_>>().join(", ");
            return Err(Denial::new(
                Rule::RoutePurpose,
                format!("the route `{}` for {}", route.id, authority.purpose),
                serves,
            )
            .fix(
                "plugin.toml",
                "[[route]]",
                one_more("purposes", route.purposes.iter().map(|p| p.as_str()), authority.purpose.as_str()),
            ));
        }
        Ok(route)
    }
}

fn route(
    decl: &RouteDecl,
    manifest: &Manifest,
    grant: &Grant,
    settings: &Value,
) -> Result<RoutePlan, PlanError> {
    let fault = |why: CompileError| PlanError::Route { route: decl.id.clone(), why };
    let scope = Scope { values: &decl.params, settings, parts: &decl.parts, raw: false };
    let (origin, target) = scope.address(&decl.url).map_err(fault)?;
    let destination = |origin: &Origin| -> Result<&Destination, PlanError> {
        grant
            .destinations
            .iter()
            .find(|d| d.origin == *origin)
            .ok_or_else(|| PlanError::NotADestination { route: decl.id.clone(), origin: origin.clone() })
    };
    let ranges = destination(&origin)?.private.clone();
    let credential =
        decl.credential.as_ref().and_then(|id| manifest.credentials.iter().find(|c| c.id == *id));
    let private = |origin: &Origin| destination(origin).map(|d| d.private.clone()).unwrap_or_default();
    let (mut session, mut oauth) = (None, None);
    match credential.map(|c| &c.kind) {
        Some(CredentialKind::Session(decl)) => {
            let plan = SessionPlan::compile(decl, settings, private).map_err(fault)?;
            destination(plan.origin())?;
            session = Some(Arc::new(plan));
        }
        Some(CredentialKind::OAuth2(decl)) => {
            let plan = OAuthPlan::compile(decl, settings, private).map_err(fault)?;
            destination(&plan.origin)?;
            oauth = Some(Arc::new(plan));
        }
        _ => {}
    }
    let headers = decl
        .headers
        .iter()
        .map(|(name, template)| Ok((name.clone(), scope.compile(template, Language::Header).map_err(fault)?)))
        .collect::<Result<_, PlanError>>()?;
    // Places that come twice are an error of the manifest, found with its line when it is read.
    let mut send = Tree::default();
    for (pattern, spec) in &decl.send {
        let _ = send.insert(pattern, spec.clone());
    }
    let mut receive = Tree::default();
    for (pattern, what) in &decl.receive {
        let _ = receive.insert(pattern, what.clone());
    }
    receive.mark(|what| matches!(what, Receive::Switch { .. }));
    let mut receive_error = Tree::default();
    for (pattern, bounded) in &decl.receive_error {
        let _ = receive_error.insert(pattern, Receive::One(ReceiveOne::Bounded(bounded.clone())));
    }
    Ok(RoutePlan {
        id: decl.id.clone(),
        method: decl.method,
        origin,
        target,
        headers,
        params: decl.params.clone(),
        send,
        receive,
        receive_error,
        credential: credential.cloned().map(Arc::new),
        session,
        oauth,
        private: ranges,
        purposes: decl.purposes.iter().copied().collect(),
    })
}

#[cfg(test)]
mod tests;
