//! A runtime with the practice plugin, canned answers, and a ledger on disk.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use ramal_capability::{
    Actor, Authority, Clear, DataClass, Digest, EgressCall, Export, Grant, InteractionId, Invocation,
    Manifest, Plan, Prepared, Purpose, Reply, Subject, TenantId,
};
use ramal_egress::{Egress, Secret, StaticCredentials};
use ramal_engine::cache::CodeCache;
use ramal_engine::config::serving_engine;
use ramal_engine::precheck::{PrecheckLimits, check};
use ramal_engine::{Compiler, FindByPhone, Plugin, PoolSize, Runtime};
use ramal_ledger::JsonLines;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;
use wasmtime::component::Component;

/// Made up, as everything here.
const PHONE: &str = "+5511987654007";

pub(crate) struct World {
    runtime: Runtime,
    plugin: Plugin,
    wasm: Vec<u8>,
    grant: Grant,
    plan: Arc<Plan>,
    folder: tempfile::TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        let wasm = std::fs::read(fixture()).expect("the practice plugin is missing; run `make fixtures`");
        let grant =
            Grant::parse("grant.toml", include_str!("../../../../plugins/practice/grant.toml")).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let credentials = StaticCredentials::new().with(
            &grant.tenant,
            &grant.plugin,
            &"key".parse().unwrap(),
            Secret::new([("token", "made-up-practice-key")]),
        );
        let egress = Egress::builder()
            .credentials(Arc::new(credentials))
            .ledger(Arc::new(JsonLines::open(folder.path().join("disclosures.jsonl")).unwrap()))
            .canned(answer(1))
            .build()
            .unwrap();
        let runtime = Runtime::builder(folder.path().join("code"), Arc::new(egress))
            .compiler(Compiler::this_executable().unwrap())
            .build()
            .unwrap();
        // A bench calls more often in a minute than any grant allows, and always about one person.
        let mut grant = grant;
        grant.limits.calls_per_minute = Some(u64::MAX);
        let plugin = runtime.load(&wasm, &grant, &settings()).await.unwrap();
        let manifest =
            Manifest::parse("plugin.toml", include_str!("../../../../plugins/practice/plugin.toml")).unwrap();
        let plan = Arc::new(Plan::compile(&manifest, Digest([0; 32]), &grant, &settings()).unwrap());
        Self { runtime, plugin, wasm, grant, plan, folder }
    }

    /// The component in an engine like the runtime's, for the bare call.
    pub(crate) async fn component(&self) -> (wasmtime::Engine, Component) {
        let engine = serving_engine(&PoolSize::default()).unwrap();
        let cache = CodeCache::open(self.folder.path().join("bare")).unwrap();
        let checked = check(&self.wasm, &PrecheckLimits::default()).unwrap();
        let component =
            cache.compile(&engine, &Compiler::this_executable().unwrap(), &checked).await.unwrap();
        (engine, component)
    }

    pub(crate) async fn find(&self) -> usize {
        let called = self
            .plugin
            .call(authority(Purpose::ScreenPop), FindByPhone { candidates: vec![Clear::from(PHONE)] })
            .await;
        called.outcome.unwrap_or_else(|e| panic!("{e}")).len()
    }

    /// A call that the grant does not allow.
    pub(crate) async fn denied(&self) -> bool {
        let ask = FindByPhone { candidates: vec![Clear::from(PHONE)] };
        self.plugin.call(authority(Purpose::Sync), ask).await.outcome.is_err()
    }

    /// Loads the component for one tenant more.
    pub(crate) async fn load_shared(&self) -> Plugin {
        self.runtime.load(&self.wasm, &self.grant, &settings()).await.unwrap()
    }

    /// Loads a component that is in no cache.
    pub(crate) async fn load_cold(&self) -> Plugin {
        self.runtime.load(&salted(&self.wasm, u32::MAX), &self.grant, &settings()).await.unwrap()
    }

    /// Loads another component, as large as this one, whose code is in the cache after the first time.
    pub(crate) async fn load_another(&self, number: u32) -> Plugin {
        self.runtime.load(&salted(&self.wasm, number), &self.grant, &settings()).await.unwrap()
    }

    pub(crate) fn prepared(&self) -> (Invocation, Prepared) {
        let mut invocation = Invocation::begin(
            self.plan.clone(),
            authority(Purpose::ScreenPop),
            Export::ContactsFindByPhone,
            [7; 32],
        )
        .unwrap();
        let phone = invocation.hand_in(DataClass::ContactPhone, &Clear::from(PHONE)).unwrap().unwrap();
        let call =
            EgressCall { route: "find-by-phone".into(), params: vec![("phone".into(), phone)], body: None };
        let prepared = invocation.prepare(&call).unwrap();
        (invocation, prepared)
    }

    pub(crate) fn projected(&self, body: &[u8]) -> Reply {
        let (mut invocation, prepared) = self.prepared();
        invocation.project(&prepared, 200, body).unwrap()
    }
}

