//! How the channels that we connect to stand: adapters report it here, inventory and alerts read it.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::Mutex;
use ramal_center::SourceId;

/// How a connection to an exchange or modem stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Link {
    /// It is up.
    Connected,
    /// It is down and tried again.
    Reconnecting,
    /// Another controller took the place; it is not fought.
    Replaced,
    /// Nobody tries any more.
    Off,
}

impl Link {
    /// A fixed word for pages and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Reconnecting => "reconnecting",
            Self::Replaced => "replaced",
            Self::Off => "off",
        }
    }
}

/// A link and since when it is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// How it stands.
    pub link: Link,
    /// Since when.
    pub since: Timestamp,
}

/// Where adapters report. Cloning is cheap and shares the reports.
#[derive(Debug, Clone, Default)]
pub struct ChannelBoard(Arc<Mutex<HashMap<SourceId, Standing>>>);

impl ChannelBoard {
    /// Says how a channel's link stands from now on. Saying the same again changes nothing, not the time either.
    pub fn report(&self, channel: &SourceId, link: Link, now: Timestamp) {
        let mut all = self.0.lock();
        if all.get(channel).is_none_or(|known| known.link != link) {
            all.insert(channel.clone(), Standing { link, since: now });
        }
    }

    /// How a channel's link stands; `None` for one that nobody reported of.
    pub fn standing(&self, channel: &SourceId) -> Option<Standing> {
        self.0.lock().get(channel).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_that_of_the_change() {
        let board = ChannelBoard::default();
        let (pbx, at) = (SourceId::new("pbx").unwrap(), |s| Timestamp::from_second(s).unwrap());
        assert_eq!(board.standing(&pbx), None);
        board.report(&pbx, Link::Connected, at(1));
        board.clone().report(&pbx, Link::Connected, at(5));
        assert_eq!(board.standing(&pbx), Some(Standing { link: Link::Connected, since: at(1) }));
        board.report(&pbx, Link::Replaced, at(9));
        assert_eq!(board.standing(&pbx), Some(Standing { link: Link::Replaced, since: at(9) }));
    }
}
