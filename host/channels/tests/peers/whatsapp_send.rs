//! Messages out: a stub of the Graph API that pywa's own client takes for real, and then our client at it.

use std::time::Duration;

use ramal_center::{Clear, ContactIdentity, ContactKind, EventId, Namespace};
use ramal_channels::{
    MediaError, MediaKind, MediaPlace, MessageSender, Outgoing, OutgoingContent, OutgoingMedia,
    OutgoingTemplate, SendError, WhatsAppMedia, WhatsAppNumber, WhatsAppSender,
};
use ramal_egress::{Egress, ProviderAddress, ProviderClient};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::graph::{ELSEWHERE, ERRORS, FILE, GONE, GOOD, Graph, NUMBER, TAMPERED, TOKEN, VERSION};
use crate::installed::{Asked, install, tests_folder};

const USER: &str = "554787654321";

fn client(base: &str) -> ProviderClient {
    let address =
        ProviderAddress { origin: base.parse().unwrap(), private: vec!["127.0.0.0/8".parse().unwrap()] };
    Egress::builder().provider(&address, Duration::from_secs(10)).unwrap()
}

fn sender(base: &str, token: &str) -> WhatsAppSender {
    let number = WhatsAppNumber {
        account: "102290129340398".to_owned(),
        phone_number_id: NUMBER.to_owned(),
        portfolio: "P1".to_owned(),
    };
    WhatsAppSender::new(client(base), VERSION, &number, &Clear::from(token), 80)
}

fn user(namespace: &str, value: &str) -> ContactIdentity {
    ContactIdentity::new(ContactKind::Whatsapp, Namespace::new(namespace).unwrap(), value).unwrap()
}

fn event(id: &str) -> EventId {
    EventId::new(id).unwrap()
}

async fn send(graph: &Graph, to: &ContactIdentity, message: &Outgoing) -> Result<String, SendError> {
    let sent = sender(&graph.base, TOKEN).send(to, message, &event("ramal.m-1")).await;
    sent.map(|id| id.as_str().to_owned())
}

/// What pywa always says and we leave to Meta's own choice.
fn bare(mut body: Value) -> Value {
    if let Some(text) = body.get_mut("text").and_then(Value::as_object_mut) {
        text.remove("preview_url");
    }
    if let Some(language) = body["template"].get_mut("language").and_then(Value::as_object_mut) {
        language.remove("policy");
    }
    // pywa writes the kinds in capitals, Meta's documentation does not; Meta takes both.
    for component in body["template"]["components"].as_array_mut().into_iter().flatten() {
        component["type"] = json!(component["type"].as_str().unwrap().to_ascii_lowercase());
    }
    body
}

#[tokio::test]
async fn our_client_asks_as_pywa_does() {
    let Some(folder) = install("whatsapp", "our_client_asks_as_pywa_does").await else { return };
    let graph = Graph::start().await;
    let mut library = Asked::start(
        Command::new(folder.join("venv/bin/python")).arg(tests_folder().join("whatsapp/library.py")),
    );
    let mut theirs = async |mut ask: Value| {
        ask["base"] = json!(format!("{}/{VERSION}", graph.base));
        ask["token"] = ask.get("token").cloned().unwrap_or(json!(TOKEN));
        library.ask(&ask).await
    };
    let (wa_id, bsuid) = (user(Namespace::WA_ID, USER), user("bsuid:p1", "BR.13491208655302741918"));
    let image = Outgoing {
        content: OutgoingContent::Media(OutgoingMedia {
            kind: MediaKind::Image,
            place: MediaPlace::Link("https://files.example/nota.png".parse().unwrap()),
            caption: Some(Clear::from("a nota")),
            file_name: None,
        }),
        answers: Some(event("wamid.IN1")),
    };
    let template = Outgoing {
        content: OutgoingContent::Template(OutgoingTemplate {
            name: "lembrete".to_owned(),
            language: "pt_BR".to_owned(),
            components: OutgoingTemplate::of_texts(&["Ana".to_owned(), "17h".to_owned()]),
        }),
        answers: None,
    };
    let text = Outgoing::text("Olá & até já");
    let pairs = [
        (json!({"do": "text", "to": USER, "text": "Olá & até já", "tracker": "ramal.m-1"}), &wa_id, &text),
        (
            json!({"do": "text", "to": "BR.13491208655302741918", "text": "Olá & até já", "tracker": "ramal.m-1"}),
            &bsuid,
            &text,
        ),
        (
            json!({"do": "image", "to": USER, "image": "https://files.example/nota.png", "caption": "a nota",
                "answers": "wamid.IN1", "tracker": "ramal.m-1"}),
            &wa_id,
            &image,
        ),
        (
            json!({"do": "template", "to": USER, "name": "lembrete", "language": "pt_BR", "texts": ["Ana", "17h"],
                "tracker": "ramal.m-1"}),
            &wa_id,
            &template,
        ),
    ];
    for (ask, to, message) in pairs {
        // The stub is what the library expects, and our client asks the same of it.
        assert_eq!(theirs(ask.clone()).await, json!({"id": "wamid.OUT1"}), "{ask}");
        let by_pywa = graph.last();
        assert_eq!(send(&graph, to, message).await.as_deref(), Ok("wamid.OUT1"), "{ask}");
        let ours = graph.last();
        assert_eq!(bare(ours.body), bare(by_pywa.body), "{ask}");
        assert_eq!((ours.path, ours.authorization), (by_pywa.path, by_pywa.authorization));
    }
    assert_eq!(theirs(json!({"do": "seen", "id": "wamid.IN1"})).await, json!({"id": "True"}));
    let by_pywa = graph.last();
    assert_eq!(sender(&graph.base, TOKEN).mark_read(&event("wamid.IN1")).await, Ok(()));
    assert_eq!(graph.last(), by_pywa);
    // In the bad cases too.
    for (to, _, code) in ERRORS {
        assert_eq!(theirs(json!({"do": "text", "to": to, "text": "x"})).await, json!({"code": code}));
    }
    let expired = json!({"do": "text", "to": USER, "text": "x", "token": "expired"});
    assert_eq!(theirs(expired).await, json!({"code": 190}));
    // And the two steps to a file.
    let fetched = theirs(json!({"do": "fetch", "id": GOOD})).await;
    assert_eq!(fetched, json!({"bytes": data_encoding::BASE64.encode(FILE)}));
}

