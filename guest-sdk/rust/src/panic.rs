//! A guest's panic in the host's log.
//!
//! Without this hook a panic on `wasm32-unknown-unknown` is a bare trap: the operator would see an unnamed
//! wasm function and nothing of what happened. The message goes through the host's masking as any other line.

use std::sync::Once;

use crate::bindings::ramal::crm::log;

/// Installs the hook at the first call of an export.
pub(crate) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            let message = describe(info.location(), info.payload_as_str());
            log::write(log::Level::Error, &message);
        }));
    });
}

fn describe(place: Option<&std::panic::Location<'_>>, message: Option<&str>) -> String {
    let message = message.unwrap_or("(no message)");
    match place {
        Some(place) => format!("panicked at {place}: {message}"),
        None => format!("panicked: {message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_tells_its_place_and_message() {
        let here = std::panic::Location::caller();
        assert_eq!(describe(Some(here), Some("boom")), format!("panicked at {here}: boom"));
        assert_eq!(describe(None, None), "panicked: (no message)");
    }
}
