//! A thousand invented values, of 250 people, go through some twenty kinds of trouble; afterwards everything that
//! operators or plugins can read is searched for every one of them, in every spelling.
//!
//! The library behind `ramal-numbers` traces the numbers that it reads; such lines are compiled out (see `log` in
//! the root Cargo.toml), and this is what notices if they come back.

use ramal_capability::{Clear, DataClass, Direction, Level};
use serde_json::{Value, json};

use super::crm::{Answer, Asked};
use super::host::{Cage, Host, With, ask, authority};
use super::needles::Needles;

const PEOPLE: usize = 250;

/// One invented person: a name, a number, an address and a CPF, none of which anybody has.
struct Person {
    name: String,
    phone: String,
    email: String,
    document: String,
}

impl Person {
    fn of(number: usize) -> Self {
        // Letters for the number, so that each word of the name is the person's alone.
        let word: String = [26 * 26 * 26, 26 * 26, 26, 1]
            .map(|place| char::from(b'a' + u8::try_from(number * 7919 / place % 26).unwrap()))
            .iter()
            .collect();
        Self {
            name: format!("Canaria{word} Inventada{word}"),
            phone: format!("+55119{:08}", 40_000_000 + number * 7_919),
            email: format!("{word}.canario{number}@example.invalid"),
            document: format!(
                "{:03}.{:03}.{:03}-{:02}",
                100 + number,
                999 - number,
                (number * 37) % 1000,
                number % 100
            ),
        }
    }
    fn json(&self, number: usize) -> Value {
        json!({
            "id": format!("c-{number}"), "name": self.name, "phone": self.phone, "email": self.email,
            "document": self.document, "note": format!("{} called from {}", self.name, self.phone),
        })
    }
}

struct Everybody {
    people: Vec<Person>,
    needles: Needles,
}

impl Everybody {
    fn new() -> Self {
        let people: Vec<Person> = (0..PEOPLE).map(Person::of).collect();
        let values = people.iter().flat_map(|p| {
            let words = p.name.split(' ').chain([p.name.as_str()]);
            words.chain([p.phone.as_str(), p.email.as_str(), p.document.as_str()])
        });
        Self { needles: Needles::of(values), people }
    }
    /// All of them, as a CRM answers.
    fn answer(&self) -> Value {
        let items: Vec<Value> = self.people.iter().enumerate().map(|(at, person)| person.json(at)).collect();
        json!({"total": PEOPLE, "items": items, "debug": format!("{} of {}", self.people[0].name, PEOPLE)})
    }
}

