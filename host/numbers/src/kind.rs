//! What sort of line a number leads to, as its plan says.

/// What sort of line a number leads to.
///
/// The plan tells it, and not the network: a number that was carried to another operator or technology keeps
/// its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NumberKind {
    /// A land line with an area.
    Fixed,
    /// A mobile, also in its old form without the ninth digit.
    Mobile,
    /// Either; some plans do not tell them apart (North America).
    FixedOrMobile,
    /// The called side pays: 0800 in Brazil.
    TollFree,
    /// Both pay, or one price for a whole country: 0300, 4004 and 3003 in Brazil.
    SharedCost,
    /// The caller pays for a service: 0900 in Brazil.
    PremiumRate,
    /// A company that sells by telephone: 0303 in Brazil.
    Telemarketing,
    /// A company that collects debts: 0304 in Brazil.
    DebtCollection,
    /// A call that gives money to a charity: 0500 in Brazil.
    Donation,
    /// A line of internet telephony where the plan marks it.
    Voip,
    /// Something else that the plan has: pagers, personal numbers, mailboxes.
    Other,
    /// The number has a possible length, and no plan that is known here lists it.
    Unlisted,
}
