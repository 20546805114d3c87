//! `[[route]]`: one shape of request. Which method and address, which class may stand where, and what comes
//! back; whatever a route does not list neither leaves nor arrives.

use std::collections::{BTreeMap, BTreeSet};

use super::credential::{holes, is_hosts_header, is_name, is_token, read_request, template_in};
use super::{Ask, Target};
use crate::bounded::Bounded;
use crate::class::{ClassSet, DataClass, Direction, Level};
use crate::ids::{CredentialId, RouteId};
use crate::pointer::Pattern;
use crate::purpose::Purpose;
use crate::request::Method;
use crate::settings::SettingsSchema;
use crate::source::{Item, Section, nearest, quote};
use crate::spec::{FieldSpec, Receive, ReceiveOne};
use crate::template::{Language, Template};

/// One shape of request.
#[derive(Debug, Clone)]
pub struct RouteDecl {
    /// Its name, by which plugins call it and grants allow it.
    pub id: RouteId,
    /// What it may be used for: some of the plugin's purposes, at least one.
    pub purposes: BTreeSet<Purpose>,
    /// Why it is needed, in the author's words.
    pub reason: Option<String>,
    /// The method.
    pub method: Method,
    /// The whole address with its placeholders.
    pub url: Template,
    /// Where it leads.
    pub target: Target,
    /// The credential that the host adds; one of the manifest's.
    pub credential: Option<CredentialId>,
    /// The parameters that the plugin gives, in the order of the file, and what each may hold.
    pub params: Vec<(String, FieldSpec)>,
    /// Templates that are used as placeholders of others.
    pub parts: BTreeMap<String, (Language, Template)>,
    /// Headers, in the order of the file; none that is the host's.
    pub headers: Vec<(String, Template)>,
    /// Places of the JSON body and what may stand there. Empty: no body.
    pub send: Vec<(Pattern, FieldSpec)>,
    /// Places of a good answer and what is taken from them.
    pub receive: Vec<(Pattern, Receive)>,
    /// Places of an answer with a status from 400 and what is taken from them.
    pub receive_error: Vec<(Pattern, Bounded)>,
}

impl RouteDecl {
    /// The classes that may leave with a request.
    pub fn sends(&self) -> ClassSet {
        self.params
            .iter()
            .map(|(_, spec)| spec)
            .chain(self.send.iter().map(|(_, spec)| spec))
            .flat_map(|spec| spec.classes().iter())
            .collect()
    }
    /// The classes that may come back.
    pub fn receives(&self) -> ClassSet {
        self.receive.iter().flat_map(|(_, what)| what.classes().iter()).collect()
    }
}

/// What the rest of the manifest says.
pub(super) struct Context<'a> {
    pub(super) purposes: &'a BTreeSet<Purpose>,
    pub(super) asks: &'a BTreeMap<DataClass, Ask>,
    /// `None` when the schema itself is wrong: then nothing is said about settings.
    pub(super) settings: Option<&'a SettingsSchema>,
    pub(super) credentials: &'a [&'a str],
    /// Those of them that prove who sends to a hook.
    pub(super) hook_credentials: &'a [&'a str],
}

