//! A compile worker on its own, for tests: it can also try what a worker must not be able to do.
//! The server brings its own worker, see `ramal_engine::compile::intercept_worker`.

fn main() -> std::process::ExitCode {
    ramal_engine::compile::probe_main()
}
