//! Why a call is over, from what Asterisk says, which is loose: the same BYE is 16 in one run and no cause in the
//! next. So the mapping asks first what happened (was it answered, who gave up, how did dialling end) and the number
//! last; the raw words go along.

use ramal_center::{EndCause, InteractionDirection};

/// The flag of a hangup that somebody asked for by ARI, AMI or the console (`AST_SOFTHANGUP_EXPLICIT`).
pub(crate) const ASKED_FOR: i64 = 32;

/// What is known of a call's end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ending {
    /// The caller hung up first.
    pub(crate) gave_up: bool,
    /// Somebody here asked for it.
    pub(crate) dismissed: bool,
    /// How dialling ended last, in Asterisk's word.
    pub(crate) dialled: Option<Dialled>,
    /// The cause of the last channel (Q.850), the customer's before any other's.
    pub(crate) cause: i64,
    /// It is the customer's.
    pub(crate) by_customer: bool,
    /// The customer was with a voicemail.
    pub(crate) voicemail: bool,
}

/// How dialling somebody ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialled {
    Busy,
    NoAnswer,
    Refused,
    Failed,
}

impl Dialled {
    /// Of Asterisk's `dialstatus`. `None` while it goes on, when it was answered, or given up by who dialled.
    pub(crate) fn of(status: &str) -> Option<Self> {
        match status {
            "BUSY" => Some(Self::Busy),
            "NOANSWER" => Some(Self::NoAnswer),
            "DONTCALL" | "TORTURE" => Some(Self::Refused),
            "CHANUNAVAIL" | "CONGESTION" | "INVALIDARGS" => Some(Self::Failed),
            _ => None,
        }
    }
}

/// The cause in the center's words. `in_use` is whether it was answered.
pub(crate) fn end_cause(answered: bool, direction: InteractionDirection, ending: &Ending) -> EndCause {
    let inbound = direction == InteractionDirection::Inbound;
    if answered {
        return if broke(ending.cause) { EndCause::Failed } else { EndCause::Completed };
    }
    if ending.voicemail {
        return EndCause::Voicemail;
    }
    if ending.dismissed {
        return if inbound { EndCause::Rejected } else { EndCause::Abandoned };
    }
    let refused = match (ending.cause, ending.dialled) {
        (17, _) | (_, Some(Dialled::Busy)) => Some(EndCause::Busy),
        (21, _) | (_, Some(Dialled::Refused)) => Some(EndCause::Rejected),
        (cause, _) if broke(cause) => Some(EndCause::Failed),
        (_, Some(Dialled::Failed)) => Some(EndCause::Failed),
        _ => None,
    };
    match refused {
        // Whoever hangs up while it rings has given up, whatever the exchange tried before.
        _ if ending.gave_up => EndCause::Abandoned,
        Some(cause) => cause,
        None if inbound => EndCause::Missed,
        None => EndCause::NoAnswer,
    }
}

/// Causes by which the network or a device fails (Q.850: no route, out of order, congestion, not available, not
/// compatible, protocol).
fn broke(cause: i64) -> bool {
    matches!(cause, 1..=3 | 6 | 20 | 22 | 25 | 27 | 28 | 34 | 38 | 41..=66 | 69 | 79 | 81..=111)
}

#[cfg(test)]
mod tests {
    use super::*;
    use InteractionDirection::{Inbound, Outbound};
    use rstest::rstest;

    fn ending(cause: i64, dialled: Option<Dialled>) -> Ending {
        Ending { cause, dialled, ..Ending::default() }
    }

    #[rstest]
    #[case::talked(true, Inbound, ending(16, None), EndCause::Completed)]
    #[case::talked_no_cause(true, Inbound, ending(0, None), EndCause::Completed)]
    #[case::talked_asked_for(true, Inbound, ending(32, None), EndCause::Completed)]
    #[case::cut(true, Inbound, ending(38, None), EndCause::Failed)]
    #[case::gave_up(false, Inbound, Ending { gave_up: true, ..ending(16, None) }, EndCause::Abandoned)]
    #[case::gave_up_after_busy(false, Inbound, Ending { gave_up: true, ..ending(17, Some(Dialled::Busy)) }, EndCause::Abandoned)]
    #[case::nobody(false, Inbound, ending(16, Some(Dialled::NoAnswer)), EndCause::Missed)]
    #[case::nobody_tried(false, Inbound, ending(16, None), EndCause::Missed)]
    #[case::busy(false, Inbound, ending(17, None), EndCause::Busy)]
    #[case::busy_by_dial(false, Inbound, ending(16, Some(Dialled::Busy)), EndCause::Busy)]
    #[case::refused(false, Inbound, ending(21, None), EndCause::Rejected)]
    #[case::dismissed(false, Inbound, Ending { dismissed: true, ..ending(16, None) }, EndCause::Rejected)]
    #[case::no_route(false, Outbound, ending(3, None), EndCause::Failed)]
    #[case::congestion(false, Outbound, ending(0, Some(Dialled::Failed)), EndCause::Failed)]
    #[case::not_taken(false, Outbound, ending(19, Some(Dialled::NoAnswer)), EndCause::NoAnswer)]
    #[case::we_gave_up(false, Outbound, Ending { dismissed: true, ..ending(16, None) }, EndCause::Abandoned)]
    #[case::voicemail(false, Inbound, Ending { voicemail: true, gave_up: true, ..ending(16, None) }, EndCause::Voicemail)]
    fn an_end_is_told_in_the_centers_words(
        #[case] answered: bool,
        #[case] direction: InteractionDirection,
        #[case] ending: Ending,
        #[case] cause: EndCause,
    ) {
        assert_eq!(end_cause(answered, direction, &ending), cause);
    }
}
