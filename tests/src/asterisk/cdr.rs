//! Asterisk's own record of each call, from `Master.csv`: a ledger that Ramal does not write.

use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::peer::PeerError;

/// How long a record may take once a call is over.
const LIMIT: Duration = Duration::from_secs(30);
/// How often the file is read.
const POLL: Duration = Duration::from_millis(50);
/// Fields of a line, with the unique id and the user's field after the usual sixteen.
const FIELDS: usize = 18;

/// How a call ended, in Asterisk's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposition {
    /// `ANSWERED`.
    Answered,
    /// `NO ANSWER`.
    NoAnswer,
    /// `BUSY`.
    Busy,
    /// Any other.
    Other(String),
}

/// One record. Where several phones rang for one call there are several, with one `unique_id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cdr {
    /// Who called.
    pub source: String,
    /// The extension in the dialplan at the end.
    pub destination: String,
    /// Its context.
    pub context: String,
    /// The caller's channel.
    pub channel: String,
    /// The channel that was called; empty when there was none.
    pub destination_channel: String,
    /// The last application of the dialplan.
    pub application: String,
    /// Seconds from its begin to its end.
    pub duration: u64,
    /// Seconds from its answer to its end.
    pub billable: u64,
    /// How it ended.
    pub disposition: Disposition,
    /// The `Uniqueid` of the caller's channel.
    pub unique_id: String,
}

/// All records; none where there is no file yet.
pub(super) fn read(path: &Path) -> Result<Vec<Cdr>, PeerError> {
    match std::fs::read_to_string(path) {
        // A line that is being written is not there yet.
        Ok(text) => {
            Ok(text.split_inclusive('\n').filter(|line| line.ends_with('\n')).filter_map(parse).collect())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(PeerError::File { path: path.to_owned(), source }),
    }
}

/// All records once there are at least so many.
pub(super) async fn wait(path: &Path, count: usize) -> Result<Vec<Cdr>, PeerError> {
    let deadline = Instant::now() + LIMIT;
    let mut ticks = interval(POLL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let records = read(path)?;
        if records.len() >= count {
            return Ok(records);
        }
        if Instant::now() > deadline {
            let reason = format!("{} in {} seconds", records.len(), LIMIT.as_secs());
            return Err(PeerError::Ask { what: format!("{count} records of calls"), reason });
        }
    }
}

fn parse(line: &str) -> Option<Cdr> {
    let fields: [String; FIELDS] = split(line.trim_end()).try_into().ok()?;
    let [
        _,
        source,
        destination,
        context,
        _,
        channel,
        destination_channel,
        application,
        _,
        _,
        _,
        _,
        rest @ ..,
    ] = fields;
    let [duration, billable, disposition, _, unique_id, _] = rest;
    Some(Cdr {
        source,
        destination,
        context,
        channel,
        destination_channel,
        application,
        duration: duration.parse().ok()?,
        billable: billable.parse().ok()?,
        disposition: match disposition.as_str() {
            "ANSWERED" => Disposition::Answered,
            "NO ANSWER" => Disposition::NoAnswer,
            "BUSY" => Disposition::Busy,
            _ => Disposition::Other(disposition),
        },
        unique_id,
    })
}

/// The fields of a line: texts in quotes, a quote in them doubled.
fn split(line: &str) -> Vec<String> {
    let (mut fields, mut field, mut quoted) = (Vec::new(), String::new(), false);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(std::mem::take(&mut field)),
            other => field.push(other),
        }
    }
    fields.push(field);
    fields
}

#[cfg(test)]
mod tests;
