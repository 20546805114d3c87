//! Whether a sound is a whole RIFF file, and how long it is. A file that was cut must not replace the exchange's copy.

/// A RIFF file of linear samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Riff {
    /// How long it is.
    pub(crate) duration_ms: u64,
}

/// Bytes that are no whole RIFF file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RiffError {
    #[error("it is no RIFF file")]
    NotRiff,
    #[error("its head says that it is longer or shorter than it is")]
    Cut,
    #[error("it says nothing of how its samples are to be read")]
    NoFormat,
}

impl Riff {
    /// Reads the head.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, RiffError> {
        let head = bytes.get(..12).ok_or(RiffError::NotRiff)?;
        if !head.starts_with(b"RIFF") || !head.ends_with(b"WAVE") {
            return Err(RiffError::NotRiff);
        }
        let mut rest = bytes.get(12..).unwrap_or_default();
        let mut rate = None;
        while let Some((name, body, after)) = chunk(rest)? {
            match name {
                b"fmt " => rate = u32_at(body, 8),
                b"data" => {
                    let rate = u64::from(rate.filter(|r| *r > 0).ok_or(RiffError::NoFormat)?);
                    let milliseconds = (body.len() as u64).saturating_mul(1000).checked_div(rate);
                    return Ok(Self { duration_ms: milliseconds.unwrap_or_default() });
                }
                _ => {}
            }
            rest = after;
        }
        Err(RiffError::Cut)
    }
}

type Chunk<'a> = (&'a [u8], &'a [u8], &'a [u8]);

/// The first chunk: its name, its body, and what comes after.
fn chunk(bytes: &[u8]) -> Result<Option<Chunk<'_>>, RiffError> {
    let (Some(name), Some(length)) = (bytes.get(..4), u32_at(bytes, 4)) else { return Ok(None) };
    let length = usize::try_from(length).map_err(|_| RiffError::Cut)?;
    let end = length.checked_add(8).ok_or(RiffError::Cut)?;
    let body = bytes.get(8..end).ok_or(RiffError::Cut)?;
    // Bodies of an odd length are followed by one byte of padding, which the last one need not have.
    let next = end.saturating_add(length % 2);
    Ok(Some((name, body, bytes.get(next..).unwrap_or_default())))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let part = bytes.get(at..at.checked_add(4)?)?;
    part.try_into().ok().map(u32::from_le_bytes)
}

/// A made-up file of silence, as Asterisk writes it: 16 bits, 8 kHz, one channel.
#[cfg(test)]
pub(crate) fn silence(milliseconds: u32) -> Vec<u8> {
    let data = milliseconds * 16;
    let mut file = Vec::new();
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(36 + data).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt ");
    file.extend_from_slice(&16_u32.to_le_bytes());
    file.extend_from_slice(&[1, 0, 1, 0]);
    file.extend_from_slice(&8000_u32.to_le_bytes());
    file.extend_from_slice(&16_000_u32.to_le_bytes());
    file.extend_from_slice(&[2, 0, 16, 0]);
    file.extend_from_slice(b"data");
    file.extend_from_slice(&data.to_le_bytes());
    file.resize(file.len() + data as usize, 0);
    file
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_length_follows_from_the_samples() {
        assert_eq!(Riff::read(&silence(2500)), Ok(Riff { duration_ms: 2500 }));
        assert_eq!(Riff::read(&silence(0)), Ok(Riff { duration_ms: 0 }));
    }

    #[test]
    fn a_file_that_was_cut_anywhere_is_none() {
        let whole = silence(20);
        for length in 0..whole.len() {
            assert!(Riff::read(&whole[..length]).is_err(), "cut after {length} bytes");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Riff::read(&bytes);
        }

        #[test]
        fn any_head_is_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let file = [b"RIFF\0\0\0\0WAVE".as_slice(), &bytes].concat();
            let _ = Riff::read(&file);
        }
    }
}
