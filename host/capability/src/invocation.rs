//! One call of a plugin, as the rules see it: what it may, the seals it holds, what it used so far.
//!
//! Everything that a guest says or gets passes through here, in the engine and in a vendor's tests alike.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::authority::Authority;
use crate::class::{DataClass, Direction, Level, LevelTable};
use crate::denial::{Denial, Rule};
use crate::echo::EchoGuard;
use crate::exchange::{EgressCall, EgressFailure, Reply};
use crate::export::Export;
use crate::hook::Listed;
use crate::mask::{mask, mask_words};
use crate::plan::Plan;
use crate::projection::Projector;
use crate::request::{Opened, Prepared, open_at, write_body};
use crate::seal::{Held, Vault};
use crate::show::{Place, Shown};
use crate::text::{self, PhoneStyle};
use crate::value::Clear;

/// What a plugin saw of one class in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// The class.
    pub class: DataClass,
    /// Handed in, or out of an answer.
    pub direction: Direction,
    /// How much of it.
    pub level: Level,
    /// How many values.
    pub count: u32,
}

/// Counts of what a plugin saw, and of what was kept from it.
#[derive(Debug, Default)]
pub(crate) struct SeenTable {
    counts: Vec<Seen>,
    pub(crate) withheld: u32,
    pub(crate) misfits: u32,
    pub(crate) suspicious_ids: u32,
}

impl SeenTable {
    pub(crate) fn count(&mut self, class: DataClass, direction: Direction, level: Level) {
        match self.counts.iter_mut().find(|s| s.class == class && s.direction == direction) {
            Some(seen) => seen.count += 1,
            None => self.counts.push(Seen { class, direction, level, count: 1 }),
        }
    }
}

/// What one call saw and used, without any value.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// What the plugin could see.
    pub seen: Vec<Seen>,
    /// Requests that were built.
    pub requests: u64,
    /// Bytes of requests.
    pub bytes_out: u64,
    /// Bytes of answers.
    pub bytes_in: u64,
    /// Bounded values (or answers) withheld because they repeated an opened value.
    pub withheld: u32,
    /// Listed values that did not fit their bounded type and were dropped.
    pub misfits: u32,
    /// Values listed as `id` that look like a document or a telephone number: a reason to look at the route.
    pub suspicious_ids: u32,
}

/// One call of a plugin.
pub struct Invocation {
    plan: Arc<Plan>,
    authority: Authority,
    export: Export,
    levels: LevelTable,
    vault: Vault,
    guard: EchoGuard,
    seen: SeenTable,
    requests: u64,
    bytes_out: u64,
    bytes_in: u64,
    comparisons: u64,
}

impl Invocation {
    /// Decides whether the call may happen at all.
    ///
    /// `seed` is 32 bytes from a cryptographic generator, used once.
    ///
    /// # Errors
    /// A [`Denial`] when grant, purpose, interaction or user do not allow it.
    pub fn begin(
        plan: Arc<Plan>,
        authority: Authority,
        export: Export,
        seed: [u8; 32],
    ) -> Result<Self, Denial> {
        let levels = plan.admit(&authority, export)?;
        let most = usize::try_from(plan.limits().seals).unwrap_or(usize::MAX);
        Ok(Self {
            vault: Vault::new(seed, most),
            plan,
            authority,
            export,
            levels,
            guard: EchoGuard::default(),
            seen: SeenTable::default(),
            requests: 0,
            bytes_out: 0,
            bytes_in: 0,
            comparisons: 0,
        })
    }

    /// The compiled rights.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }
    /// On whose behalf, why and for what.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }
    /// Which function is called.
    pub fn export(&self) -> Export {
        self.export
    }

    /// Gives the guest a customer's value at the level that it has; `None` when it has none.
    ///
    /// # Errors
    /// When there are too many seals in this call.
    pub fn hand_in(&mut self, class: DataClass, value: &Clear) -> Result<Option<String>, Denial> {
        let level = self.levels.get(class, Direction::ToPlugin);
        self.seen.count(class, Direction::ToPlugin, level);
        Ok(match level {
            Level::None => None,
            Level::Exists => Some(format!("[{class}]")),
            Level::Masked => Some(mask(class, value.expose())),
            Level::Clear => Some(value.expose().to_owned()),
            Level::Sealed => Some(self.seal(class, value.clone())?),
        })
    }

