//! What a message on WhatsApp is beside text and files, as the media type of an attachment: `[whatsapp/location] Av.
//! Paulista` is what a CRM's journal then says. The attachment's reference says which.

/// A place; the reference is a `geo:` URI (RFC 5870).
pub const LOCATION: &str = "whatsapp/location";
/// Cards of people; the text has them.
pub const CONTACTS: &str = "whatsapp/contacts";
/// An emoji about another message, which the reference names; without text it was taken back.
pub const REACTION: &str = "whatsapp/reaction";
/// An answer to another message, which the reference names.
pub const REPLY: &str = "whatsapp/reply";
/// A button or a line of a list; the reference is what the business called it.
pub const BUTTON: &str = "whatsapp/button";
/// A form that was filled in; the text has it as JSON.
pub const FORM: &str = "whatsapp/form";
/// An order from the catalogue; the reference is the catalogue.
pub const ORDER: &str = "whatsapp/order";
/// Something that WhatsApp says of the user: that the number or the device changed.
pub const SYSTEM: &str = "whatsapp/system";
/// Another text for a message, which the reference names.
pub const EDIT: &str = "whatsapp/edit";
/// A message was taken back, which the reference names.
pub const REVOKED: &str = "whatsapp/revoked";
/// What neither WhatsApp nor Ramal can show; the reference is Meta's word for it.
pub const UNSUPPORTED: &str = "whatsapp/unsupported";
/// A template of ours; the reference is its name and language.
pub const TEMPLATE: &str = "whatsapp/template";
