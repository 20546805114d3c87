//! Conversations and their messages, as clients are told.

use jiff::Timestamp;
use ramal_store::{
    Channel, EndCause, Interaction, InteractionDirection, InteractionId, InteractionState, Message,
    MessageStatus,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::NumberView;

/// A conversation as it stands: the body of the live event `conversation`.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ConversationView {
    /// Ramal's identifier of the conversation.
    #[schema(value_type = String, format = "uuid")]
    pub interaction: InteractionId,
    /// Who told of it.
    pub source: String,
    /// `whatsapp` or `sms`.
    #[schema(value_type = String, example = "whatsapp")]
    pub channel: Channel,
    /// Where it stands.
    #[schema(value_type = String, example = "open")]
    pub state: InteractionState,
    /// The customer's number; `null` when it is not told.
    pub number: Option<NumberView>,
    /// The queue that it waits in.
    pub queue: Option<String>,
    /// Who answers.
    pub agent: Option<String>,
    /// Why it is over.
    #[schema(value_type = Option<String>, example = "closed")]
    pub cause: Option<EndCause>,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// When the last message was written.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_message_at: Option<Timestamp>,
    /// When it was over.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Timestamp>,
    /// Messages from the customer.
    pub messages_in: u32,
    /// Messages to the customer.
    pub messages_out: u32,
}

impl From<&Interaction> for ConversationView {
    fn from(of: &Interaction) -> Self {
        let number = match of.direction {
            InteractionDirection::Inbound => &of.from,
            InteractionDirection::Outbound | InteractionDirection::Internal => &of.to,
        };
        Self {
            interaction: of.id,
            source: of.source.as_str().to_owned(),
            channel: of.channel,
            state: of.state,
            number: number.as_ref().map(NumberView::of),
            queue: of.queue.clone(),
            agent: of.agent.as_ref().map(|a| a.expose().to_owned()),
            cause: of.cause,
            started_at: of.started_at,
            last_message_at: of.last_message_at,
            ended_at: of.ended_at,
            messages_in: of.messages_in,
            messages_out: of.messages_out,
        }
    }
}

/// A message as it stands: the body of the live event `message`.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MessageView {
    /// Which conversation.
    #[schema(value_type = String, format = "uuid")]
    pub interaction: InteractionId,
    /// Ramal's identifier of the message.
    #[schema(format = "uuid")]
    pub id: String,
    /// Who wrote: `inbound` is the customer.
    #[schema(value_type = String, example = "inbound")]
    pub direction: InteractionDirection,
    /// When it was written.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The text.
    pub text: Option<String>,
    /// The media types of the files.
    pub attachments: Vec<String>,
    /// Who wrote it for the company.
    pub agent: Option<String>,
    /// How far it came.
    #[schema(value_type = String, example = "delivered")]
    pub status: MessageStatus,
}

impl MessageView {
    /// A message of a conversation.
    pub fn of(interaction: InteractionId, message: &Message) -> Self {
        Self {
            interaction,
            id: message.id.0.to_string(),
            direction: message.direction,
            at: message.at,
            text: message.text.as_ref().map(|t| t.expose().to_owned()),
            attachments: message.attachments.iter().map(|a| a.media_type.clone()).collect(),
            agent: message.agent.as_ref().map(|a| a.expose().to_owned()),
            status: message.status,
        }
    }
}
