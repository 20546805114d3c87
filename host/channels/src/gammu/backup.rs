//! A message as gammu writes it with `InboxFormat = detail`: its own backup format, one section for each part.
//!
//! ```text
//! [SMSBackup000]
//! PDU = Deliver
//! DateTime = 20261123T120000Z        (without Z: local, of nobody knows where)
//! Number = "+5511987654321"
//! NumberUnicode = 002B0035…
//! UDH = 050003A10201                 (part 1 of 2 of message A1)
//! Text00 = 004F006C00E1              (hexadecimal UTF-16, goes on in Text01 …)
//! Coding = Default_No_Compression
//! ```

use std::collections::BTreeMap;

use data_encoding::HEXLOWER_PERMISSIVE;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

/// A message that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Received {
    pub(super) from: String,
    pub(super) text: String,
    pub(super) at: Timestamp,
}

type Keys<'t> = BTreeMap<&'t str, &'t str>;

/// Reads a file; an error says in one word why it is no message of a customer.
pub(super) fn read(text: &str, zone: &TimeZone) -> Result<Received, &'static str> {
    let mut parts = sections(text);
    let first = parts.first().ok_or("unreadable")?;
    match value(first, "PDU") {
        Some("Deliver") => {}
        Some("Status_Report") => return Err("delivery-report"),
        _ => return Err("unreadable"),
    }
    let from = wide(value(first, "NumberUnicode").unwrap_or_default())
        .or_else(|| value(first, "Number").map(|n| n.trim_matches('"').to_owned()))
        .filter(|from| !from.is_empty())
        .ok_or("nobody")?;
    let at = value(first, "DateTime").and_then(|text| time(text, zone)).ok_or("time-unreadable")?;
    parts.sort_by_key(|part| value(part, "UDH").and_then(part_number).unwrap_or_default());
    // A character may begin in one part and end in the next.
    let mut units = Vec::new();
    for part in &parts {
        if value(part, "Coding") == Some("8bit") {
            return Err("binary");
        }
        for line in (0..100).map_while(|n| value(part, &format!("Text{n:02}"))) {
            units.extend(utf16(line).ok_or("unreadable")?);
        }
    }
    let text = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    Ok(Received { from, text, at })
}

fn sections(text: &str) -> Vec<Keys<'_>> {
    let mut all: Vec<Keys<'_>> = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with("[SMSBackup") {
            all.push(Keys::new());
        } else if !line.starts_with([';', '#', '['])
            && let (Some((key, value)), Some(section)) = (line.split_once('='), all.last_mut())
        {
            section.entry(key.trim()).or_insert(value.trim());
        }
    }
    all
}

fn value<'t>(part: &Keys<'t>, key: &str) -> Option<&'t str> {
    part.get(key).copied().filter(|value| !value.is_empty())
}

fn utf16(hex: &str) -> Option<Vec<u16>> {
    let bytes = HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok()?;
    let pairs = bytes.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    pairs.map(|pair| Some(u16::from_be_bytes(pair.try_into().ok()?))).collect()
}

fn wide(hex: &str) -> Option<String> {
    String::from_utf16(&utf16(hex)?).ok().filter(|text| !text.is_empty())
}

/// The number of a part, from a header of concatenation (3GPP TS 23.040, 9.2.3.24.1 and 9.2.3.24.8).
fn part_number(udh: &str) -> Option<u8> {
    let bytes = HEXLOWER_PERMISSIVE.decode(udh.as_bytes()).ok()?;
    let mut rest = bytes.get(1..)?;
    loop {
        let (&[kind, length], after) = rest.split_first_chunk::<2>()?;
        let (data, next) = after.split_at_checked(length.into())?;
        match (kind, data) {
            (0x00, [_, _, part]) | (0x08, [_, _, _, part]) => return Some(*part),
            _ => rest = next,
        }
    }
}

fn time(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let (digits, is_utc) = text.strip_suffix('Z').map_or((text, false), |digits| (digits, true));
    let local: DateTime = strtime::parse("%Y%m%dT%H%M%S", digits).ok()?.to_datetime().ok()?;
    let zone = if is_utc { TimeZone::UTC } else { zone.clone() };
    Some(local.to_zoned_datetime(zone).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    /// As gammu-smsd 1.42 wrote it; the number is made up.
    const ONE: &str = "; This file format was designed for Gammu\n\n[SMSBackup000]\n; Olá\nSMSC = \"+551100000000\"\nPDU = Deliver\nDateTime = 20261123T120000Z\nState = UnRead\nNumber = \"+5511987654321\"\nNumberUnicode = 002B0035003500310031003900380037003600350034003300320031\nName = \"\"\nNameUnicode = \nText00 = 004F006C00E1\nCoding = Default_No_Compression\nFolder = 1\nLength = 3\n";
    const TWO: &str = "[SMSBackup000]\nPDU = Deliver\nDateTime = 20261123T120000\nNumber = \"28908\"\nUDH = 050003A10202\nText00 = DC4D0021\nCoding = Unicode_No_Compression\n[SMSBackup001]\nPDU = Deliver\nDateTime = 20261123T120000\nNumber = \"28908\"\nUDH = 050003A10201\nText00 = 006F0069\nText01 = 0020D83D\nCoding = Unicode_No_Compression\n";

    fn told(text: &str) -> String {
        let zone = TimeZone::get("America/Sao_Paulo").unwrap();
        match read(text, &zone) {
            Ok(m) => format!("{} {} {}", m.from, m.at, m.text),
            Err(word) => word.to_owned(),
        }
    }

    #[rstest]
    #[case::one(ONE, "+5511987654321 2026-11-23T12:00:00Z Olá")]
    #[case::two_parts_the_second_first(TWO, "28908 2026-11-23T15:00:00Z oi \u{1f44d}!")]
    #[case::report(&ONE.replace("Deliver", "Status_Report"), "delivery-report")]
    #[case::submitted(&ONE.replace("Deliver", "Submit"), "unreadable")]
    #[case::binary(&ONE.replace("Default_No_Compression", "8bit"), "binary")]
    #[case::no_number(&ONE.replace("Number", "Nobody"), "nobody")]
    #[case::no_time(&ONE.replace("20261123T120000Z", "yesterday"), "time-unreadable")]
    #[case::half_a_character(&ONE.replace("004F006C00E1", "004F006C00E"), "unreadable")]
    #[case::cut_after_the_head(&ONE[..60], "unreadable")]
    #[case::empty("", "unreadable")]
    fn a_backup_is_a_message(#[case] text: &str, #[case] expected: impl AsRef<str>) {
        assert_eq!(told(text), expected.as_ref());
    }

    proptest! {
        #[test]
        fn no_file_is_a_defect(text in "\\PC{0,300}", cut in 0_usize..ONE.len()) {
            let _ = told(&text);
            let _ = told(ONE.get(..cut).unwrap_or_default());
        }
    }
}
