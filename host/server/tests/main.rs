//! The server as its clients meet it. One program: each that holds the whole host takes long to link.

mod api;
mod canary;
mod channels;
mod hooks;
mod interactions;
mod live;
mod messages;
mod serve;
mod support;
