//! Whatever arrives from whoever answers at an exchange's port: messages or a refusal, and the same ones however the bytes
//! are cut.
//!
//! Input: a number by which the rest is cut, and the rest.
#![no_main]

#[path = "../../host/channels/src/asterisk/ami/message.rs"]
#[allow(dead_code)]
mod message;

use libfuzzer_sys::fuzz_target;
use message::{BadStream, Decoder, Message};

fuzz_target!(|input: (u16, &[u8])| {
    let (cut, bytes) = input;
    let whole = read(&[bytes]);
    let (head, tail) = bytes.split_at(usize::from(cut).min(bytes.len()));
    assert!(read(&[head, tail]) == whole, "the cut decides what is read");
    for message in whole.into_iter().flatten() {
        assert!(!message.is_empty(), "a message that says nothing");
        assert!(format!("{message:?}").len() < 40, "a message that shows what is in it");
    }
});

fn read(pieces: &[&[u8]]) -> Result<Vec<Message>, BadStream> {
    let mut decoder = Decoder::default();
    let mut messages = Vec::new();
    for piece in pieces {
        messages.extend(decoder.feed(piece)?);
    }
    Ok(messages)
}
