//! Which contact an interaction belongs to, when a CRM has said who has the number: at once for the screen pop, and
//! again for the journal where that answer was missing.

use std::sync::Arc;

use jiff::Timestamp;
use ramal_numbers::PhoneNumber;
use ramal_store::{
    Actor, Cause, CrmLink, Interaction, InteractionEvent, InteractionId, InteractionWrite, NewEvent,
    PluginId, Recorded, StoreError, TenantId,
};

use super::{Ambiguity, by_history};
use crate::call::call_event;
use crate::center::{ATTEMPTS, Inner};
use crate::journal::CONTACT;
use crate::number::customers_number;
use crate::{Center, CenterError, view};

/// A contact that has the number.
#[derive(Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The CRM's identifier.
    pub id: String,
    /// Where a person opens it.
    pub url: Option<String>,
}

/// What links an interaction with the contact that it belongs to, if one is chosen: the only one, or the one that the
/// tenant's policy chooses at once.
///
/// # Errors
/// When the history cannot be read.
pub(crate) async fn linked(
    inner: &Inner,
    of: &Interaction,
    plugin: &PluginId,
    among: &[Candidate],
    now: Timestamp,
) -> Result<Option<NewEvent>, StoreError> {
    // A link that stands was made by a person, or by an answer before.
    if has_contact(of, plugin) {
        return Ok(None);
    }
    let (chosen, rule) = match among {
        [] => return Ok(None),
        [only] => (Some(only), "only-match"),
        _ if inner.look_up_rules(&of.tenant).ambiguous == Ambiguity::Latest => {
            let ids: Vec<&str> = among.iter().map(|one| one.id.as_str()).collect();
            let id = by_history(inner, of, plugin, &ids).await?;
            (among.iter().find(|one| id.as_ref() == Some(&one.id)), "latest-match")
        }
        _ => return Ok(None),
    };
    Ok(chosen.map(|chosen| NewEvent {
        at: now,
        actor: Actor::Plugin(plugin.clone()),
        cause: Cause::Rule(rule.to_owned()),
        event: InteractionEvent::CrmLinked(CrmLink {
            plugin: plugin.clone(),
            kind: CONTACT.to_owned(),
            id: chosen.id.clone(),
            url: chosen.url.clone().filter(|url| view::is_web(url)),
        }),
    }))
}

fn has_contact(of: &Interaction, plugin: &PluginId) -> bool {
    of.links.iter().any(|link| link.plugin == *plugin && link.kind == CONTACT)
}

impl Center {
    /// The number by which a CRM could say whose an interaction is; `None` where that is known already, or has no
    /// number, or the interaction is gone.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn unmatched(
        &self,
        tenant: &TenantId,
        interaction: InteractionId,
        plugin: &PluginId,
    ) -> Result<Option<PhoneNumber>, StoreError> {
        let found = self.0.interactions.interaction(tenant, interaction).await?;
        let of = found.map(|snapshot| snapshot.interaction).filter(|of| !has_contact(of, plugin));
        Ok(of.and_then(|of| customers_number(&of.contacts)))
    }

    /// Takes the answer to who has the number of an interaction that is over. What was withheld from the CRM for want of
    /// a contact is told with the link.
    ///
    /// # Errors
    /// When the store fails, or the interaction changes faster than it can be read.
    pub async fn matched(
        &self,
        tenant: &TenantId,
        interaction: InteractionId,
        plugin: &PluginId,
        among: &[Candidate],
    ) -> Result<(), CenterError> {
        self.0.take_match(tenant, interaction, plugin, among).await
    }
}

impl Inner {
    async fn take_match(
        self: &Arc<Self>,
        tenant: &TenantId,
        interaction: InteractionId,
        plugin: &PluginId,
        among: &[Candidate],
    ) -> Result<(), CenterError> {
        for _ in 0..ATTEMPTS {
            let found = self.interactions.interaction(tenant, interaction).await?;
            let Some(before) = found.map(|snapshot| snapshot.interaction) else { return Ok(()) };
            let now = self.clock.now();
            let Some(event) = linked(self, &before, plugin, among, now).await? else { return Ok(()) };
            let mut write = InteractionWrite::change(&before, Vec::new(), vec![event], now)
                .map_err(|_| CenterError::Broken)?;
            self.with_deliveries(&mut write).await?;
            if !before.channel.is_voice() {
                if self.store_conversation(write, "match").await?.is_some() {
                    return Ok(());
                }
                continue;
            }
            write.live.push(call_event(write.after())?);
            if let Recorded::Stored(live) = self.interactions.append(write).await? {
                self.told(tenant, live);
                return Ok(());
            }
        }
        Err(CenterError::Contended)
    }
}