pub(super) fn read_all(items: &[Item<'_>], context: &Context<'_>) -> Vec<RouteDecl> {
    let mut all: Vec<RouteDecl> = Vec::with_capacity(items.len());
    for item in items {
        let Some(section) = item.section("[[route]]".to_owned()) else { continue };
        let Some(route) = read_one(&section, context) else { continue };
        if all.iter().any(|other| other.id == route.id) {
            item.wrong(format!("there are two routes {}; give one another id", quote(route.id.as_str())));
            continue;
        }
        all.push(route);
    }
    all
}

fn read_one(section: &Section<'_>, context: &Context<'_>) -> Option<RouteDecl> {
    let id = section.need("id", "id = \"find-by-phone\"").and_then(|i| i.parse());
    let purposes = section.need("purposes", "purposes = [\"screen-pop\"]").map(|i| purposes(&i, context));
    let reason = section.get("reason").map_or(Some(None), |i| i.line(1..=300).map(Some));
    let request_item = section.need("request", "request = \"GET https://host/path\"");
    let request = request_item.as_ref().and_then(|item| read_request(item, context.settings));
    let credential = section.get("credential").map_or(Some(None), |i| credential(&i, context).map(Some));
    let param_items = section.get("params").map(|i| i.entries()).unwrap_or_default();
    let params: Vec<(String, FieldSpec)> = param_items.iter().filter_map(|i| param(i, context)).collect();
    let part_items = section.get("part").map(|i| i.entries()).unwrap_or_default();
    let parts: Vec<(Item<'_>, Language, Template)> = part_items.iter().filter_map(part).collect();
    let header_items = section.get("header").map(|i| i.entries()).unwrap_or_default();
    let headers: Vec<(Item<'_>, Template)> = header_items.iter().filter_map(|i| header(i)).collect();
    check_header_names(&headers);
    let send =
        section.get("send").map(|i| send(&i, request.as_ref().map(|r| r.0), context)).unwrap_or_default();
    let receive = places(section.get("receive"), |item| receive(item, context));
    let receive_error = places(section.get("receive-error"), receive_error);
    section.finish();

    let names: Vec<&str> =
        param_items.iter().map(Item::key).chain(part_items.iter().map(Item::key)).collect();
    let known = |name: &str| names.contains(&name);
    const ALLOWED: &str = "a name of `params`, a name of `part` or {setting.NAME}";
    if let (Some(item), Some((_, url, _))) = (&request_item, &request) {
        holes(item, url, context.settings, known, ALLOWED);
    }
    for (item, _, template) in &parts {
        holes(item, template, context.settings, known, ALLOWED);
    }
    for (item, template) in &headers {
        holes(item, template, context.settings, known, ALLOWED);
    }
    for item in part_items.iter().filter(|part| param_items.iter().any(|param| param.key() == part.key())) {
        item.wrong_key(format!("{} is a parameter already; give the part another name", quote(item.key())));
    }
    if parts.len() == part_items.len()
        && headers.len() == header_items.len()
        && let Some((_, url, _)) = &request
    {
        let used = |name: &str| {
            url.holes().any(|hole| hole == name)
                || parts.iter().any(|(item, _, template)| {
                    item.key() != name && template.holes().any(|hole| hole == name)
                })
                || headers.iter().any(|(_, template)| template.holes().any(|hole| hole == name))
        };
        for item in param_items.iter().chain(&part_items).filter(|item| !used(item.key())) {
            item.wrong_key(format!(
                "{} is declared and used nowhere; put {{{}}} into the request or remove it",
                quote(item.key()),
                item.key().chars().take(64).collect::<String>()
            ));
        }
    }

    let (method, url, target) = request?;
    Some(RouteDecl {
        id: id?,
        purposes: purposes?,
        reason: reason?,
        method,
        url,
        target,
        credential: credential?,
        params,
        parts: parts.into_iter().map(|(item, language, t)| (item.key().to_owned(), (language, t))).collect(),
        headers: headers.into_iter().map(|(item, template)| (item.key().to_owned(), template)).collect(),
        send,
        receive,
        receive_error,
    })
}

fn purposes(item: &Item<'_>, context: &Context<'_>) -> BTreeSet<Purpose> {
    let purposes: BTreeSet<Purpose> = item.set();
    if item.value().as_array().is_some_and(|list| list.is_empty()) {
        item.wrong("a route without a purpose is never used; list at least one");
    }
    for each in item.list() {
        if let Some(purpose) = each.text().and_then(|text| text.parse::<Purpose>().ok())
            && !context.purposes.is_empty()
            && !context.purposes.contains(&purpose)
        {
            each.wrong(format!(
                "`{purpose}` is not among the plugin's purposes; add it to `purposes` of [plugin]"
            ));
        }
    }
    purposes
}

fn credential(item: &Item<'_>, context: &Context<'_>) -> Option<CredentialId> {
    let id: CredentialId = item.parse()?;
    if !context.credentials.contains(&id.as_str()) {
        let near = nearest(id.as_str(), context.credentials.iter().copied());
        let help = near.map_or_else(
            || format!("add a [[credential]] with id = \"{id}\""),
            |near| format!("did you mean `{near}`?"),
        );
        item.wrong(format!("there is no credential `{id}`; {help}"));
        return None;
    }
    if context.hook_credentials.contains(&id.as_str()) {
        item.wrong(format!(
            "`{id}` proves who sends to a hook and is never sent; give the route a credential of another kind"
        ));
        return None;
    }
    Some(id)
}

fn param(item: &Item<'_>, context: &Context<'_>) -> Option<(String, FieldSpec)> {
    if !is_name(item.key()) {
        item.wrong_key(format!(
            "{} is no name; use a-z, 0-9, `_` and `-`, a letter first",
            quote(item.key())
        ));
        return None;
    }
    let spec: FieldSpec = item.parse()?;
    asked_at_all(item, spec.classes(), context);
    Some((item.key().to_owned(), spec))
}

/// What leaves must have come in: from the panel or from the CRM.
fn asked_at_all(item: &Item<'_>, classes: ClassSet, context: &Context<'_>) {
    for class in classes.iter() {
        match context.asks.get(&class) {
            None => item.wrong(format!(
                "`{class}` goes out here and nothing asks for it; add [ask.\"{class}\"] with levels and a reason"
            )),
            Some(ask) if ask.most() < Level::Sealed => item.wrong(format!(
                "`{class}` goes out here and [ask.\"{class}\"] asks for `{}` only, which is no value to send; ask for `sealed`",
                ask.most()
            )),
            Some(_) => {}
        }
    }
}

fn part<'a>(item: &Item<'a>) -> Option<(Item<'a>, Language, Template)> {
    if !is_name(item.key()) {
        item.wrong_key(format!(
            "{} is no name; use a-z, 0-9, `_` and `-`, a letter first",
            quote(item.key())
        ));
        return None;
    }
    let entries = item.entries();
    let [one] = entries.as_slice() else {
        if item.value().is_table() {
            item.wrong("a part is one text in one language; write part.NAME.json = '…'");
        }
        return None;
    };
    let Some(language) = Language::of_part(one.key()) else {
        one.wrong_key(format!(
            "{} is no language of a part; use json, soql, odata or text",
            quote(one.key())
        ));
        return None;
    };
    let template = template_in(one, language)?;
    Some((item.clone(), language, template))
}

fn header<'a>(item: &Item<'a>) -> Option<(Item<'a>, Template)> {
    let name = item.key();
    if !is_token(name) {
        item.wrong_key(format!("{} is no header name; use letters, digits and `-`", quote(name)));
        return None;
    }
    if name.eq_ignore_ascii_case("authorization") {
        item.wrong_key("the header `Authorization` carries a credential; declare a [[credential]] and name it in `credential`");
        return None;
    }
    if is_hosts_header(name) {
        item.wrong_key(format!("the header {} is the host's own; remove it", quote(name)));
        return None;
    }
    let text = item.text()?;
    if !text.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) || text.trim() != text || text.is_empty() {
        item.wrong("a header's value is visible ASCII text without spaces at its ends; encode anything else with {part:base64url}");
        return None;
    }
    let template = template_in(item, Language::Header)?;
    Some((item.clone(), template))
}

