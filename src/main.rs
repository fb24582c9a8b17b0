//! The `nuncio` program. What it does is in [`nuncio::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    nuncio::cli::run()
}
