//! One credential as it is sealed, and what follows from it at a given moment. Everything is in here, the state
//! too: a database that could be read or changed by others says nothing about an account and decides nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use ramal_capability::{Clear, Flow, OAuthPlan};
use ramal_egress::Secret;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::state::{CredentialState, Expiring, Reason};

/// A token that ends within this time is as good as ended: the request has to arrive, and clocks differ.
const LEEWAY: Duration = Duration::from_secs(10);
/// What is on its way for longer than this has lost its process.
const ON_ITS_WAY: Duration = Duration::from_secs(60);

/// A secret text that can be written into a record, and nowhere else.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Hidden(pub(crate) Clear);

impl Serialize for Hidden {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose())
    }
}
impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Clear::from(text)))
    }
}

/// Everything about one credential.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// What the admin entered.
    pub(crate) fields: BTreeMap<String, Hidden>,
    /// When that ends, as the admin said.
    pub(crate) fields_until: Option<Timestamp>,
    /// What the token endpoint gave.
    pub(crate) tokens: Option<Tokens>,
    /// Since when a refresh token is on its way. Left standing by a process that died on the way.
    pub(crate) attempt: Option<Timestamp>,
    /// Since when an answer to one is lost: the server may have spent the token.
    pub(crate) lost: Option<Timestamp>,
    /// Renewals that failed in a row.
    pub(crate) failing: Option<Failing>,
    /// Why a person has to act.
    pub(crate) ended: Option<Ended>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tokens {
    pub(crate) access: Hidden,
    pub(crate) access_until: Option<Timestamp>,
    pub(crate) refresh: Option<Hidden>,
    pub(crate) refresh_until: Option<Timestamp>,
    pub(crate) obtained_at: Timestamp,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failing {
    pub(crate) since: Timestamp,
    pub(crate) count: u32,
    pub(crate) retry_at: Timestamp,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ended {
    pub(crate) reason: Reason,
    pub(crate) since: Timestamp,
}

/// What to do before a secret is handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// Hand it out.
    No,
    /// Hand it out, and renew meanwhile.
    Soon,
    /// Renew first.
    Now,
    /// Nothing helps but a person.
    Never(Reason),
}

impl Record {
    /// The text to be sealed.
    pub(crate) fn to_bytes(&self) -> Option<Zeroizing<Vec<u8>>> {
        // Large enough that it never grows: a buffer that moves leaves its old place behind in the clear.
        let tokens = self.tokens.iter().map(|t| {
            t.access.0.expose().len() + t.refresh.as_ref().map_or(0, |refresh| refresh.0.expose().len())
        });
        let fields = self.fields.iter().map(|(name, value)| name.len() + value.0.expose().len() + 16);
        let most: usize = tokens.chain(fields).sum();
        // Each character takes at most six in JSON.
        let mut text = Zeroizing::new(Vec::with_capacity(most * 6 + 1024));
        serde_json::to_writer(&mut *text, self).ok().map(|()| text)
    }

    pub(crate) fn from_bytes(text: &[u8]) -> Option<Self> {
        serde_json::from_slice(text).ok()
    }

    /// Forgets what went wrong before.
    pub(crate) fn settle(&mut self) {
        (self.attempt, self.lost, self.failing, self.ended) = (None, None, None, None);
    }

    /// What the way out gets.
    pub(crate) fn secret(&self, plan: Option<&OAuthPlan>) -> Secret {
        match (plan, &self.tokens) {
            (Some(_), Some(tokens)) => Secret::new([("token", tokens.access.0.clone())]),
            (Some(_), None) => Secret::default(),
            (None, _) => Secret::new(self.fields.iter().map(|(name, value)| (name.clone(), value.0.clone()))),
        }
    }

    /// What has to be done at this moment. `ahead` is how long before its end a token is renewed, `stale` an access
    /// token that the CRM refused.
    pub(crate) fn due(
        &self,
        plan: Option<&OAuthPlan>,
        stale: Option<&Clear>,
        ahead: Duration,
        now: Timestamp,
    ) -> Due {
        let Some(plan) = plan else { return Due::No };
        if let Some(ended) = self.ended {
            return Due::Never(ended.reason);
        }
        let person = matches!(plan.flow, Flow::AuthorizationCode { .. });
        let Some(tokens) = &self.tokens else {
            return if person { Due::Never(Reason::NeverConnected) } else { Due::Now };
        };
        let refused = stale == Some(&tokens.access.0);
        let left = tokens.access_until.map(|until| left(until, now));
        let due = match left {
            _ if refused => Due::Now,
            Some(left) if left <= LEEWAY => Due::Now,
            Some(left) if left <= ahead => Due::Soon,
            _ => return Due::No,
        };
        match (due, person, &tokens.refresh, tokens.refresh_until) {
            (_, false, ..) => due,
            (Due::Soon, true, None, _) => Due::No,
            (_, true, None, _) => Due::Never(Reason::NoRefreshToken),
            (_, true, Some(_), Some(until)) if until <= now => match due {
                // The token is good to its end, and nothing would be won by asking.
                Due::Soon => Due::No,
                _ => Due::Never(Reason::RefreshExpired),
            },
            _ => due,
        }
    }

    /// How it stands.
    pub(crate) fn state(&self, plan: Option<&OAuthPlan>, warn: Duration, now: Timestamp) -> CredentialState {
        let soon = |at: Timestamp| left(at, now) <= warn;
        if let Some(at) = self.fields_until.filter(|at| soon(*at)) {
            return CredentialState::ExpiresSoon { what: Expiring::Secret, at };
        }
        let Some(plan) = plan else {
            return match self.fields.is_empty() {
                true => CredentialState::Missing,
                false => CredentialState::Valid { until: self.fields_until },
            };
        };
        let since = self.ended.map(|ended| ended.since);
        if let Due::Never(reason) = self.due(Some(plan), None, Duration::ZERO, now) {
            let ends = self.tokens.as_ref().and_then(|t| t.refresh_until.or(t.access_until));
            return CredentialState::NeedsReconnect { reason, since: since.or(ends).unwrap_or(now) };
        }
        let died = self.attempt.is_some_and(|at| left(now, at) > ON_ITS_WAY);
        let refreshing = CredentialState::Refreshing {
            failing_since: self.failing.map(|failing| failing.since),
            failures: self.failing.map_or(0, |failing| failing.count),
            in_doubt: self.lost.is_some() || died,
        };
        if self.failing.is_some() || self.attempt.is_some() || self.lost.is_some() {
            return refreshing;
        }
        let Some(tokens) = &self.tokens else { return refreshing };
        let person = matches!(plan.flow, Flow::AuthorizationCode { .. });
        match (&tokens.refresh, tokens.refresh_until, tokens.access_until) {
            (Some(_), Some(at), _) if person && soon(at) => {
                CredentialState::ExpiresSoon { what: Expiring::RefreshToken, at }
            }
            (None, _, Some(at)) if person && soon(at) => {
                CredentialState::ExpiresSoon { what: Expiring::AccessToken, at }
            }
            _ => CredentialState::Valid { until: tokens.access_until },
        }
    }
}

/// The time that is left; none when it has passed.
pub(crate) fn left(until: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(until.duration_since(now)).unwrap_or_default()
}

/// Later by so much, or the last of all dates.
pub(crate) fn after(now: Timestamp, time: Duration) -> Timestamp {
    now.checked_add(time).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
