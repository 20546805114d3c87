//! Whole calls through the adapters, and the adapters against what their providers' own people wrote: Twilio's libraries in two languages,
//! pywa, the real gammu-smsd. All people and numbers are invented.

mod gammu;
mod graph;
mod installed;
mod stories;
mod twilio;
mod twilio_send;
mod whatsapp;
mod whatsapp_send;