#[tokio::test]
async fn every_error_has_its_own_meaning() {
    let graph = Graph::start().await;
    let mut told = Vec::new();
    for (to, _, _) in ERRORS {
        told.push(send(&graph, &user(Namespace::WA_ID, to), &Outgoing::text("x")).await.unwrap_err());
    }
    let what = |code: &str| code.to_owned();
    let after = Some(Duration::from_secs(6));
    assert_eq!(
        told,
        [
            SendError::WindowClosed { what: what("131047") },
            SendError::Undeliverable { what: what("131026") },
            SendError::Passing { what: what("130429"), after },
            SendError::Passing { what: what("131056"), after },
            SendError::Unsure { what: what("131000") },
        ]
    );
    let (wa_id, text) = (user(Namespace::WA_ID, USER), Outgoing::text("x"));
    let expired = sender(&graph.base, "expired").send(&wa_id, &text, &event("ramal.m-1")).await;
    assert_eq!(expired, Err(SendError::Credential { what: what("190") }));
    // Nothing is sent for whoever has no address here: another business's user, a bare number.
    let before = graph.seen.lock().len();
    let stranger = user("bsuid:p2", "BR.1");
    assert_eq!(send(&graph, &stranger, &text).await, Err(SendError::NoAddress));
    let phone = ContactIdentity::phone("+5511987654321").unwrap();
    assert_eq!(send(&graph, &phone, &text).await, Err(SendError::NoAddress));
    assert_eq!(graph.seen.lock().len(), before);
    // Nobody answers.
    let nobody = sender("http://127.0.0.1:9", TOKEN).send(&wa_id, &text, &event("ramal.m-1")).await;
    assert!(matches!(nobody, Err(SendError::Unsure { .. })), "{nobody:?}");
}

#[tokio::test]
async fn one_user_is_not_written_to_faster_than_meta_allows() {
    let graph = Graph::start().await;
    let sender = sender(&graph.base, TOKEN);
    let (wa_id, text) = (user(Namespace::WA_ID, USER), Outgoing::text("x"));
    let mut sent = 0;
    let error = loop {
        match sender.send(&wa_id, &text, &event("ramal.m-1")).await {
            Ok(_) => sent += 1,
            Err(error) => break error,
        }
    };
    assert!((45..48).contains(&sent), "{sent}");
    assert_eq!(graph.seen.lock().len(), sent, "what is over the limit is not asked at all");
    let SendError::Passing { after: Some(wait), .. } = error else { panic!("{error:?}") };
    assert!(wait <= Duration::from_secs(6));
}

#[tokio::test]
async fn the_token_goes_to_no_other_host_and_a_file_is_what_was_announced() {
    let graph = Graph::start().await;
    let media = |most: u64| {
        WhatsAppMedia::new(client(&graph.base), vec![client(&graph.base)], VERSION, &Clear::from(TOKEN), most)
    };
    let file = media(1 << 20).fetch(GOOD).await.unwrap();
    assert_eq!((file.media_type.as_str(), file.bytes.as_slice()), ("image/png", FILE));
    let requests: Vec<String> = graph.seen.lock().iter().map(|seen| seen.path.clone()).collect();
    assert_eq!(requests, [format!("/{VERSION}/{GOOD}"), "/files/1".to_owned()]);

    assert_eq!(media(1 << 20).fetch(TAMPERED).await.unwrap_err(), MediaError::Tampered);
    let before = graph.seen.lock().len();
    assert_eq!(media(1 << 20).fetch(ELSEWHERE).await.unwrap_err(), MediaError::OtherHost);
    assert_eq!(graph.seen.lock().len(), before + 1, "only the place was asked for");
    let gone = MediaError::Refused { step: "the Graph API", status: 404 };
    assert_eq!(media(1 << 20).fetch(GONE).await.unwrap_err(), gone);
    assert_eq!(media(4).fetch(GOOD).await.unwrap_err(), MediaError::TooLarge { most: 4 });
    for wrong in ["", "../me", "9?x=1", "9/../../me"] {
        assert_eq!(media(4).fetch(wrong).await.unwrap_err(), MediaError::NoIdentifier);
    }
}
