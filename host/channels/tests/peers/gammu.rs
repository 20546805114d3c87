//! The real gammu-smsd with its dummy modem: a message that lies in the modem becomes a conversation, one that is sent
//! comes to the modem, and how it went is told.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use ramal_center::{Center, Clear, ContactIdentity, EventId, InteractionDirection, MessageEvent, Region};
use ramal_channels::{Gammu, GammuFolders, GammuSender, Heard, MessageSender, Outgoing, Taken, take};
use ramal_store::{Channel, InteractionStore, MessageStatus};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::{Instant, interval};

use crate::installed::{center, install, origin};

const CUSTOMER: &str = "+5511987654321";
/// In the dummy modem's own form, which is gammu's backup.
const IN_THE_MODEM: &str = "[SMSBackup000]\nPDU = Deliver\nDateTime = 20261123T120000Z\nState = UnRead\nNumber = \"+5511987654321\"\nText00 = 004F006C00E10020D83DDC4D\nCoding = Unicode_No_Compression\nFolder = 1\nLength = 6\n";

struct Smsd {
    home: TempDir,
    _process: Child,
}

impl Smsd {
    fn start(program: &Path) -> Self {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        for folder in ["inbox", "outbox", "sent", "error", "done", "modem/sms/1"] {
            fs::create_dir_all(at(folder)).unwrap();
        }
        let rc = format!(
            "[gammu]\ndevice = {home}/modem\nconnection = none\nmodel = dummy\n[smsd]\nservice = files\n\
             inboxpath = {home}/inbox/\noutboxpath = {home}/outbox/\nsentsmspath = {home}/sent/\n\
             errorsmspath = {home}/error/\ninboxformat = detail\ntransmitformat = auto\nlogfile = {home}/log\n\
             debuglevel = 1\nchecksecurity = 0\ncommtimeout = 1\nsendtimeout = 2\nloopsleep = 1\nreceivefrequency = 1\n",
            home = home.path().display()
        );
        fs::write(at("rc"), rc).unwrap();
        let process = Command::new(program.join("gammu-smsd"))
            .arg("-c")
            .arg(at("rc"))
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self { home, _process: process }
    }

    fn folders(&self) -> GammuFolders {
        let at = |name: &str| self.home.path().join(name);
        GammuFolders {
            inbox: at("inbox"),
            outbox: at("outbox"),
            sent: at("sent"),
            error: at("error"),
            done: at("done"),
            keep: SignedDuration::from_hours(24),
        }
    }

    /// Waits until a folder holds so many files.
    async fn until(&self, folder: &str, files: usize) {
        let deadline = Instant::now() + Duration::from_secs(60);
        let mut ticks = interval(Duration::from_millis(50));
        while self.names(folder).len() != files {
            let log = || fs::read_to_string(self.home.path().join("log")).unwrap_or_default();
            assert!(
                Instant::now() < deadline,
                "{folder} holds {:?}; smsd's log: {}",
                self.names(folder),
                log()
            );
            ticks.tick().await;
        }
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.home.path().join(folder)).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

/// One look, as if everything had rested.
async fn pass(smsd: &Smsd, center: &Center) -> Vec<&'static str> {
    let words = parking_lot::Mutex::new(Vec::new());
    let zone = TimeZone::get("America/Sao_Paulo").unwrap();
    let gammu = Arc::new(Gammu::new(smsd.folders(), zone, Region::BR));
    let later = Timestamp::now() + SignedDuration::from_secs(5);
    gammu.pass(center, &origin("modem"), &|word| words.lock().push(word), later).await.unwrap();
    words.into_inner()
}

#[tokio::test]
async fn a_message_in_the_modem_becomes_a_conversation_and_the_answer_goes_out() {
    let Some(program) = install("gammu", "a_message_in_the_modem").await else { return };
    let smsd = Smsd::start(&program);
    let (center, store) = center();
    let origin = origin("modem");

    // In.
    fs::write(smsd.home.path().join("modem/sms/1/1"), IN_THE_MODEM).unwrap();
    smsd.until("inbox", 1).await;
    smsd.until("modem/sms/1", 0).await;
    assert_eq!(pass(&smsd, &center).await, ["stored"]);
    assert_eq!((smsd.names("inbox").len(), smsd.names("done").len()), (0, 1));
    let customer = ContactIdentity::phone(CUSTOMER).unwrap();
    let nothing = EventId::new("nothing").unwrap();
    let open = async || {
        let found = store
            .conversation(&origin.tenant, &origin.source, std::slice::from_ref(&customer), &nothing)
            .await;
        found.unwrap().interaction.expect("a conversation is open")
    };
    let conversation = open().await;
    assert_eq!((conversation.channel, conversation.messages_in), (Channel::Sms, 1));
    assert_eq!(conversation.last_message_at.unwrap().to_string(), "2026-11-23T12:00:00Z");

    // Out: written for smsd, stored by whoever sends, and twice is once.
    let sender = GammuSender::new(smsd.folders());
    let text = Clear::from("Olá, é o Ramal ✓");
    let reference = EventId::new("m-1").unwrap();
    let id = sender.send(&customer, &Outgoing::text(text.clone()), &reference).await.unwrap();
    assert_eq!(sender.told_as(&reference), id, "it is stored by this name before it goes out");
    let told = MessageEvent {
        reference: id.clone(),
        channel: Channel::Sms,
        direction: InteractionDirection::Outbound,
        contacts: vec![customer.clone()],
        line: None,
        text: Some(text.clone()),
        attachments: Vec::new(),
        agent: None,
        at: Timestamp::now(),
    };
    assert!(matches!(take(&center, &origin, Heard::Message(told)).await.unwrap(), Taken::Stored(_)));
    smsd.until("sent", 1).await;
    assert_eq!(sender.send(&customer, &Outgoing::text(text.clone()), &reference).await.unwrap(), id);
    assert_eq!(smsd.names("outbox"), [] as [String; 0], "the same is not sent twice");
    let log = fs::read_to_string(smsd.home.path().join("log")).unwrap();
    assert!(log.contains(&format!("to \"{CUSTOMER}\" with text \"Olá, é o Ramal ✓\"")), "{log}");
    assert_eq!(pass(&smsd, &center).await, ["stored"]);
    let (_, message) = store.message(&origin.tenant, &origin.source, &id).await.unwrap().unwrap();
    assert_eq!(message.status, MessageStatus::Sent);
    assert_eq!(pass(&smsd, &center).await, [] as [&str; 0], "nothing is left");
    let conversation = open().await;
    assert_eq!((conversation.messages_in, conversation.messages_out), (1, 1));
}
