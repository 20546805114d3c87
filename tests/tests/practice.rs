//! The plugin for the practice CRM against the practice CRM: a real component in the real runtime, by the real way out,
//! over a socket of this machine. What it did is read back without the plugin. All people are invented.

mod desk;
mod journal;
mod weather;
