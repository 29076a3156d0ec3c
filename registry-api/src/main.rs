//! The binary `registry`.

/// A case is hundreds of small values, made and given back on many threads: the system's allocator took a fifth of the time of a verdict.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    registry_api::cli::main()
}
