//! `ramal grant propose`: a draft that gives exactly what the manifest asks.

use jiff::ZonedDateTime;
use ramal_capability::Grant;

use crate::args::ProposeArgs;
use crate::component;
use crate::failure::{Failure, Outcome};
use crate::files;
use crate::output::{Cell, Page, Terminal};

/// Writes the draft.
pub(crate) fn run(terminal: &Terminal, args: &ProposeArgs) -> Outcome {
    let component = component::open(&args.file)?;
    let manifest = &component.inspected.manifest;
    let by = args.by.as_deref().unwrap_or_default();
    if by.chars().any(char::is_control) {
        return Err(Failure::usage("--by holds a control character").hint("write a name or an address"));
    }
    let settings = match &args.settings {
        Some(path) => Some(files::read_settings(Some(path), manifest)?),
        None => None,
    };
    let today = ZonedDateTime::now().date();
    let text =
        Grant::propose(manifest, component.inspected.digest, &args.tenant, by, today, settings.as_ref());
    let Some(out) = &args.out else {
        return terminal.print(&text);
    };
    files::write("grant", out, &text, args.force)?;
    let (path, file) = (files::name(out), files::name(&args.file));
    let with =
        args.settings.as_ref().map(|path| format!(" --settings {}", files::name(path))).unwrap_or_default();
    let mut page = Page::new();
    page.title(&format!("proposed a grant for {} {}", manifest.id, manifest.version)).fields(&[
        ("file", path.as_str().into()),
        ("tenant", args.tenant.as_str().into()),
        (
            "approved by",
            if by.is_empty() {
                Cell::careful("nobody yet: write who, it is not in force before")
            } else {
                by.into()
            },
        ),
        (
            "next",
            format!(
                "read it, remove what you do not want to give, then:\nramal grant check {path} {file}{with}"
            )
            .into(),
        ),
    ]);
    terminal.show(&page)
}
