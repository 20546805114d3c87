//! Messages of AMI, from bytes: lines of `Key: value`, an empty line at the end of each message.
//!
//! Whoever answers at the port may be anybody, so lengths are bounded and nothing is taken for granted: what is no field
//! is passed over, what is too long ends the connection.
//! <https://docs.asterisk.org/Configuration/Interfaces/Asterisk-Manager-Interface-AMI/AMI-v2-Specification/>

use std::fmt;

/// Bytes that one line may have. Asterisk's own buffer has 1025 for what it is sent, and it sends longer ones.
const LONGEST_LINE: usize = 16 * 1024;
/// Bytes that one message may have.
const LONGEST_MESSAGE: usize = 256 * 1024;
/// How the exchange introduces itself, in a line of its own before all messages.
const GREETING: &[u8] = b"Asterisk Call Manager/";

/// What is at the other end is no AMI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadStream {
    /// The first line is another one.
    #[error("whoever answers there is no Asterisk manager: check host and port of `url`")]
    NoGreeting,
    /// A line or a message without end.
    #[error("the exchange sent a line or a message that is too long")]
    TooLong,
}

/// One message: an event, or an answer.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Message(Vec<(Box<str>, Box<str>)>);

// Numbers and names are in it.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message({} fields)", self.0.len())
    }
}

impl Message {
    /// The value of a field, the first where there are several. Names are compared without case: `Uniqueid` of an event
    /// is `UniqueID` of a record.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }

    /// The value of a field that says something.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty() && *value != "<unknown>")
    }

    /// How many fields it has.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has none. The decoder makes no such message.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Makes messages of what arrives, however it is cut.
#[derive(Default)]
pub struct Decoder {
    buffer: Vec<u8>,
    /// Up to where the buffer holds no end of a line.
    searched: usize,
    greeted: bool,
    open: Message,
    /// Bytes of the message that is open.
    size: usize,
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Decoder({} bytes)", self.buffer.len())
    }
}

impl Decoder {
    /// Takes bytes, and answers the messages that are whole with them.
    ///
    /// # Errors
    /// When the other side is no AMI. The decoder is of no use after that.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Vec<Message>, BadStream> {
        self.buffer.extend_from_slice(bytes);
        let mut whole = Vec::new();
        let mut from = 0;
        while let Some(rest) = self.buffer.get(from..) {
            let skip = self.searched.saturating_sub(from);
            let Some(length) = rest.iter().skip(skip).position(|byte| *byte == b'\n').map(|at| at + skip)
            else {
                break;
            };
            let line = rest.get(..length).unwrap_or_default();
            whole.extend(Self::line(&mut self.open, &mut self.size, &mut self.greeted, line)?);
            from += length + 1;
            self.searched = from;
        }
        self.buffer.drain(..from);
        self.searched = self.buffer.len();
        if self.buffer.len() > LONGEST_LINE { Err(BadStream::TooLong) } else { Ok(whole) }
    }

    fn line(
        open: &mut Message,
        size: &mut usize,
        greeted: &mut bool,
        line: &[u8],
    ) -> Result<Option<Message>, BadStream> {
        if line.len() > LONGEST_LINE {
            return Err(BadStream::TooLong);
        }
        if !std::mem::replace(greeted, true) {
            return if line.starts_with(GREETING) { Ok(None) } else { Err(BadStream::NoGreeting) };
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            *size = 0;
            let message = std::mem::take(open);
            return Ok((!message.is_empty()).then_some(message));
        }
        *size += line.len();
        if *size > LONGEST_MESSAGE {
            return Err(BadStream::TooLong);
        }
        let line = String::from_utf8_lossy(line);
        if let Some((name, value)) = line.split_once(':') {
            let value = value.strip_prefix(' ').unwrap_or(value);
            open.0.push((name.into(), value.into()));
        }
        Ok(None)
    }
}

// By its path, since the fuzz target `ami` takes this file alone.
#[cfg(test)]
#[path = "message/tests.rs"]
mod tests;