/// The component with a custom section more: other bytes, the same code.
fn salted(wasm: &[u8], salt: u32) -> Vec<u8> {
    let mut salted = wasm.to_vec();
    salted.extend([0, 9, 4, b's', b'a', b'l', b't']);
    salted.extend(salt.to_le_bytes());
    salted
}

fn fixture() -> PathBuf {
    let folder = std::env::var_os("RAMAL_FIXTURES").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/ramal")),
        PathBuf::from,
    );
    folder.join("practice.wasm")
}

fn settings() -> Value {
    json!({"server": "http://127.0.0.1:7788"})
}

fn authority(purpose: Purpose) -> Authority {
    Authority {
        tenant: TenantId::new("practice").unwrap(),
        purpose,
        interaction: Some(InteractionId(Uuid::from_u128(1))),
        actor: Actor::System,
        subject: Some(Subject("872f71146f476ca7fe88ad0a20184d6a".into())),
        at: Timestamp::now(),
    }
}

/// The answer to a search, some 2 KB for each contact: invented, and with more than anybody asked for.
pub(crate) fn answer(contacts: usize) -> Vec<u8> {
    let one = |number: usize| {
        json!({
            "id": format!("c-{number:04}"), "name": "Maria Aparecida Inventada", "company": "Transportes Exemplo (fictícia)",
            "phones": ["+5561987654001", "+556132100001"], "emails": ["maria@example.invalid"], "document": "123.456.001-00",
            "owner": {"id": "u-0002", "name": "Bruno Exemplo"}, "city": "Brasília", "since": "2021-03-04",
            "url": format!("http://127.0.0.1:7788/contacts/c-{number:04}"), "updated_ms": 1_794_984_507_780_u64,
            "birth_date": "1988-07-15", "job_title": "Diretora", "language": "pt-BR", "time_zone": "America/Sao_Paulo",
            "address": {"street": "Alameda da Ficção", "number": "68", "district": "Bairro Inventado", "city": "Brasília", "state": "DF", "postcode": "00000-006"},
            "credit": {"limit": "3500.00", "used": "222.90", "currency": "BRL", "days_overdue": 0},
            "consent": {"marketing": false, "source": "formulário do site", "at": "2025-02-10"},
            "scores": {"lead": 2, "churn": 0.74, "satisfaction": 2}, "tags": ["vip", "licitação"],
            "notes": [{"id": "n-0009", "author_id": "u-0003", "text": "Indicou dois clientes no ano passado, e pediu que ninguém ligasse antes das dez. Prefere receber propostas por escrito, com o prazo de entrega na primeira linha e as condições de pagamento logo abaixo. Em março mudou de endereço; a frota inventada cresceu de doze para dezenove veículos, e o contrato de exemplo vence em dezembro, com renovação que depende da diretoria."}],
            "deals": [
                {"id": "d-0011", "title": "Plano anual para a frota inventada", "state": "open", "stage": "negociação", "value": {"amount": "12500.00", "currency": "BRL"}, "expected_close": "2026-12-15", "owner_id": "u-0002", "updated_ms": 1_794_984_507_780_u64},
                {"id": "d-0012", "title": "Renovação do contrato de exemplo", "state": "won", "stage": "fechado", "value": {"amount": "8000.00", "currency": "BRL"}, "expected_close": "2026-06-30", "owner_id": "u-0002", "updated_ms": 1_794_984_507_780_u64}
            ],
            "activity_count": 7, "last_activity": {"id": "a-0031", "kind": "call", "subject": "Retorno sobre a proposta enviada na semana passada"},
            "links": {"self": "/api/v1/contacts/c-0001", "deals": "/api/v1/contacts/c-0001/deals", "export": "/api/v1/contacts/c-0001/export"}
        })
    };
    let items: Vec<Value> = (1..=contacts).map(one).collect();
    json!({"items": items, "total": contacts, "next": null}).to_string().into_bytes()
}

#[derive(Deserialize)]
struct Found {
    items: Vec<Person>,
}

/// What the plugin reads of an answer, read natively.
#[derive(Deserialize)]
#[expect(dead_code, reason = "reading them is what is measured")]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) company: Option<String>,
    pub(crate) phones: Vec<String>,
    pub(crate) emails: Vec<String>,
    pub(crate) owner: Option<Owner>,
    pub(crate) city: Option<String>,
    pub(crate) url: Option<String>,
    pub(crate) updated_ms: Option<u64>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "reading it is what is measured")]
pub(crate) struct Owner {
    pub(crate) name: Option<String>,
}

/// The peer "a native function": the same parse into the same fields.
pub(crate) fn parse(body: &[u8]) -> Vec<Person> {
    serde_json::from_slice::<Found>(body).unwrap().items
}
