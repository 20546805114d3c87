//! A core module becomes a component, with the plugin's sections at its end.

use wit_component::ComponentEncoder;

use crate::PackError;
use crate::section::{MANIFEST_SECTION, SDK_SECTION, append, without};

/// Makes a component of a core module that an SDK built, and appends the manifest and, if given, what it was
/// built with (JSON, see [`Sdk`](crate::Sdk)).
///
/// Neither text is checked: tests build plugins with it that a host must refuse. [`build`](crate::build()) is for
/// those that it must not.
///
/// # Errors
/// When the module holds no component type, or is not what its type says.
pub fn componentize(core: &[u8], manifest: &str, sdk: Option<&str>) -> Result<Vec<u8>, PackError> {
    // The section moves out to the component, where readers look; inside it would be a second truth.
    let core = without(core, SDK_SECTION)?;
    let component = ComponentEncoder::default().validate(true).module(&core).and_then(|mut e| e.encode());
    let mut component = component.map_err(|e| PackError::Component(format!("{e:#}")))?;
    append(&mut component, MANIFEST_SECTION, manifest.as_bytes());
    if let Some(sdk) = sdk {
        append(&mut component, SDK_SECTION, sdk.as_bytes());
    }
    Ok(component)
}
