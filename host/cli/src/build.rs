//! `ramal build`: from a plugin's source to one file.

use ramal_pack::{Options, PackError, Packed};
use serde_json::json;

use crate::args::BuildArgs;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::{Cell, Page, Terminal, bytes};

/// Builds, then prints where the plugin is, how large, and the digest that grants are bound to.
pub(crate) fn run(terminal: &Terminal, args: &BuildArgs) -> Outcome {
    let options = Options {
        out: args.out.clone(),
        locked: args.locked,
        // Cargo speaks on standard error; a script gets its words in the error instead.
        show_cargo: !terminal.is_json(),
        ..Options::default()
    };
    let packed = ramal_pack::build(&args.path, &options).map_err(failed)?;
    if terminal.is_json() {
        return terminal.document(&json!({
            "id": packed.id,
            "path": packed.path,
            "bytes": packed.bytes_len,
            "digest": packed.digest,
            "sdk": packed.sdk,
        }));
    }
    terminal.show(&page(&packed))
}

fn page(packed: &Packed) -> Page {
    let mut page = Page::new();
    let sdk = format!("{} {}, ramal:crm {}", packed.sdk.lang, packed.sdk.sdk, packed.sdk.wit);
    page.title(&format!("built {}", packed.id)).fields(&[
        ("file", packed.path.display().to_string().into()),
        ("size", bytes(packed.bytes_len as u64).into()),
        ("digest", packed.digest.to_string().into()),
        ("SDK", Cell::faint(sdk)),
    ]);
    page
}

fn failed(error: PackError) -> Failure {
    let exit = match &error {
        PackError::NoCargo { .. } | PackError::NoTarget | PackError::File { doing: "write", .. } => {
            Exit::Environment
        }
        PackError::NoCrate(_)
        | PackError::NoManifest(_)
        | PackError::NoPackage(_)
        | PackError::File { .. } => Exit::Input,
        PackError::Manifest { .. } => Exit::Input,
        _ => Exit::Failed,
    };
    match error {
        PackError::Manifest { path, source } => {
            Failure::source(format!("the manifest {}", path.display()), *source)
        }
        // Its text ends with what cargo said, which is not ours to take apart.
        error @ PackError::Cargo { .. } => Failure::new(exit, error).of_plugin(),
        error => Failure::new(exit, error).context("the plugin was not built"),
    }
}
