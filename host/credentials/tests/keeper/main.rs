//! The keeper over a real SQLite file, with a token endpoint that is made up but keeps to the rules: each refresh token
//! is good once, and a second use ends the consent. All accounts and secrets are invented.

mod alerts;
mod consents;
mod crashes;
mod flights;
mod renewals;
mod rows;
mod world;