    /// Gives the guest what came to a hook, as if it were an answer: listed fields only, classed ones at the level
    /// of the grant.
    ///
    /// # Errors
    /// When the hook is not granted (any more), or its body is not what the hook takes.
    pub fn hear(&mut self, hook: &str, came: &Listed) -> Result<(Vec<(String, String)>, String), Denial> {
        let hook = Arc::clone(self.plan.hook(hook, &self.authority)?);
        let body = came.body.expose().as_bytes();
        self.bytes_in = self.bytes_in.saturating_add(body.len() as u64);
        let unfit = |what: String| Denial::new(Rule::Hook, what, "a body that the hook takes");
        if body.len() as u64 > hook.most_bytes() {
            return Err(unfit(format!("a body of more than {} bytes", hook.most_bytes())));
        }
        let projector = Projector::new(&mut self.vault, &self.levels, &self.guard, &mut self.seen);
        let body = hook.project(projector, body).map_err(|fault| unfit(fault.to_string()))?;
        let headers = hook.headers(came.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        Ok((headers, body))
    }

    /// The refusal of a call that means nothing without a value of this class, with the line that hands one in.
    pub fn lacks(&self, class: DataClass) -> Denial {
        self.plan.lacks(class, self.export)
    }

    fn seal(&mut self, class: DataClass, value: Clear) -> Result<String, Denial> {
        self.vault.seal(class, value).map_err(|_| {
            let most = self.plan.limits().seals;
            Denial::new(Rule::Quota, "one more seal", format!("{most} seals in a call")).raise(
                "seals",
                most,
                most.saturating_add(1),
            )
        })
    }

    /// Builds a request: right, parameters, address, body, seals opened in their places.
    ///
    /// # Errors
    /// [`EgressFailure::Denied`] when a rule forbids it, before any effect.
    pub fn prepare(&mut self, call: &EgressCall) -> Result<Prepared, EgressFailure> {
        let route = Arc::clone(self.plan.route(&call.route, &self.authority)?);
        let limits = self.plan.limits();
        if self.requests >= limits.requests {
            let granted = format!("{} requests in a call", limits.requests);
            let denial = Denial::new(Rule::Quota, "one more request", granted);
            return Err(denial.raise("requests", limits.requests, limits.requests.saturating_add(1)).into());
        }
        self.requests += 1;
        let given: usize = call.params.iter().map(|(_, v)| v.len()).sum::<usize>()
            + call.body.as_ref().map_or(0, String::len);
        if given as u64 > limits.request_bytes {
            return Err(too_much("a request", "request_bytes", limits.request_bytes, given as u64).into());
        }

        let mut opened = Opened::default();
        let mut values = Vec::with_capacity(route.params.len());
        for (name, spec) in &route.params {
            let mut given = call.params.iter().filter(|(n, _)| n == name);
            let (Some((_, text)), None) = (given.next(), given.next()) else {
                return Err(wrong_params(&route.params, call).into());
            };
            values.push(open_at(
                &self.vault,
                spec,
                text,
                &format_args!("the parameter `{name}`"),
                &mut opened,
            )?);
        }
        if call.params.len() != route.params.len() {
            return Err(wrong_params(&route.params, call).into());
        }

        let unencodable = |place: &str| {
            Denial::new(
                Rule::Unencodable,
                format!("a value that cannot be written into {place} of `{}`", route.id),
                "no control characters; no `/`, `\\` or lone dots in a path; visible ASCII in a header",
            )
        };
        let target = Clear::from(route.target.render(&values).map_err(|_| unencodable("the address"))?);
        let mut headers = Vec::with_capacity(route.headers.len());
        for (name, template) in &route.headers {
            let value = template.render(&values).map_err(|_| unencodable("a header"))?;
            headers.push((name.clone(), Clear::from(value)));
        }
        let body = match (&call.body, route.send.is_empty()) {
            (None, true) => None,
            (Some(body), false) => Some(write_body(&self.vault, &route.send, body, &mut opened)?),
            (Some(_), true) => {
                // No line would do: what the body holds says which lines.
                return Err(Denial::new(
                    Rule::Body,
                    format!("a body on `{}`", route.id),
                    "none: the route has no `send`, which lists each place of a body with its type",
                )
                .into());
            }
            (None, false) => {
                return Err(
                    Denial::new(Rule::Body, format!("`{}` without a body", route.id), "a JSON body").into()
                );
            }
        };

        let prepared = Prepared {
            target,
            headers,
            body,
            disclosed: opened.disclosed,
            time: Duration::from_millis(limits.request_ms),
            answer_bytes: limits.answer_bytes.min(limits.total_in_bytes.saturating_sub(self.bytes_in)),
            route,
        };
        let bytes = prepared.bytes();
        if bytes > limits.request_bytes {
            return Err(too_much("a request", "request_bytes", limits.request_bytes, bytes).into());
        }
        let all = self.bytes_out.saturating_add(bytes);
        if all > limits.total_out_bytes {
            let most = limits.total_out_bytes;
            return Err(too_much("all requests of a call", "total_out_bytes", most, all).into());
        }
        self.bytes_out += bytes;
        for value in &opened.values {
            self.guard.add(value.expose());
        }
        self.guard.settle();
        Ok(prepared)
    }

    /// Bytes that answers of this call may still bring.
    pub fn bytes_left(&self) -> u64 {
        self.plan.limits().total_in_bytes.saturating_sub(self.bytes_in)
    }

    /// Guards a value that the answer must not bring back: the credential that went with the request.
    pub fn guard(&mut self, secret: &Clear) {
        self.guard.add_secret(secret.expose());
    }

    /// Turns an answer into what the guest may have.
    ///
    /// # Errors
    /// [`EgressFailure::Unavailable`] when it is no JSON, [`EgressFailure::TooLarge`] when it is too large or
    /// too deep.
    pub fn project(&mut self, prepared: &Prepared, status: u16, body: &[u8]) -> Result<Reply, EgressFailure> {
        self.bytes_in = self.bytes_in.saturating_add(body.len() as u64);
        if body.len() as u64 > prepared.answer_bytes || self.bytes_in > self.plan.limits().total_in_bytes {
            return Err(EgressFailure::TooLarge);
        }
        let tree = if (200..300).contains(&status) {
            &prepared.route.receive
        } else {
            &prepared.route.receive_error
        };
        let depth = self.plan.limits().json_depth;
        let projector = Projector::new(&mut self.vault, &self.levels, &self.guard, &mut self.seen);
        match projector.project(tree, body, depth) {
            Ok(body) => Ok(Reply { status, body }),
            // An error page is often no JSON; the status says enough.
            Err(EgressFailure::Unavailable(_)) if status >= 400 => {
                Ok(Reply { status, body: "{}".to_owned() })
            }
            Err(failure) => Err(failure),
        }
    }

    /// Opens what the guest returned, for a person.
    ///
    /// # Errors
    /// When a seal stands where its class may not, or is none of this call.
    pub fn show(&self, place: Place, text: &str) -> Result<Shown, Denial> {
        crate::show::show(&self.vault, place, text)
    }

    /// Opens a returned text that must be one seal of this call: for what a plugin must not be able to make up.
    ///
    /// # Errors
    /// When it is clear text, or as [`Invocation::show`].
    pub fn show_sealed(&self, place: Place, text: &str) -> Result<Shown, Denial> {
        let shown = self.show(place, text)?;
        if self.vault.exactly(text).is_some() {
            return Ok(shown);
        }
        Err(Denial::new(
            Rule::ResultPlace,
            format!("words in the returned {place}"),
            format!("one seal of {} from this call", place.classes()),
        ))
    }

    /// Checks a returned text that may hold no seal, such as an identifier, and has at most `most` characters.
    ///
    /// # Errors
    /// When it holds a seal, is too long, or has control characters.
    pub fn plain<'t>(&self, what: &'static str, text: &'t str, most: usize) -> Result<&'t str, Denial> {
        let fault = if Vault::mentions(text) {
            "a seal"
        } else if text.chars().count() > most {
            "a text that is too long"
        } else if text.chars().any(char::is_control) {
            "a control character"
        } else {
            return Ok(text);
        };
        Err(Denial::new(
            Rule::ResultPlace,
            format!("{fault} in the returned {what}"),
            format!("plain text of at most {most} characters"),
        ))
    }

    /// Checks a returned address: a page of a granted destination.
    ///
    /// # Errors
    /// When it is none, or leads elsewhere: the panel shows it as a link that people trust.
    pub fn link<'t>(&self, url: &'t str) -> Result<&'t str, Denial> {
        self.plain("url", url, 300)?;
        if self.plan.may_link(url) {
            return Ok(url);
        }
        // The address is the guest's and could hold a value: it is not repeated, so no line can be given.
        Err(Denial::new(
            Rule::ResultPlace,
            "a link to a place that the grant does not name",
            format!("links to {}", self.plan.spelt().collect::<Vec<_>>().join(", ")),
        ))
    }

    /// Text for operators with every personal value masked.
    pub fn mask(&self, text: &str) -> String {
        mask_words(&self.vault, text)
    }

    /// Whether a text holds anything that looks like a seal.
    pub fn mentions_seal(&self, text: &str) -> bool {
        Vault::mentions(text)
    }

    /// `text.phone-format`.
    ///
    /// # Errors
    /// When it is no number, or a text that mixes seals and words. Says nothing about the value.
    pub fn phone_format(&mut self, value: &str, style: PhoneStyle) -> Result<String, String> {
        let region = self.plan.region();
        self.derive(value, |text| text::phone_format(text, style, region))?
            .ok_or_else(|| "not a telephone number".to_owned())
    }

    /// `text.phone-variants`.
    pub fn phone_variants(&mut self, value: &str) -> Vec<String> {
        let region = self.plan.region();
        match self.vault.exactly(value) {
            Some(Held { class, value: clear }) => {
                let class = *class;
                let forms = text::phone_variants(clear.expose(), region);
                let seals: Result<Vec<_>, _> =
                    forms.into_iter().map(|form| self.seal(class, form.into())).collect();
                seals.unwrap_or_else(|_| vec![value.to_owned()])
            }
            None if Vault::mentions(value) => vec![value.to_owned()],
            None => text::phone_variants(value, region),
        }
    }

    /// `text.given-name`; a text that mixes seals and words comes back as it is.
    pub fn given_name(&mut self, value: &str) -> String {
        self.derive(value, |text| Some(text::given_name(text)))
            .ok()
            .flatten()
            .unwrap_or_else(|| value.to_owned())
    }

    /// `text.family-name`.
    pub fn family_name(&mut self, value: &str) -> String {
        self.derive(value, |text| Some(text::family_name(text)))
            .ok()
            .flatten()
            .unwrap_or_else(|| value.to_owned())
    }

    /// `text.lower`.
    pub fn lower(&mut self, value: &str) -> String {
        self.derive(value, |text| Some(text.to_lowercase()))
            .ok()
            .flatten()
            .unwrap_or_else(|| value.to_owned())
    }

    /// `text.same`: two seals or two clear texts, never a guess against a seal.
    ///
    /// # Errors
    /// A denial as text: a guess against a seal, or too many comparisons.
    pub fn same(&mut self, a: &str, b: &str) -> Result<bool, Denial> {
        let sealed = (self.vault.exactly(a), self.vault.exactly(b));
        let equal = match sealed {
            (Some(a), Some(b)) => a.value == b.value,
            (None, None) if !Vault::mentions(a) && !Vault::mentions(b) => return Ok(a == b),
            _ => {
                return Err(Denial::new(
                    Rule::Compare,
                    "a seal compared with clear text",
                    "two seals, or two clear texts",
                ));
            }
        };
        self.comparisons += 1;
        let most = self.plan.limits().comparisons;
        if self.comparisons > most {
            return Err(Denial::new(
                Rule::Compare,
                "one more comparison of seals",
                format!("{most} in a call"),
            )
            .raise("comparisons", most, self.comparisons));
        }
        Ok(equal)
    }

    /// Applies a function to a seal's value or to clear text, and answers in kind.
    fn derive(
        &mut self,
        value: &str,
        with: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<String>, String> {
        match self.vault.exactly(value) {
            Some(Held { class, value: clear }) => {
                let class = *class;
                match with(clear.expose()) {
                    Some(derived) => self.seal(class, derived.into()).map(Some).map_err(|d| d.to_string()),
                    None => Ok(None),
                }
            }
            None if Vault::mentions(value) => Err("one seal or clear text, not both".to_owned()),
            None => Ok(with(value)),
        }
    }

    /// What was seen and used so far.
    pub fn report(&self) -> Report {
        Report {
            seen: self.seen.counts.clone(),
            requests: self.requests,
            bytes_out: self.bytes_out,
            bytes_in: self.bytes_in,
            withheld: self.seen.withheld,
            misfits: self.seen.misfits,
            suspicious_ids: self.seen.suspicious_ids,
        }
    }
}

fn too_much(what: &str, limit: &str, most: u64, needed: u64) -> Denial {
    Denial::new(Rule::Quota, format!("{what} of more bytes"), format!("{most} bytes"))
        .raise(limit, most, needed)
}

fn wrong_params(declared: &[(String, crate::spec::FieldSpec)], call: &EgressCall) -> Denial {
    let names = |list: Vec<&str>| if list.is_empty() { "no parameters".to_owned() } else { list.join(", ") };
    let asked = format!("{} parameters on a route that has others", call.params.len());
    Denial::new(Rule::Params, asked, names(declared.iter().map(|(name, _)| name.as_str()).collect()))
}

#[cfg(test)]
mod tests;
