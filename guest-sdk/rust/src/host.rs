//! What the SDK asks of the host, as one trait with two sides: the component's imports, and the test harness.

use crate::bindings::ramal::crm as wit;
use crate::{Call, Failure, Level, PhoneStyle, Reply, StoreFailure};

/// The imports of the world `plugin`, in the SDK's own types. Texts are bare strings here.
pub(crate) trait Host {
    fn settings(&self) -> String;
    fn send(&self, call: Call) -> Result<Reply, Failure>;
    fn send_all(&self, calls: Vec<Call>) -> Vec<Result<Reply, Failure>>;
    fn phone_format(&self, value: &str, style: PhoneStyle) -> Result<String, String>;
    fn phone_variants(&self, value: &str) -> Vec<String>;
    fn given_name(&self, value: &str) -> String;
    fn family_name(&self, value: &str) -> String;
    fn lower(&self, value: &str) -> String;
    fn same(&self, a: &str, b: &str) -> Result<bool, String>;
    fn get(&self, key: &str) -> Result<Option<String>, StoreFailure>;
    fn set(&self, key: &str, value: &str, ttl_seconds: Option<u32>) -> Result<(), StoreFailure>;
    fn delete(&self, key: &str) -> Result<(), StoreFailure>;
    fn log(&self, level: Level, message: &str);
}

/// The host as [`Cx`](crate::Cx) holds it. In a component it is the one concrete type, so that functions
/// which a plugin does not call are not linked, and its component does not import them: what is imported is
/// what the manifest has to explain. A test needs the choice.
#[cfg(target_family = "wasm")]
pub(crate) type Backend = Imports;
/// The host as [`Cx`](crate::Cx) holds it.
#[cfg(not(target_family = "wasm"))]
pub(crate) type Backend = dyn Host;

/// A hold on the host, for as long as the call lasts. In a component that is for ever.
#[cfg(target_family = "wasm")]
pub(crate) type Shared = &'static Imports;
/// A hold on the host, for as long as the call lasts.
#[cfg(not(target_family = "wasm"))]
pub(crate) type Shared = std::rc::Rc<dyn Host>;

/// The imports, as an export hands them to [`Cx`](crate::Cx).
pub(crate) fn imports() -> Shared {
    #[cfg(target_family = "wasm")]
    return &Imports;
    #[cfg(not(target_family = "wasm"))]
    return std::rc::Rc::new(Imports);
}

/// The real host, behind the component's imports.
pub(crate) struct Imports;

impl Host for Imports {
    fn settings(&self) -> String {
        wit::settings::all()
    }
    fn send(&self, call: Call) -> Result<Reply, Failure> {
        let route = call.route.clone();
        answered(route, wit::egress::send(&call.into()))
    }
    fn send_all(&self, calls: Vec<Call>) -> Vec<Result<Reply, Failure>> {
        let routes: Vec<String> = calls.iter().map(|c| c.route.clone()).collect();
        let calls: Vec<wit::egress::Call> = calls.into_iter().map(Into::into).collect();
        let answers = wit::egress::send_all(&calls);
        routes.into_iter().zip(answers).map(|(route, answer)| answered(route, answer)).collect()
    }
    fn phone_format(&self, value: &str, style: PhoneStyle) -> Result<String, String> {
        wit::text::phone_format(value, style.into())
    }
    fn phone_variants(&self, value: &str) -> Vec<String> {
        wit::text::phone_variants(value)
    }
    fn given_name(&self, value: &str) -> String {
        wit::text::given_name(value)
    }
    fn family_name(&self, value: &str) -> String {
        wit::text::family_name(value)
    }
    fn lower(&self, value: &str) -> String {
        wit::text::lower(value)
    }
    fn same(&self, a: &str, b: &str) -> Result<bool, String> {
        wit::text::same(a, b)
    }
    fn get(&self, key: &str) -> Result<Option<String>, StoreFailure> {
        Ok(wit::store::get(key)?)
    }
    fn set(&self, key: &str, value: &str, ttl_seconds: Option<u32>) -> Result<(), StoreFailure> {
        Ok(wit::store::set(key, value, ttl_seconds)?)
    }
    fn delete(&self, key: &str) -> Result<(), StoreFailure> {
        Ok(wit::store::delete(key)?)
    }
    fn log(&self, level: Level, message: &str) {
        wit::log::write(level.into(), message);
    }
}

fn answered(
    route: String,
    answer: Result<wit::egress::Reply, wit::egress::Failure>,
) -> Result<Reply, Failure> {
    Ok(answer.map(|reply| Reply { route, status: reply.status, body: reply.body })?)
}
