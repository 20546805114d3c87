//! Every kind of bad day at every request of every plugin: what the plugin has to say of it, and that after the next try
//! nothing is lost and nothing is there twice.

use ramal_capability::Purpose;
use ramal_engine::{
    AmendJournal, CallError, ContactDraft, CreateContact, JournalEntry, RecordRef, WriteJournal,
};
use ramal_tests::weather::{Proxy, Said, Weather};

use super::Desk;

/// The plugins, in the order of the table's columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plugin {
    Practice,
    Tryton,
    Odoo,
    BottleCrm,
}

/// The calls, in the order of each cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Find,
    Create,
    Write,
    Amend,
}

const PLUGINS: usize = Plugin::BottleCrm as usize + 1;
const CALLS: usize = Call::Amend as usize + 1;

const D: Said = Said::Done;
const A: Said = Said::Again;
const T: Said = Said::TimeIsUp;

/// What each plugin has to say of each call in a weather: find, create, write, amend. Without a line here a new kind of
/// weather does not compile, and without a column a new plugin does not.
#[rustfmt::skip]
fn expected(weather: Weather) -> [[Said; CALLS]; PLUGINS] {
    use Weather as W;
    let w = |seconds| Said::Wait(seconds);
    match weather {
        //                      practice      Tryton        Odoo          BottleCRM, which looks itself whether it made a contact
        W::Fair           => [[D, D, D, D], [D, D, D, D], [D, D, D, D], [D, D, D, D]],
        W::Late(_)        => [[D, D, D, D], [D, D, D, D], [D, D, D, D], [D, D, D, D]],
        W::Drip           => [[D, D, D, D], [D, D, D, D], [D, D, D, D], [D, D, D, D]],
        W::Twice          => [[D, D, D, D], [D, D, D, D], [D, D, D, D], [D, D, D, D]],
        W::Trickle        => [[T, T, T, T], [T, T, T, T], [T, T, T, T], [T, D, T, T]],
        W::Silent         => [[T, T, T, T], [T, T, T, T], [T, T, T, T], [T, T, T, T]],
        W::Reset          => [[A, A, A, A], [A, A, A, A], [A, A, A, A], [A, A, A, A]],
        W::HungUp         => [[A, A, A, A], [A, A, A, A], [A, A, A, A], [A, A, A, A]],
        W::HalfClosed     => [[A, A, A, A], [A, A, A, A], [A, A, A, A], [A, D, A, A]],
        W::LostAnswer     => [[A, A, A, A], [A, A, A, A], [A, A, A, A], [A, D, A, A]],
        W::Truncated      => [[A, A, A, A], [A, A, A, A], [A, A, A, A], [A, D, A, A]],
        W::WrongType      => [[A, A, A, A], [A, A, A, A], [A, A, A, A], [A, D, A, A]],
        W::BrokenAfter    => [[A, A, A, A], [A, A, A, A], [A, A, A, A], [A, D, A, A]],
        W::Traceback      => [[A, A, A, A], [A, A, A, A], [A, A, A, A], [A, D, A, A]],
        W::Broken         => [[A, A, A, A], [A, A, A, A], [A, A, A, A], [A, A, A, A]],
        W::BadGateway     => [[A, A, A, A], [A, A, A, A], [A, A, A, A], [A, A, A, A]],
        W::TooMany(s)     => [[w(s); CALLS], [w(s); CALLS], [w(s); CALLS], [w(s); CALLS]],
        W::Maintenance(s) => [[w(Some(s)); CALLS], [w(Some(s)); CALLS], [w(Some(s)); CALLS], [w(Some(s)); CALLS]],
        W::Portal         => [[A, A, A, A], [A, A, A, A], [A, A, A, A], [A, A, A, A]],
        W::OtherProtocol  => [[A, A, A, A], [A, A, A, A], [A, A, A, A], [A, A, A, A]],
        W::NoTls          => [[A, A, A, A], [A, A, A, A], [A, A, A, A], [A, A, A, A]],
        W::NoName         => [[A, A, A, A], [A, A, A, A], [A, A, A, A], [A, A, A, A]],
        W::NoServer       => [[A, A, A, A], [A, A, A, A], [A, A, A, A], [A, A, A, A]],
    }
}

/// How much time the hasty desk gives a request.
const HASTE: &str = "request-ms = 700";
/// Whom every CRM has.
const MARIA: &str = "+5511987654321";
/// What is added later, as [`Field::additions`] finds it again.
pub(crate) const ADDED: &str = "Venda";

/// A CRM with its plugin.
pub(crate) trait Field {
    const PLUGIN: Plugin;
    /// Where the CRM is.
    fn origin(&self) -> &str;
    /// A desk that reaches it at an origin, with a line more in its grant's limits.
    async fn desk(&self, origin: &str, limits: &str) -> Desk;
    /// The requests of a call, each by what its first line holds.
    fn requests(call: Call) -> &'static [&'static str];
    /// A call of one customer's, under a key.
    fn entry(&self, key: String) -> JournalEntry;
    /// How many entries the CRM has of these.
    async fn entries(&self, written: &JournalEntry) -> usize;
    /// How often it has what was added to the entry.
    async fn additions(&self, written: &JournalEntry, later: &JournalEntry) -> usize;
    /// How many contacts have this name.
    async fn people(&self, name: &str) -> usize;
}

