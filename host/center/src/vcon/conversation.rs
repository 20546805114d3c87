//! A conversation's messages: each is a text dialog with the provider's identifier, by which a reader knows a message
//! that it has.

use ramal_store::{Clear, Interaction, InteractionDirection, Message};

use super::document::{Attachment, Dialog};
use super::parties::Parties;

pub(super) fn dialogs(
    of: &Interaction,
    messages: &[Message],
    parties: &mut Parties<'_>,
) -> (Vec<Dialog>, Vec<Attachment>) {
    let mut attachments = Vec::new();
    let mut dialogs = Vec::with_capacity(messages.len());
    for message in messages {
        let (customer, company) = (parties.customer(), parties.agent(message.agent.as_ref()));
        // Who wrote stands first.
        let (from, to) = match message.direction {
            InteractionDirection::Inbound => (customer, company),
            InteractionDirection::Outbound | InteractionDirection::Internal => (company, customer),
        };
        let files = message.attachments.iter();
        attachments.extend(files.map(|file| Attachment::reference(message.at, from, dialogs.len(), file)));
        dialogs.push(Dialog::Text {
            start: message.at,
            parties: vec![from, to],
            mediatype: "text/plain",
            body: message.text.as_ref().map(Clear::expose).unwrap_or_default().to_owned(),
            encoding: "none",
            application: of.channel.as_str(),
            message_id: message.reference.as_str().to_owned(),
        });
    }
    (dialogs, attachments)
}
