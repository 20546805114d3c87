//! All that is ever said to the exchange. A new line here is a new power: there is none that changes anything.

use ramal_capability::Clear;
use zeroize::Zeroizing;

/// What is said.
#[derive(Debug, Clone, Copy)]
pub(super) enum Action<'a> {
    /// Who we are.
    Login { user: &'a str, secret: &'a Clear },
    /// Which channels there are. Needs the class `reporting`.
    Channels,
    /// Who waits in the queues and who is there.
    Queues,
    /// Whether somebody is still there.
    Ping,
    /// Goodbye.
    Logoff,
}

impl Action<'_> {
    /// By what the answer says which question it belongs to.
    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Login { .. } => "ramal-login",
            Self::Channels => "ramal-channels",
            Self::Queues => "ramal-queues",
            Self::Ping => "ramal-ping",
            Self::Logoff => "ramal-logoff",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Login { .. } => "Login",
            Self::Channels => "CoreShowChannels",
            Self::Queues => "QueueStatus",
            Self::Ping => "Ping",
            Self::Logoff => "Logoff",
        }
    }

    /// As it goes over the line; wiped afterwards. A line break in the name or the secret would be another action, so
    /// [`is_one_line`] is asked before.
    pub(super) fn encode(self) -> Zeroizing<Vec<u8>> {
        let mut text = Zeroizing::new(format!("Action: {}\r\nActionID: {}\r\n", self.name(), self.id()));
        if let Self::Login { user, secret } = self {
            for (name, value) in [("Username", user), ("Secret", secret.expose())] {
                for part in [name, ": ", value, "\r\n"] {
                    text.push_str(part);
                }
            }
        }
        text.push_str("\r\n");
        Zeroizing::new(text.as_bytes().to_vec())
    }
}

/// Whether a text can stand in an action.
pub(super) fn is_one_line(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_only_asks() {
        let secret = Clear::from("made-up");
        let all = [
            Action::Login { user: "ramal", secret: &secret },
            Action::Channels,
            Action::Queues,
            Action::Ping,
            Action::Logoff,
        ];
        let said: Vec<String> =
            all.iter().map(|action| String::from_utf8(action.encode().to_vec()).unwrap()).collect();
        assert_eq!(
            said,
            [
                "Action: Login\r\nActionID: ramal-login\r\nUsername: ramal\r\nSecret: made-up\r\n\r\n",
                "Action: CoreShowChannels\r\nActionID: ramal-channels\r\n\r\n",
                "Action: QueueStatus\r\nActionID: ramal-queues\r\n\r\n",
                "Action: Ping\r\nActionID: ramal-ping\r\n\r\n",
                "Action: Logoff\r\nActionID: ramal-logoff\r\n\r\n",
            ]
        );
    }

    #[test]
    fn a_secret_with_a_line_break_would_be_another_action() {
        assert!(is_one_line("made-up secret"));
        for text in ["", "a\r\nAction: Originate", "a\n", "a\0"] {
            assert!(!is_one_line(text));
        }
    }
}
