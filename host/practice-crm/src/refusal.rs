//! Why a request is not carried out, and how the API says so: `{"error":{"code","message"}}`. Messages name
//! fields and rules, never a value that came in: callers log them.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Why a request is not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the key is missing or wrong; send it as Authorization: Bearer <key>")]
    Unauthorized,
    #[error("there is no such {0}; it may have been deleted")]
    NotFound(&'static str),
    #[error("this address does not take this method; see the API's list of addresses")]
    Method,
    #[error("another contact has this document; change that contact instead")]
    DocumentTaken,
    #[error("somebody changed this {0} since it was read; read it again and change what is there now")]
    Changed(&'static str),
    #[error("the body is longer than {0} bytes; send less")]
    TooLarge(usize),
    #[error("the body is no JSON document; check line {line}, column {column}")]
    NotJson { line: usize, column: usize },
    #[error("the body has an unknown, missing or wrongly typed field; check line {line}, column {column}")]
    NotThisShape { line: usize, column: usize },
    #[error("the query has an unknown or wrongly typed parameter; this address takes {0}")]
    Query(&'static str),
    #[error("{field} is not accepted: {rule}")]
    Field { field: &'static str, rule: &'static str },
}

impl Refusal {
    fn status_and_code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized"),
            Self::NotFound(_) => (StatusCode::NOT_FOUND, "not_found"),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::DocumentTaken => (StatusCode::CONFLICT, "document_taken"),
            Self::Changed(_) => (StatusCode::CONFLICT, "changed"),
            Self::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            Self::NotJson { .. } | Self::NotThisShape { .. } | Self::Query(_) | Self::Field { .. } => {
                (StatusCode::UNPROCESSABLE_ENTITY, "invalid")
            }
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, code) = self.status_and_code();
        let body = Json(json!({"error": {"code": code, "message": self.to_string()}}));
        if self == Self::Unauthorized {
            return (status, [(header::WWW_AUTHENTICATE, "Bearer")], body).into_response();
        }
        (status, body).into_response()
    }
}
