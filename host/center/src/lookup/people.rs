//! Who is who among the company's own people: the CRM knows the owner of a contact by name, the exchange knows agents
//! by extension or by names of its own.

use std::collections::HashMap;
use std::fmt;

/// One of the company's own people, as the tenant's configuration tells.
#[derive(Clone, PartialEq, Eq)]
pub struct Agent {
    /// Where the exchange reaches the person.
    pub extension: String,
    /// Every name by which a CRM or the exchange knows the person: full names, logins, e-mail addresses.
    pub names: Vec<String>,
}

impl Agent {
    /// Whether a text can be an extension: it goes into a dialplan, where other characters would mean something.
    pub fn is_extension(text: &str) -> bool {
        (1..=16).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
    }

    /// A name as it is compared: without regard to case and spaces, since CRMs and exchanges are filled by hand.
    pub fn folded(name: &str) -> String {
        name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
    }
}

/// One of the CRM's users.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct CrmPerson {
    /// The CRM's identifier.
    pub id: String,
    /// The name, as contacts name their owner.
    pub name: String,
    /// The e-mail address.
    pub email: Option<String>,
    /// The extension that the CRM has for the person.
    pub extension: Option<String>,
}

// Names and addresses of people.
impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Agent(<personal>)")
    }
}
impl fmt::Debug for CrmPerson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CrmPerson(<personal>)")
    }
}

/// A tenant's people, to be found by any of their names.
#[derive(Clone, Default)]
pub(crate) struct Agents(HashMap<String, String>);

impl Agents {
    pub(crate) fn new(agents: &[Agent]) -> Self {
        let named = |agent: &Agent| {
            let names = agent.names.iter().chain([&agent.extension]);
            names.map(|name| (Agent::folded(name), agent.extension.clone())).collect::<Vec<_>>()
        };
        Self(agents.iter().flat_map(named).collect())
    }

    fn extension(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// Everything by which the owner of a contact may be known.
pub(crate) struct Aliases {
    names: Vec<String>,
    /// What the CRM has.
    extension: Option<String>,
}

impl Aliases {
    /// By the name that the contact names, and what the CRM's users tell of the one with this name. Of two with one
    /// name neither is believed.
    pub(crate) fn of(owner: &str, people: &[CrmPerson]) -> Self {
        let name = Agent::folded(owner);
        let mut same = people.iter().filter(|person| Agent::folded(&person.name) == name);
        let person = same.next().filter(|_| same.next().is_none());
        let more = person.into_iter().flat_map(|person| [Some(&person.id), person.email.as_ref()]).flatten();
        let names = more.map(|more| Agent::folded(more)).filter(|name| !name.is_empty());
        let names = std::iter::once(name.clone()).chain(names).collect();
        let extension = person.and_then(|person| person.extension.as_deref()).map(str::trim);
        let extension = extension.filter(|text| Agent::is_extension(text)).map(str::to_owned);
        Self { names, extension }
    }

    /// Where the exchange reaches the person: what the configuration says, or else the CRM.
    pub(crate) fn extension(&self, agents: &Agents) -> Option<String> {
        let told = self.names.iter().find_map(|name| agents.extension(name));
        told.map(str::to_owned).or_else(|| self.extension.clone())
    }

    /// Whether this is who the exchange calls so.
    pub(crate) fn is(&self, agent: &str, agents: &Agents) -> bool {
        let agent = Agent::folded(agent);
        let known = agents.extension(&agent);
        self.names.contains(&agent)
            || self.extension.as_deref().is_some_and(|extension| extension == agent)
            || known.is_some_and(|known| self.extension(agents).as_deref() == Some(known))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// Invented.
    fn agents() -> Agents {
        let agent = |extension: &str, names: &[&str]| Agent {
            extension: extension.to_owned(),
            names: names.iter().map(|&name| name.to_owned()).collect(),
        };
        Agents::new(&[agent("2001", &["Bruno Lima", "bruno@acme.example"]), agent("2002", &["vera"])])
    }
    fn person(name: &str, email: Option<&str>, extension: Option<&str>) -> CrmPerson {
        CrmPerson {
            id: "u-1".to_owned(),
            name: name.to_owned(),
            email: email.map(str::to_owned),
            extension: extension.map(str::to_owned),
        }
    }

    #[rstest]
    #[case::by_name("Bruno Lima", &[], Some("2001"))]
    #[case::as_typed_by_hand("  bruno   LIMA ", &[], Some("2001"))]
    #[case::by_the_address_in_the_crm("Bruno de Lima", &[person("Bruno de Lima", Some("Bruno@acme.example"), None)], Some("2001"))]
    #[case::what_the_configuration_says_goes_first("Bruno Lima", &[person("Bruno Lima", None, Some("9999"))], Some("2001"))]
    #[case::what_the_crm_says("Rui Prado", &[person("Rui Prado", None, Some(" 2003 "))], Some("2003"))]
    #[case::two_of_one_name("Rui Prado", &[person("Rui Prado", None, Some("2003")), person("rui prado", None, Some("2004"))], None)]
    #[case::no_dialplan_of_its_own("Rui Prado", &[person("Rui Prado", None, Some("2003,n,System(x)"))], None)]
    #[case::unknown("Rui Prado", &[], None)]
    #[case::nobody("", &[], None)]
    fn an_owner_has_an_extension(
        #[case] owner: &str,
        #[case] people: &[CrmPerson],
        #[case] extension: Option<&str>,
    ) {
        assert_eq!(Aliases::of(owner, people).extension(&agents()).as_deref(), extension);
    }

    #[rstest]
    #[case::by_name("Bruno Lima", "bruno lima", true)]
    #[case::by_extension("Bruno Lima", "2001", true)]
    #[case::by_another_name("bruno@acme.example", "Bruno Lima", true)]
    #[case::another_person("Bruno Lima", "vera", false)]
    #[case::both_unknown_and_alike("Rui Prado", "RUI PRADO", true)]
    #[case::both_unknown("Rui Prado", "Ana", false)]
    fn the_agent_on_the_call_is_the_owner(#[case] owner: &str, #[case] agent: &str, #[case] same: bool) {
        assert_eq!(Aliases::of(owner, &[]).is(agent, &agents()), same);
    }
}
