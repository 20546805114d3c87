//! The limit: the same component, called in a fresh instance by wasmtime alone. No right, no seal, no request, no
//! projection, no ledger; the host's `send-all` answers with the whole body at once.

use wasmtime::component::{Component, HasSelf, InstancePre, Linker};
use wasmtime::{Engine, Store};

mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "plugin",
        imports: { "ramal:crm/egress": async, "ramal:crm/store": async },
        exports: { default: async },
    });
}

use bindings::exports::ramal::crm::contacts::GuestIndices;
use bindings::ramal::crm::{egress, log, settings, store, text, types};

pub(crate) struct Bare {
    engine: Engine,
    component: InstancePre<Host>,
    contacts: GuestIndices,
}

pub(crate) struct Host {
    body: String,
}

impl Bare {
    pub(crate) fn new((engine, component): (Engine, Component)) -> Self {
        let mut linker = Linker::new(&engine);
        bindings::Plugin::add_to_linker::<Host, HasSelf<Host>>(&mut linker, |host| host).unwrap();
        let component = linker.instantiate_pre(&component).unwrap();
        let contacts = GuestIndices::new(&component).unwrap();
        Self { engine, component, contacts }
    }

    fn store(&self, body: &str) -> Store<Host> {
        let mut store = Store::new(&self.engine, Host { body: body.to_owned() });
        store.set_epoch_deadline(u64::MAX / 2);
        store
    }

    pub(crate) async fn find(&self, body: &str) -> usize {
        let mut store = self.store(body);
        let instance = self.component.instantiate_async(&mut store).await.unwrap();
        let guest = self.contacts.load(&mut store, &instance).unwrap();
        let found = guest.call_find_by_phone(&mut store, &["+5511987654007".to_owned()]).await.unwrap();
        found.unwrap().len()
    }

    pub(crate) async fn instantiate(&self) {
        let mut store = self.store("");
        self.component.instantiate_async(&mut store).await.unwrap();
    }
}

impl types::Host for Host {}
impl egress::Host for Host {
    async fn send(&mut self, _: egress::Call) -> Result<egress::Reply, egress::Failure> {
        Ok(egress::Reply { status: 200, body: self.body.clone() })
    }
    async fn send_all(&mut self, calls: Vec<egress::Call>) -> Vec<Result<egress::Reply, egress::Failure>> {
        calls.iter().map(|_| Ok(egress::Reply { status: 200, body: self.body.clone() })).collect()
    }
}
impl settings::Host for Host {
    fn all(&mut self) -> String {
        r#"{"server":"http://127.0.0.1:7788"}"#.to_owned()
    }
}
impl log::Host for Host {
    fn write(&mut self, _: log::Level, message: String) {
        panic!("the guest logged: {message}");
    }
}
impl store::Host for Host {
    async fn get(&mut self, _: String) -> Result<Option<String>, store::Failure> {
        Err(store::Failure::Unavailable)
    }
    async fn set(&mut self, _: String, _: String, _: Option<u32>) -> Result<(), store::Failure> {
        Err(store::Failure::Unavailable)
    }
    async fn delete(&mut self, _: String) -> Result<(), store::Failure> {
        Err(store::Failure::Unavailable)
    }
}
impl text::Host for Host {
    fn phone_format(&mut self, value: String, _: text::PhoneStyle) -> Result<String, String> {
        Ok(value)
    }
    fn phone_variants(&mut self, value: String) -> Vec<String> {
        vec![value]
    }
    fn given_name(&mut self, value: String) -> String {
        value
    }
    fn family_name(&mut self, value: String) -> String {
        value
    }
    fn lower(&mut self, value: String) -> String {
        value
    }
    fn same(&mut self, a: String, b: String) -> Result<bool, String> {
        Ok(a == b)
    }
}
