//! The compile worker of the zoo: a test cannot be its own worker, since the harness owns its `main`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ramal_engine::compile::worker_main()
}