/// What the CRM answers in each kind of trouble.
fn script(trouble: &str, everybody: &Value) -> Answer {
    let text = everybody.to_string();
    match trouble {
        "good" | "panic" | "log" | "boast" | "misplaced" | "denied" => Answer::json(200, everybody),
        "refused" => Answer::json(422, everybody),
        "forbidden" => Answer::json(403, &json!({"code": text, "message": text, "id": text})),
        "broken" => Answer::typed(500, "application/json", &text),
        "page" => Answer::typed(200, "text/html", &text),
        "no json" => Answer::typed(200, "application/json", &format!("{text},{text}")),
        "cut" => Answer::typed(200, "application/json", &text[..text.len() - 20]),
        "half" => Answer::raw(
            [
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99999\r\n\r\n",
                text.as_bytes(),
            ]
            .concat()
            .get(..20_000)
            .unwrap_or_default(),
        )
        .then_close(),
        "no http" => Answer::raw(text.as_bytes()).then_close(),
        "redirect" => {
            let name = everybody["items"][7]["email"].as_str().unwrap();
            Answer::with(302, &[("Location", &format!("https://evil.example/?q={name}"))], text.as_bytes())
        }
        "headers" => {
            let person = &everybody["items"][9];
            let headers = ["name", "phone", "email"].map(|key| person[key].as_str().unwrap().to_owned());
            Answer::with(
                404,
                &[("X-Name", &headers[0]), ("Retry-After", &headers[1]), ("Content-Type", &headers[2])],
                text.as_bytes(),
            )
        }
        "as ids" => {
            let ids: Vec<Value> = everybody["items"].as_array().unwrap().iter().map(misfiled).collect();
            Answer::json(200, &json!({"items": ids}))
        }
        "as keys" => {
            let keys: serde_json::Map<String, Value> = everybody["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|person| (person["email"].as_str().unwrap().to_owned(), person.clone()))
                .collect();
            Answer::json(200, &json!({"items": [keys]}))
        }
        "too large" => Answer::chunked().then_for_ever(&chunk(&text)),
        other => panic!("no trouble {other}"),
    }
}

/// Personal texts where a type expects something else.
fn misfiled(person: &Value) -> Value {
    json!({
        "id": person["email"], "count": person["name"], "amount": person["document"], "page": person["name"],
        "changed": person["phone"], "born": person["document"], "state": person["name"], "active": person["email"],
    })
}

fn chunk(text: &str) -> Vec<u8> {
    format!("{:x}\r\n{text}\r\n", text.len()).into_bytes()
}

const TROUBLES: &[(&str, &str)] = &[
    ("tame", "good"),
    ("tattler", "log"),
    ("tattler", "refused"),
    ("tattler", "forbidden"),
    ("tattler", "broken"),
    ("tattler", "page"),
    ("tattler", "no json"),
    ("tattler", "cut"),
    ("tattler", "half"),
    ("tattler", "no http"),
    ("tattler", "redirect"),
    ("tattler", "headers"),
    ("tattler", "as ids"),
    ("tattler", "as keys"),
    ("tattler", "too large"),
    ("boaster", "boast"),
    ("panicker", "panic"),
    ("text-mixer", "good"),
    ("misplacer", "misplaced"),
    ("guesser", "denied"),
    ("minter", "good"),
    ("forger", "denied"),
];

/// Lets the animals out one after the other, each with people of its own, and gives back all that was readable.
async fn through_all_troubles(everybody: &Everybody, change: impl Fn(Cage<'_>) -> Cage<'_>) -> String {
    let host = Host::open_with(With::default()).await;
    let mut said = String::new();
    for (at, (animal, trouble)) in TROUBLES.iter().enumerate() {
        let (trouble, answer) = ((*trouble).to_owned(), everybody.answer());
        host.crm.answers(move |_: &Asked| script(&trouble, &answer));
        let told = if *animal == "misplacer" { "name" } else { "keep" };
        let cage = change(host.animal(animal).told(told).number(at as u64));
        let plugin = cage.load().await.unwrap();
        for person in everybody.people.iter().skip(at * 10).take(3) {
            let handed: Vec<Clear> = vec![person.phone.as_str().into(), person.phone.as_str().into()];
            let called = plugin.call(authority(), ask(&handed)).await;
            if let Err(error) = &called.outcome {
                said.push_str(&format!("{error}\n{error:?}\n"));
            }
            said.push_str(&serde_json::to_string(&called.report).unwrap());
        }
        plugin.resume();
    }
    assert!(host.crm.asked().len() > 40, "people must have gone through");
    said + "\n" + &host.readable()
}

fn roomy(cage: Cage<'_>) -> Cage<'_> {
    cage.granted(|g| {
        g.limits.store_bytes = Some(64 << 20);
        g.limits.hostcall_bytes = Some(8 << 20);
        g.limits.cpu_ms = Some(5_000);
        g.limits.log_line_chars = Some(4_000);
        g.limits.result_bytes = Some(4 << 20);
    })
}

#[tokio::test]
async fn a_thousand_sealed_values_are_nowhere_in_any_spelling() {
    let everybody = Everybody::new();
    let readable = through_all_troubles(&everybody, roomy).await;
    let hits = everybody.needles.within(&readable);
    assert!(readable.len() > 200_000, "there must be something to search: {} bytes", readable.len());
    assert!(
        hits.is_empty(),
        "{} spellings of personal values are readable, such as {:?}",
        hits.len(),
        hits.iter().take(10).collect::<Vec<_>>()
    );
}

/// The search above proves something only if it would find what is there.
#[tokio::test]
async fn the_same_values_in_clear_are_found_where_the_plugin_keeps_them() {
    let everybody = Everybody::new();
    let readable = through_all_troubles(&everybody, |cage| {
        let clear = "from-crm = \"clear\"\nreason = \"to tell two";
        roomy(cage.declaring("from-crm = \"sealed\"\nreason = \"to tell two", clear))
            .granted(|g| g.classes.set(DataClass::ContactEmail, Direction::FromCrm, Level::Clear))
    })
    .await;
    let hits = everybody.needles.within(&readable);
    let missing: Vec<&str> =
        everybody.people.iter().map(|p| p.email.as_str()).filter(|email| !hits.contains(*email)).collect();
    assert!(missing.is_empty(), "clear addresses that the search did not find: {missing:?}");
    for person in &everybody.people {
        assert!(
            !hits.contains(&person.name) && !hits.contains(&person.phone) && !hits.contains(&person.document)
        );
    }
}
