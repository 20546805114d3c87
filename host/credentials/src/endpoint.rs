//! The way to token endpoints: the host's own in a host, a made-up one in tests.

use futures_util::future::BoxFuture;
use ramal_egress::{TokenAnswer, TokenCall, TokenClient, TokenFailure};

/// Sends one request to a token endpoint.
pub trait TokenEndpoint: Send + Sync {
    /// Sends it once: whether to repeat is decided above, where it is known what a repetition costs.
    ///
    /// # Errors
    /// When there is no answer. A refusal is one.
    fn post<'a>(&'a self, call: TokenCall<'a>) -> BoxFuture<'a, Result<TokenAnswer, TokenFailure>>;
}

impl TokenEndpoint for TokenClient {
    fn post<'a>(&'a self, call: TokenCall<'a>) -> BoxFuture<'a, Result<TokenAnswer, TokenFailure>> {
        Box::pin(async move { TokenClient::post(self, &call).await })
    }
}
