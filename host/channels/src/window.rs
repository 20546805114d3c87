//! For how long a company may write freely: WhatsApp lets it answer for a day from the customer's last message, and
//! only send approved templates after that (<https://developers.facebook.com/docs/whatsapp/cloud-api/guides/send-messages>).

use std::time::Duration;

use jiff::Timestamp;

/// Whether a customer may be written to freely.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// Yes.
    Open {
        /// Until when, unless they write again.
        until: Timestamp,
    },
    /// No.
    Closed {
        /// Since when; `None` when they never wrote.
        since: Option<Timestamp>,
    },
}

/// The window that a customer's last message opened.
pub fn window(last_inbound: Option<Timestamp>, length: Duration, now: Timestamp) -> Window {
    let Some(last) = last_inbound else { return Window::Closed { since: None } };
    // A length that leads out of all time never ends.
    let until = last.checked_add(length).unwrap_or(Timestamp::MAX);
    if now < until { Window::Open { until } } else { Window::Closed { since: Some(until) } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const DAY: Duration = Duration::from_hours(24);

    #[rstest]
    #[case::just_written(Some(0), 1, Some(true))]
    #[case::in_the_last_second(Some(0), 86_399, Some(true))]
    #[case::a_day_later(Some(0), 86_400, Some(false))]
    #[case::long_ago(Some(0), 900_000, Some(false))]
    #[case::by_a_clock_that_is_ahead(Some(100), 0, Some(true))]
    #[case::never(None, 0, None)]
    fn it_is_open_for_a_day(#[case] last: Option<i64>, #[case] now: i64, #[case] open: Option<bool>) {
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let expected = match (last, open) {
            (Some(last), Some(true)) => Window::Open { until: at(last + 86_400) },
            (Some(last), _) => Window::Closed { since: Some(at(last + 86_400)) },
            (None, _) => Window::Closed { since: None },
        };
        assert_eq!(window(last.map(at), DAY, at(now)), expected);
    }
}
