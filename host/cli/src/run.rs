//! `ramal run`: the host.

use ramal_server::ServerConfig;

use crate::args::RunArgs;
use crate::failure::{Failure, Outcome};
use crate::output::Terminal;

/// Serves until it is told to stop.
pub(crate) async fn run(_terminal: &Terminal, args: &RunArgs) -> Outcome {
    let _config = ServerConfig::load(&args.config).map_err(Failure::input)?;
    // ==== COMPOSITION: here the store, the way out, the plugins and the center become a server. ====
    Err(Failure::environment(anyhow::Error::msg("this build of ramal cannot serve yet"))
        .hint("`ramal call` tries a plugin without a server"))
}
