//! What animals do with what the CRM tells by itself: they take it home, and answer what they should not.

use crate::bindings::exports::ramal::crm::events::{Dial, Fact, News, Occasion};
use crate::bindings::ramal::crm::types::Error;
use crate::keeping::keep;
use crate::visit::Visit;

pub(crate) fn hear(occasion: Occasion) -> Result<News, Error> {
    let visit = Visit::of(Vec::new());
    let (body, headers) = match occasion {
        Occasion::Hook(hook) => (hook.body, format!("{:?}", hook.headers)),
        Occasion::Tick(tick) => (tick.cursor.unwrap_or_default(), String::new()),
    };
    keep("body", &body);
    keep("headers", &headers);
    let seal = first_seal(&body).unwrap_or_default();
    let text = visit.told.text.replace("$0", seal);
    let mut news = News { facts: Vec::new(), next: None, more: false };
    match visit.told.animal.as_str() {
        "listener" => {}
        // Wants an agent to ring where it says.
        "dialler" => news.facts.push(Fact::Dial(Dial { agent: "u-1".to_owned(), number: text, about: None })),
        // Wants to keep a value beyond the call, where the host itself keeps something for it.
        "cursor-keeper" => news.next = Some(text),
        // Wants to bring a value out as an identifier.
        "namer" => news.facts.push(Fact::ContactChanged(text)),
        // Wants to drown the host in facts.
        "gossip" => {
            news.facts = (0..visit.told.number).map(|n| Fact::ContactDeleted(format!("c-{n}"))).collect();
        }
        other => return Err(Error::Permanent(format!("there is no animal `{other}` that hears"))),
    }
    Ok(news)
}

fn first_seal(text: &str) -> Option<&str> {
    let from = text.get(text.find("sealed_")?..)?;
    from.split(['"', ' ']).next()
}
