//! The pages for people: a contact's `url` opens one. Plain HTML without scripts.
//!
//! They ask for no login, so that a link in a card just opens. What protects them is the loopback listener,
//! and a look at the `Host` header: without it a page on the web could point its own name at this machine
//! and read them through the visitor's browser.

use std::fmt::Write as _;
use std::net::IpAddr;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;

use crate::PracticeCrm;
use crate::book::Book;
use crate::id::ContactId;
use crate::records::{Contact, DealState};

const BANNER: &str = "Practice CRM: every person here is invented";
const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:0 auto;padding:0 1rem 3rem;color:#1c2430}\
    .banner{background:#fff3cd;border-bottom:1px solid #e0c76f;margin:0 -1rem 1.5rem;padding:.6rem 1rem}\
    table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.35rem .8rem .35rem 0;\
    border-bottom:1px solid #e3e7ec;vertical-align:top}th{font-weight:600}a{color:#0b5cad}";
/// No script, no frame, nothing from elsewhere; the style is in the page.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
);

pub(crate) fn router(crm: PracticeCrm) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/contacts/{id}", get(contact))
        .fallback(async || missing())
        .layer(from_fn(for_this_machine))
        .with_state(crm)
}

/// Lets a request through that was sent to a name of this machine, and keeps the answer from caches and frames.
async fn for_this_machine(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST);
    let is_local = host.is_none_or(|host| host.to_str().is_ok_and(is_name_of_this_machine));
    if !is_local {
        let text =
            "open the practice CRM under 127.0.0.1 or localhost: this page is for this machine alone\n";
        return (StatusCode::MISDIRECTED_REQUEST, text).into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn is_name_of_this_machine(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    name == "localhost"
        || name.ends_with(".localhost")
        || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

async fn index(State(crm): State<PracticeCrm>) -> Html<String> {
    let book = crm.book.read();
    let mut rows = String::new();
    for contact in book.contacts.values() {
        let open = book.deals_of(contact.id, Some(DealState::Open)).count();
        let _ = write!(
            rows,
            "<tr><td><a href=\"/contacts/{}\">{}</a><td>{}<td>{}<td>{open}",
            contact.id,
            Escaped(&contact.name),
            Escaped(contact.company.as_deref().unwrap_or_default()),
            Escaped(contact.city.as_deref().unwrap_or_default()),
        );
    }
    let body = format!(
        "<h1>{}</h1><table><tr><th>Name<th>Company<th>City<th>Open deals{rows}</table>",
        Escaped(&book.account.name)
    );
    page(&book.account.name, &body)
}

async fn contact(State(crm): State<PracticeCrm>, Path(id): Path<String>) -> Response {
    let book = crm.book.read();
    match id.parse::<ContactId>().ok().and_then(|id| book.contacts.get(&id)) {
        Some(contact) => page(&contact.name, &describe(contact, &book)).into_response(),
        None => missing(),
    }
}

fn describe(contact: &Contact, book: &Book) -> String {
    let owner = contact.owner_id.and_then(|id| book.users.get(&id)).map(|user| user.name.as_str());
    let (phones, emails) = (contact.phones.join(", "), contact.emails.join(", "));
    let fields = [
        ("Company", contact.company.as_deref()),
        ("Telephone", Some(phones.as_str())),
        ("E-mail", Some(emails.as_str())),
        ("Document", contact.document.as_deref()),
        ("City", contact.city.as_deref()),
        ("Customer since", Some(contact.since.as_str())),
        ("Looked after by", owner),
    ];
    let mut body = format!("<p><a href=\"/\">All contacts</a></p><h1>{}</h1><table>", Escaped(&contact.name));
    for (label, value) in fields.into_iter().filter_map(|(label, value)| Some((label, value?))) {
        let _ = write!(body, "<tr><th>{label}<td>{}", Escaped(value));
    }
    body.push_str("</table>");
    let deals = book.deals_of(contact.id, None);
    section(
        &mut body,
        "Deals",
        deals.map(|deal| {
            format!("{} ({}): {} {}", deal.title, deal.stage, deal.value.currency, deal.value.amount)
        }),
    );
    section(&mut body, "Notes", book.notes_of(contact.id).map(|note| note.text.clone()));
    let activities = book.activities_of(contact.id);
    section(
        &mut body,
        "Activities",
        activities.map(|activity| {
            [Some(activity.subject.as_str()), activity.outcome.as_deref(), activity.body.as_deref()]
                .into_iter()
                .flatten()
                .filter(|text| !text.is_empty())
                .collect::<Vec<_>>()
                .join(" · ")
        }),
    );
    body
}

fn section(body: &mut String, title: &str, items: impl Iterator<Item = String>) {
    let mut items = items.peekable();
    if items.peek().is_none() {
        return;
    }
    let _ = write!(body, "<h2>{title}</h2><ul>");
    for item in items {
        let _ = write!(body, "<li>{}", Escaped(&item));
    }
    body.push_str("</ul>");
}

fn missing() -> Response {
    let body =
        "<h1>Nothing here</h1><p>This contact may have been deleted. <a href=\"/\">All contacts</a></p>";
    (StatusCode::NOT_FOUND, page("Nothing here", body)).into_response()
}

fn page(title: &str, body: &str) -> Html<String> {
    Html(format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{} · Practice CRM</title>\
         <style>{STYLE}</style><body><div class=\"banner\" role=\"note\">{BANNER}</div>{body}</body></html>",
        Escaped(title)
    ))
}

/// Text within HTML. Whoever may write a contact may put a tag in its name.
struct Escaped<'a>(&'a str);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::loopback("127.0.0.1:8099", true)]
    #[case::loopback_v6("[::1]:8099", true)]
    #[case::localhost("localhost", true)]
    #[case::below_localhost("crm.localhost:8099", true)]
    #[case::name_that_points_here("crm.example:8099", false)]
    #[case::name_that_looks_local("localhost.example", false)]
    #[case::other_machine("192.0.2.7", false)]
    #[case::empty("", false)]
    fn only_names_of_this_machine_open_a_page(#[case] host: &str, #[case] expected: bool) {
        assert_eq!(is_name_of_this_machine(host), expected);
    }
}