fn check_header_names(headers: &[(Item<'_>, Template)]) {
    for (index, (item, _)) in headers.iter().enumerate() {
        if headers.iter().take(index).any(|(other, _)| other.key().eq_ignore_ascii_case(item.key())) {
            item.wrong_key(format!(
                "the header {} is given twice; upper and lower case are one",
                quote(item.key())
            ));
        }
    }
}

fn send(item: &Item<'_>, method: Option<Method>, context: &Context<'_>) -> Vec<(Pattern, FieldSpec)> {
    if method == Some(Method::Get) {
        item.wrong_key("a GET has no body; use POST, or put the value into the address with `params`");
    }
    places(Some(item.clone()), |entry| {
        let spec: FieldSpec = entry.parse()?;
        asked_at_all(entry, spec.classes(), context);
        Some(spec)
    })
}

/// A table of places, each listed once.
pub(super) fn places<T>(item: Option<Item<'_>>, read: impl Fn(&Item<'_>) -> Option<T>) -> Vec<(Pattern, T)> {
    let mut all: Vec<(Pattern, T)> = Vec::new();
    for entry in item.iter().flat_map(Item::entries) {
        let pattern = match entry.key().parse::<Pattern>() {
            Ok(pattern) => pattern,
            Err(error) => {
                entry.wrong_key(format!("{} is no place; {error}", quote(entry.key())));
                continue;
            }
        };
        let Some(value) = read(&entry) else { continue };
        if all.iter().any(|(other, _)| *other == pattern) {
            entry.wrong_key(format!("the place {} is listed twice", quote(entry.key())));
            continue;
        }
        all.push((pattern, value));
    }
    all.shrink_to_fit();
    all
}

pub(super) fn receive(item: &Item<'_>, context: &Context<'_>) -> Option<Receive> {
    let received = if item.value().is_table() {
        let section = item.section("the switch".to_owned())?;
        let field = section.need("switch", "switch = \"type\", the name of a field beside this one");
        let field = field.and_then(|i| i.line(1..=64));
        let case_items = section.need("case", "case = { phone = \"contact.phone\" }").map(|i| i.entries());
        section.finish();
        let items = case_items?;
        if items.is_empty() {
            item.wrong("a switch without a case takes nothing; list at least one");
        }
        let mut cases = Vec::new();
        for case in &items {
            let one: Option<ReceiveOne> = case.parse();
            cases.extend(one.map(|one| (case.key().to_owned(), one)));
        }
        if !item.key().parse::<Pattern>().is_ok_and(|pattern| pattern.has_siblings()) {
            item.wrong_key("a switch looks at a field beside the place, and this place has none; end it with a field's name");
        }
        Receive::Switch { field: field?, cases }
    } else {
        Receive::One(item.parse::<ReceiveOne>()?)
    };
    for class in received.classes().iter() {
        match context.asks.get(&class) {
            None => item.wrong(format!(
                "`{class}` comes back here and nothing asks for it; add [ask.\"{class}\"] with from-crm = \"sealed\" and a reason"
            )),
            Some(ask) if ask.level(Direction::FromCrm) == Level::None => item.wrong(format!(
                "`{class}` comes back here and [ask.\"{class}\"] has no `from-crm`; add from-crm = \"sealed\""
            )),
            Some(_) => {}
        }
    }
    Some(received)
}

fn receive_error(item: &Item<'_>) -> Option<Bounded> {
    match item.parse::<ReceiveOne>()? {
        ReceiveOne::Bounded(bounded) => Some(bounded),
        ReceiveOne::Class(class) => {
            item.wrong(format!(
                "`{class}` cannot come back in an error, where CRMs put all kinds of text; use a bounded type such as enum(a|b)"
            ));
            None
        }
    }
}
