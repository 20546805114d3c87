//! Bytes become messages however they are cut, and what is none is refused.

use super::*;
use proptest::prelude::*;
use rstest::rstest;

const STREAM: &[u8] = b"Asterisk Call Manager/11.0.0\r\nResponse: Success\r\nActionID: a1\r\n\r\n\
    Event: QueueCallerJoin\r\nUniqueid: 1.2\r\nQueue: support\r\nConnectedLineNum: <unknown>\r\nnonsense\r\n\r\n";

fn fields(messages: &[Message]) -> Vec<Vec<(&str, &str)>> {
    messages.iter().map(|m| m.0.iter().map(|(name, value)| (&**name, &**value)).collect()).collect()
}

#[test]
fn lines_become_messages() {
    let messages = Decoder::default().feed(STREAM).unwrap();
    assert_eq!(
        fields(&messages),
        [
            vec![("Response", "Success"), ("ActionID", "a1")],
            vec![
                ("Event", "QueueCallerJoin"),
                ("Uniqueid", "1.2"),
                ("Queue", "support"),
                ("ConnectedLineNum", "<unknown>")
            ],
        ]
    );
    assert_eq!(messages[1].get("UNIQUEID"), Some("1.2"));
    assert_eq!(messages[1].text("connectedlinenum"), None);
}

#[rstest]
#[case::web("HTTP/1.1 400 Bad Request\r\n".to_owned(), BadStream::NoGreeting)]
#[case::mail("220 mail.example ESMTP\r\n".to_owned(), BadStream::NoGreeting)]
#[case::line_without_end(format!("Asterisk Call Manager/1\n{}", "a".repeat(LONGEST_LINE + 1)), BadStream::TooLong)]
#[case::long_line(format!("Asterisk Call Manager/1\n{}\n", "a".repeat(LONGEST_LINE + 1)), BadStream::TooLong)]
#[case::message_without_end(format!("Asterisk Call Manager/1\n{}", "a: b\n".repeat(LONGEST_MESSAGE / 3)), BadStream::TooLong)]
fn what_is_no_ami_ends_the_connection(#[case] bytes: String, #[case] error: BadStream) {
    assert_eq!(Decoder::default().feed(bytes.as_bytes()).unwrap_err(), error);
}

#[test]
fn a_message_shows_nothing_of_what_is_in_it() {
    let messages = Decoder::default().feed(STREAM).unwrap();
    assert_eq!(format!("{messages:?}"), "[Message(2 fields), Message(4 fields)]");
}

/// All messages, or the first error, of pieces fed one after the other.
fn all(pieces: &[&[u8]]) -> Result<Vec<Message>, BadStream> {
    let mut decoder = Decoder::default();
    let mut messages = Vec::new();
    for piece in pieces {
        messages.extend(decoder.feed(piece)?);
    }
    Ok(messages)
}

proptest! {
    #[test]
    fn it_does_not_matter_how_the_bytes_are_cut(cuts in prop::collection::vec(0..STREAM.len(), 0..12)) {
        let mut cuts = cuts;
        cuts.sort_unstable();
        let ends = cuts.iter().copied().chain([STREAM.len()]);
        let mut from = 0;
        let pieces: Vec<&[u8]> = ends.map(|end| &STREAM[std::mem::replace(&mut from, end)..end]).collect();
        prop_assert_eq!(all(&pieces), all(&[STREAM]));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>, cut: prop::sample::Index) {
        let stream = [b"Asterisk Call Manager/1\r\n".as_slice(), &bytes].concat();
        let cut = cut.index(stream.len());
        prop_assert_eq!(all(&[&stream[..cut], &stream[cut..]]), all(&[&stream]));
        let _ = Decoder::default().feed(&bytes);
    }

    #[test]
    fn what_was_written_is_read(fields in prop::collection::vec(("[A-Za-z-]{1,20}", "[^\r\n]{0,40}"), 1..20)) {
        let lines: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let stream = format!("Asterisk Call Manager/1\r\n{lines}\r\n");
        let messages = all(&[stream.as_bytes()]).unwrap();
        let read: Vec<(String, String)> =
            messages[0].0.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        prop_assert_eq!(read, fields);
    }
}

/// Of a fuzz input: how it is cut, and the stream.
#[test]
fn what_the_fuzzer_starts_from_is_read_the_same_however_it_is_cut() {
    let input = include_bytes!("../../../../../../fuzz/corpus/ami/event");
    let (_, stream) = input.split_at(2);
    let whole = Decoder::default().feed(stream).unwrap();
    for cut in 0..=stream.len() {
        let (head, tail) = stream.split_at(cut);
        let mut decoder = Decoder::default();
        let mut messages = decoder.feed(head).unwrap();
        messages.extend(decoder.feed(tail).unwrap());
        assert!(messages == whole, "cut at {cut}");
    }
}