/// The desk for one weather, and the requests at which it strikes.
struct Struck<'d, F> {
    weather: Weather,
    proxy: &'d Proxy,
    desk: &'d Desk,
    is_away: bool,
    field: std::marker::PhantomData<F>,
}

impl<F: Field> Struck<'_, F> {
    /// Lets the weather strike at each request of a call in turn, and judges what the plugin made of it.
    async fn judge<T: std::fmt::Debug>(&self, call: Call, make: impl AsyncFn(&Desk) -> Result<T, CallError>) {
        let said = expected(self.weather)[F::PLUGIN as usize][call as usize];
        // Where nothing arrives, one request is like another.
        let requests = if self.is_away { &[""] } else { F::requests(call) };
        for request in requests {
            self.proxy.turn_for(request, self.weather);
            let what = || format!("{:?}, {call:?} at `{request}` in {:?}", F::PLUGIN, self.weather);
            said.judge(make(self.desk).await).unwrap_or_else(|e| panic!("{}: {e}", what()));
            // What an earlier try has done needs no further request.
            let struck = self.proxy.struck() > 0 || self.is_away || said == Said::Done;
            assert!(struck, "{}: there is no such request any more", what());
        }
        self.proxy.turn(Weather::Fair);
    }
}

/// Runs a test at the right desk for each kind of weather.
async fn in_any_weather<F: Field>(field: &F, test: impl AsyncFn(usize, &Desk, Struck<'_, F>)) {
    let proxy = Proxy::before(field.origin()).await.unwrap();
    let usual = field.desk(&proxy.origin, "").await;
    let hasty = field.desk(&proxy.origin, HASTE).await;
    for (number, weather) in Weather::all().enumerate() {
        let away = match proxy.origin_in(weather).await.unwrap() {
            Some(origin) => Some(field.desk(&origin, "").await),
            None => None,
        };
        let patient = if weather.outlasts() { &hasty } else { &usual };
        let desk = away.as_ref().unwrap_or(patient);
        let field = std::marker::PhantomData;
        let struck = Struck { weather, proxy: &proxy, desk, is_away: away.is_some(), field };
        test(number, &usual, struck).await;
    }
}

/// A call is written down and added to, once, in any weather.
pub(crate) async fn a_call_is_written_and_added_to_once<F: Field>(field: &F) {
    in_any_weather(field, async |number, usual, struck: Struck<'_, F>| {
        let weather = struck.weather;
        let written = field.entry(format!("0191a5f2-7f3a-7000-8000-{number:012}"));
        let write =
            async |desk: &Desk| desk.call(Purpose::Journal, WriteJournal { entry: written.clone() }).await;
        struck.judge(Call::Write, write).await;
        let record: RecordRef = write(usual).await.unwrap_or_else(|e| panic!("after {weather:?}: {e}"));
        assert_eq!(field.entries(&written).await, 1, "entries after {weather:?}");

        let later = JournalEntry {
            idempotency_key: format!("0191a5f2-7f3a-7000-8001-{number:012}"),
            disposition: Some(ADDED.into()),
            ..written.clone()
        };
        let amend = async |desk: &Desk| {
            let (record, entry) = (record.clone(), later.clone());
            desk.call(Purpose::Journal, AmendJournal { record, entry }).await
        };
        struck.judge(Call::Amend, amend).await;
        amend(usual).await.unwrap_or_else(|e| panic!("after {weather:?}: {e}"));
        assert_eq!(field.entries(&written).await, 1, "entries after {weather:?}");
        assert_eq!(field.additions(&written, &later).await, 1, "additions after {weather:?}");
    })
    .await;
}

/// Who calls is found in any weather.
pub(crate) async fn a_caller_is_found<F: Field>(field: &F) {
    in_any_weather(field, async |_, _, struck: Struck<'_, F>| {
        struck.judge(Call::Find, async |desk: &Desk| desk.who_is(MARIA).await).await;
    })
    .await;
}

/// Who is new is one contact in any weather; of the kinds those whose number is one of these.
pub(crate) async fn a_new_customer_is_one_contact<F: Field>(field: &F, of: impl Fn(usize) -> bool) {
    in_any_weather(field, async |number, usual, struck: Struck<'_, F>| {
        if !of(number) {
            return;
        }
        let weather = struck.weather;
        let name = format!("Rita Inventada {number}");
        let draft = ContactDraft {
            name: Some(name.as_str().into()),
            phones: vec![format!("+55119123400{number:02}").as_str().into()],
            ..ContactDraft::default()
        };
        let create =
            async |desk: &Desk| desk.call(Purpose::Search, CreateContact { draft: draft.clone() }).await;
        struck.judge(Call::Create, create).await;
        create(usual).await.unwrap_or_else(|e| panic!("after {weather:?}: {e}"));
        assert_eq!(field.people(&name).await, 1, "contacts after {weather:?}");
    })
    .await;
}
