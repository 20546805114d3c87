//! Who is at the end of a channel: a customer on a trunk, one of the company's own, or Asterisk itself.

use std::collections::{BTreeMap, HashMap};

use ramal_center::{Channel, Clear};
use ramal_numbers::{Home, PartyNumber, PhoneNumber};

use super::message;

/// Channels that Asterisk makes for its own work. They are nobody's.
const TOOLS: &[&str] = &[
    "Announcer/",
    "AsyncGoto/",
    "CBAnn/",
    "CBRec/",
    "Message/",
    "Recorder/",
    "Snoop/",
    "Surrogate/",
    "UnicastRTP/",
];

/// The exchange's trunks and telephones, as the configuration names them.
#[derive(Clone)]
pub struct LinePlan {
    trunks: Vec<(String, Channel)>,
    agents: BTreeMap<String, String>,
    names: HashMap<String, String>,
    home: Home,
}

// Who sits where is personal.
impl std::fmt::Debug for LinePlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LinePlan").field("trunks", &self.trunks).finish_non_exhaustive()
    }
}

/// Who is at the end of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Role {
    /// Somebody beyond a trunk.
    Customer(Channel),
    /// One of the company's own, by name.
    Agent(Clear),
    /// Half of a Local channel: it stands for whoever is behind its other half.
    Local {
        /// What both halves are called.
        pair: String,
        /// Which one.
        half: message::Half,
        /// Who it is for, when the configuration says.
        agent: Option<Clear>,
    },
    /// Nobody.
    Tool,
}

impl LinePlan {
    /// `trunks` is by the beginning of an endpoint, such as `PJSIP/trunk`, the longest that fits; `agents` is by the
    /// whole endpoint.
    pub fn new(trunks: BTreeMap<String, Channel>, agents: BTreeMap<String, String>, home: Home) -> Self {
        let mut trunks: Vec<_> = trunks.into_iter().collect();
        trunks.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        let mut names = HashMap::new();
        for (endpoint, agent) in &agents {
            names.insert(resource(endpoint).to_owned(), endpoint.clone());
            names.insert(agent.clone(), endpoint.clone());
        }
        Self { trunks, agents, names, home }
    }

    pub(crate) fn role(&self, channel: &message::Channel) -> Role {
        let endpoint = channel.endpoint();
        let listed = self.agents.get(endpoint).map(|name| Clear::from(name.as_str()));
        if let Some((pair, half)) = channel.local() {
            return Role::Local { pair: pair.to_owned(), half, agent: listed };
        }
        if TOOLS.iter().any(|tool| channel.name.starts_with(tool)) {
            return Role::Tool;
        }
        match (listed, self.trunk(endpoint)) {
            (Some(agent), _) => Role::Agent(agent),
            (None, Some(tag)) => Role::Customer(tag),
            (None, None) => Role::Agent(Clear::from(resource(endpoint))),
        }
    }

    /// Which kind of line an endpoint is, if it is a trunk.
    pub(crate) fn trunk(&self, endpoint: &str) -> Option<Channel> {
        let found = self.trunks.iter().find(|(prefix, _)| endpoint.starts_with(prefix.as_str()));
        found.map(|(_, tag)| *tag)
    }

    /// The agent whom the dialplan reaches by this extension; the extension itself when nobody is named by it.
    pub(crate) fn agent(&self, extension: &str) -> Clear {
        let endpoint = self.names.get(extension);
        let name = endpoint.and_then(|endpoint| self.agents.get(endpoint));
        Clear::from(name.map_or(extension, String::as_str))
    }

    /// The endpoint of an agent, by name, extension or endpoint. Only what the configuration lists: whoever could name
    /// any endpoint could dial anywhere.
    pub(crate) fn endpoint(&self, agent: &str) -> Option<&str> {
        let listed = self.agents.get_key_value(agent).map(|(endpoint, _)| endpoint);
        listed.or_else(|| self.names.get(agent)).map(String::as_str)
    }

    /// A telephone number; `None` when it is an extension, a short code or withheld.
    pub(crate) fn number(&self, text: &str) -> Option<PhoneNumber> {
        PartyNumber::read(text, &self.home).ok().and_then(|party| party.telephone())
    }
}

/// `agent1` of `PJSIP/agent1`, `7001` of `Local/7001@agents`.
fn resource(endpoint: &str) -> &str {
    let rest = endpoint.split_once('/').map_or(endpoint, |(_, rest)| rest);
    rest.split('@').next().unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ramal_numbers::Region;
    use rstest::rstest;

    fn plan() -> LinePlan {
        let trunks = [("PJSIP/trunk", Channel::Fixed), ("PJSIP/trunk-gsm", Channel::Mobile)];
        let agents = [("PJSIP/agent1", "bruna"), ("Local/7002@agents", "caio")];
        LinePlan::new(
            trunks.map(|(k, v)| (k.to_owned(), v)).into(),
            agents.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
            Home::new(Region::BR),
        )
    }

    #[rstest]
    #[case::trunk("PJSIP/trunk-0000001f", Role::Customer(Channel::Fixed))]
    #[case::longest("PJSIP/trunk-gsm-0000001f", Role::Customer(Channel::Mobile))]
    #[case::agent("PJSIP/agent1-00000001", Role::Agent("bruna".into()))]
    #[case::not_listed("PJSIP/7005-00000001", Role::Agent("7005".into()))]
    #[case::tool("Snoop/1795456674.2-00000001", Role::Tool)]
    #[case::recorder("Recorder/ARI-00000001;2", Role::Tool)]
    fn an_endpoint_tells_who_is_there(#[case] name: &str, #[case] role: Role) {
        let channel = serde_json::from_value(serde_json::json!({"id": "1", "name": name})).unwrap();
        assert_eq!(plan().role(&channel), role);
    }

    #[rstest]
    #[case::by_name("bruna", Some("PJSIP/agent1"))]
    #[case::by_extension("7002", Some("Local/7002@agents"))]
    #[case::by_endpoint("PJSIP/agent1", Some("PJSIP/agent1"))]
    #[case::any_other("Local/0900@premium", None)]
    fn only_listed_endpoints_can_be_rung(#[case] agent: &str, #[case] endpoint: Option<&str>) {
        assert_eq!(plan().endpoint(agent), endpoint);
    }
}
