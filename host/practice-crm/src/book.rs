//! The records in memory, and reading them. Changing them is in [`crate::write`], searching in
//! [`crate::search`].

use std::collections::{BTreeMap, HashMap};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::id::{ActivityId, ContactId, DealId, NoteId, UserId};
use crate::records::{Account, Activity, Contact, Deal, DealState, Note, User};
use crate::refusal::Refusal;
use crate::seed::Seed;

/// All records. Maps are ordered by identifier, which is the order of every list.
pub(crate) struct Book {
    pub(crate) account: Account,
    pub(crate) users: BTreeMap<UserId, User>,
    pub(crate) contacts: BTreeMap<ContactId, Contact>,
    pub(crate) notes: BTreeMap<NoteId, Note>,
    pub(crate) deals: BTreeMap<DealId, Deal>,
    pub(crate) activities: BTreeMap<ActivityId, Activity>,
    pub(crate) by_external_id: HashMap<String, ActivityId>,
    /// The last identifiers given out: one is never used again, even after a deletion.
    pub(crate) last_contact: Option<ContactId>,
    pub(crate) last_activity: Option<ActivityId>,
    last_ms: u64,
}

impl From<Seed> for Book {
    fn from(seed: Seed) -> Self {
        let contacts: BTreeMap<_, _> =
            seed.contacts.into_iter().map(|contact| (contact.id, contact)).collect();
        let activities: BTreeMap<_, _> =
            seed.activities.into_iter().map(|activity| (activity.id, activity)).collect();
        Self {
            account: seed.account,
            users: seed.users.into_iter().map(|user| (user.id, user)).collect(),
            notes: seed.notes.into_iter().map(|note| (note.id, note)).collect(),
            deals: seed.deals.into_iter().map(|deal| (deal.id, deal)).collect(),
            by_external_id: HashMap::new(),
            last_contact: contacts.keys().next_back().copied(),
            last_activity: activities.keys().next_back().copied(),
            contacts,
            activities,
            last_ms: 0,
        }
    }
}

impl Book {
    pub(crate) fn contact(&self, id: ContactId) -> Result<&Contact, Refusal> {
        self.contacts.get(&id).ok_or(Refusal::NotFound("contact"))
    }

    pub(crate) fn notes_of(&self, id: ContactId) -> impl Iterator<Item = &Note> {
        self.notes.values().filter(move |note| note.contact_id == id)
    }

    pub(crate) fn deals_of(&self, id: ContactId, state: Option<DealState>) -> impl Iterator<Item = &Deal> {
        let has_state = move |deal: &&Deal| state.is_none_or(|state| deal.state == state);
        self.deals.values().filter(move |deal| deal.contact_id == Some(id)).filter(has_state)
    }

    pub(crate) fn activities_of(&self, id: ContactId) -> impl Iterator<Item = &Activity> {
        self.activities.values().filter(move |activity| activity.contact_id == Some(id))
    }

    /// Milliseconds since the Unix epoch, later with every call, so that a change always shows.
    pub(crate) fn now_ms(&mut self) -> u64 {
        let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        self.last_ms = u64::try_from(clock).unwrap_or(u64::MAX).max(self.last_ms.saturating_add(1));
        self.last_ms
    }
}
