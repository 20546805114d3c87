//! The files that came with a message, fetched from the provider when somebody first asks for them.

use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use ramal_channels::MediaError;

use super::{conversation, message_of};
use crate::access::Access;
use crate::interactions::identifier;
use crate::problem::{Problem, ProblemCode};
use crate::state::AppState;

/// A file of a message
///
/// As the customer sent it, by its place among the message's attachments, from 0. The first time it is fetched from the
/// provider, checked, and kept here; a provider keeps it for some weeks only.
#[utoipa::path(
    get, path = "/v1/interactions/{interaction}/messages/{message}/files/{n}", tag = "interactions", security(("token" = []), ("session" = [])),
    params(
        ("interaction" = String, Path, description = "Its identifier"),
        ("message" = String, Path, description = "The message's `id`"),
        ("n" = usize, Path, description = "Which attachment, from 0"),
    ),
    responses(
        (status = 200, description = "The file", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 401, description = "No valid token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is none", body = Problem, content_type = "application/problem+json"),
        (status = 502, description = "The provider did not give it", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn get_file(
    State(state): State<AppState>,
    Access(principal): Access,
    Path((id, message, n)): Path<(String, String, usize)>,
) -> Result<Response, Problem> {
    let none = || Problem::new(ProblemCode::NotFound, "the message has no such file");
    let conversation = conversation(&state, &principal.tenant, identifier(&id)?).await?;
    let message = message_of(&state, &conversation, &message).await.map_err(|_| none())?;
    let file = message.attachments.get(n).ok_or_else(none)?;
    let desk = state.channels().messages();
    let fetcher = desk.line(&principal.tenant, &conversation.source).ok().and_then(|line| line.files.clone());
    let (Some(fetcher), Some(folder)) = (fetcher, desk.folder()) else {
        return Err(
            none().hint("files are fetched for channels of the kind `whatsapp` that have an access token")
        );
    };
    if !is_file(&file.media_type) {
        return Err(none().hint("this attachment says what the message is; there is nothing to fetch"));
    }
    let unkept = |error: std::io::Error| {
        tracing::error!(kind = %error.kind(), "the folder of files cannot be used");
        Problem::new(ProblemCode::StoreFailed, "the folder of files cannot be used").hint("the log says why")
    };
    let path = folder.path(&principal.tenant, &conversation.source, &message.reference, n);
    if let Some(bytes) = folder.get(path.clone()).await.map_err(unkept)? {
        return Ok(answer(&file.media_type, bytes));
    }
    let fetched = fetcher.fetch(&file.reference).await.map_err(|error| {
        tracing::warn!(channel = %conversation.source, %error, "a file was not fetched");
        Problem::from(error)
    })?;
    folder.put(path, fetched.bytes.clone()).await.map_err(unkept)?;
    Ok(answer(&file.media_type, fetched.bytes.to_vec()))
}

/// Whether an attachment is a file, and no mark of what a message is.
fn is_file(media_type: &str) -> bool {
    !media_type.starts_with("whatsapp/") && !media_type.ends_with("/*")
}

/// A stranger's file: it is never shown as a page of ours.
fn answer(media_type: &str, bytes: Vec<u8>) -> Response {
    let octets = HeaderValue::from_static("application/octet-stream");
    let kind = HeaderValue::from_str(media_type).ok().filter(|_| {
        ["image/jpeg", "image/png", "image/webp", "audio/", "video/"]
            .iter()
            .any(|of| media_type.starts_with(of))
    });
    let headers = [
        (header::CONTENT_TYPE, kind.unwrap_or(octets)),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
    ];
    (headers, bytes).into_response()
}

impl From<MediaError> for Problem {
    fn from(error: MediaError) -> Self {
        let (code, hint) = match &error {
            MediaError::Refused { status: 404, .. } | MediaError::NoIdentifier => {
                (ProblemCode::NotFound, "ask the customer to send it again")
            }
            MediaError::OtherHost | MediaError::TooLarge { .. } => {
                (ProblemCode::FileNotFetched, "see the channel in ramal.toml")
            }
            _ => (ProblemCode::FileNotFetched, "try again; the log says more"),
        };
        Self::new(code, error.to_string()).hint(hint)
    }
}
