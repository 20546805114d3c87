//! What comes in with a request, read so that every mistake is answered in the API's own form. The framework's
//! own refusals would repeat the rejected value, which may be somebody's name.

use std::str::FromStr;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::id::Id;
use crate::refusal::Refusal;

/// The longest body, in bytes.
pub(crate) const MAX_BODY: usize = 64 * 1024;

/// A JSON body.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let bytes = Bytes::from_request(request, state).await.map_err(|_| Refusal::TooLarge(MAX_BODY))?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            if error.is_data() {
                Refusal::NotThisShape { line, column }
            } else {
                Refusal::NotJson { line, column }
            }
        })
    }
}

/// The parameters of an address, with their names for the refusal.
pub(crate) trait Parameters: DeserializeOwned {
    /// As a sentence's end: `a, b and c`.
    const NAMES: &'static str;
}

/// The query of an address.
pub(crate) struct Params<T>(pub(crate) T);

impl<T: Parameters, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Refusal> {
        let Query(query) = Query::try_from_uri(&parts.uri).map_err(|_| Refusal::Query(T::NAMES))?;
        Ok(Self(query))
    }
}

/// The identifier in an address. A text that is none names no record, so it is answered like one that is gone.
pub(crate) struct Named<I>(pub(crate) I);

impl<const KIND: char, S: Send + Sync> FromRequestParts<S> for Named<Id<KIND>> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let id = path.ok().and_then(|Path(text)| Id::from_str(&text).ok());
        id.map(Self).ok_or(Refusal::NotFound("record"))
    }
}
