//! The exchange's files: what Ramal ships, with the places filled in that an integrator fills in.

use std::fs;
use std::path::{Path, PathBuf};

use super::{AMI_SECRET, ARI_PASSWORD, Asterisk, CARRIER, HOUSE, PHONE_PASSWORD};
use crate::peer::PeerError;

/// Where Debian puts the modules: newer releases first.
const MODULES: [&str; 2] = ["usr/lib/x86_64-linux-gnu/asterisk/modules", "usr/lib/asterisk/modules"];
/// Folders of the exchange's own.
const FOLDERS: [&str; 6] = ["etc", "db", "spool/recording", "run", "keys/keys", "log/cdr-csv"];
/// Ports for the sound of one exchange.
const SOUND: u16 = 400;

/// Writes them all.
pub(super) fn write(asterisk: &Asterisk, changes: &[(&str, &str, &str)]) -> Result<(), PeerError> {
    let home = asterisk.home.path();
    let folder = |folder: &str| {
        let path = home.join(folder);
        fs::create_dir_all(&path).map_err(|source| PeerError::File { path, source })
    };
    FOLDERS.into_iter().try_for_each(folder)?;

    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let filled = filled_in(asterisk);
    for shipped in [tests.join("../docs/asterisk"), tests.join("asterisk/etc")] {
        for path in configurations(&shipped)? {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let mut text =
                fs::read_to_string(&path).map_err(|source| PeerError::File { path: path.clone(), source })?;
            let filled = filled.iter().map(|(file, from, to)| (*file, *from, to.as_str()));
            for (_, from, to) in filled.chain(changes.iter().copied()).filter(|(file, ..)| *file == name) {
                if !text.contains(from) {
                    let source = std::io::Error::other(format!("`{from}` does not stand in it"));
                    return Err(PeerError::File { path, source });
                }
                text = text.replace(from, to);
            }
            let path = home.join("etc").join(&*name);
            fs::write(&path, text).map_err(|source| PeerError::File { path, source })?;
        }
    }
    Ok(())
}

fn configurations(folder: &Path) -> Result<Vec<PathBuf>, PeerError> {
    let unreadable = |source| PeerError::File { path: folder.to_owned(), source };
    let entries = fs::read_dir(folder).map_err(unreadable)?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let paths: Vec<PathBuf> = paths.collect::<Result<_, _>>().map_err(unreadable)?;
    Ok(paths.into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "conf")).collect())
}

/// In which file what stands, and what is put there.
fn filled_in(asterisk: &Asterisk) -> Vec<(&'static str, &'static str, String)> {
    let modules = MODULES.iter().find(|folder| asterisk.root.join(folder).is_dir()).unwrap_or(&MODULES[0]);
    let http = asterisk.http.rsplit(':').next().unwrap_or_default();
    // Whichever: a port that is taken is passed over.
    let sound = 20_000 + asterisk.sip % 100 * SOUND;
    vec![
        ("http.conf", "bindport=8088", format!("bindport={http}")),
        ("ari.conf", "CHANGE-ME-ARI", ARI_PASSWORD.to_owned()),
        ("manager.conf", "port=5038", format!("port={}", asterisk.ami)),
        ("manager.conf", "CHANGE-ME-AMI", AMI_SECRET.to_owned()),
        ("pjsip.conf", "0.0.0.0:5060", format!("{HOUSE}:{}", asterisk.sip)),
        ("pjsip.conf", "192.0.2.10:5060", format!("{CARRIER}:{}", asterisk.carrier)),
        ("pjsip.conf", "192.0.2.10", CARRIER.to_string()),
        ("pjsip.conf", "CHANGE-ME-PHONE", PHONE_PASSWORD.to_owned()),
        ("asterisk.conf", "@HOME@", asterisk.inside().display().to_string()),
        ("asterisk.conf", "@MODULES@", format!("/{modules}")),
        ("rtp.conf", "@RTP@", sound.to_string()),
        ("rtp.conf", "@RTP_END@", (sound + SOUND - 1).to_string()),
    ]
}
