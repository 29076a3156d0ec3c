//! The binary `registry`.

fn main() -> std::process::ExitCode {
    registry_api::cli::main()
}
