//! The release of fictitious cases: made once by whoever asks first, while the others wait for it.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use registry_etl::releases::{FICTITIOUS, FORMAT};
use sha2::{Digest, Sha256};

use super::Draft;
use crate::problem::Problem;
use crate::state::AppState;

/// Where its bundle is, once it is made: anyone may ask for it, so that it is neither made twice at once nor hashed at each asking.
#[derive(Debug, Default)]
pub struct Fictitious(Mutex<Option<Kept>>);

/// A bundle at rest.
#[derive(Debug, Clone)]
struct Kept {
    path: PathBuf,
    bytes: i64,
    sha256: String,
}

/// The bundle, made when it is asked for first and again for another program or schema: its path, length and SHA-256 (hexadecimal).
///
/// # Errors
/// A folder that cannot be written to.
pub fn fictitious_bundle(state: &AppState) -> Result<(PathBuf, i64, String), Problem> {
    let mut kept = state.fictitious.0.lock().unwrap_or_else(PoisonError::into_inner);
    let whole = |kept: &Kept| {
        std::fs::metadata(&kept.path).is_ok_and(|file| i64::try_from(file.len()) == Ok(kept.bytes))
    };
    let found = match kept.take().filter(whole) {
        Some(found) => found,
        None => made(state)?,
    };
    let told = (found.path.clone(), found.bytes, found.sha256.clone());
    *kept = Some(found);
    Ok(told)
}

fn made(state: &AppState) -> Result<Kept, Problem> {
    let mut digest = Sha256::new();
    for part in [env!("CARGO_PKG_VERSION"), FORMAT, state.schemas.digest()] {
        digest.update(part);
    }
    let name = format!("{FICTITIOUS}-{}.zip", &hex::encode(digest.finalize())[..16]);
    let path = state.settings.releases.folder.join(name);
    if !path.exists() {
        let mut draft = Draft::begin(state)?;
        let registry = draft.path.with_extension("registry");
        let folder = Scratch::make(registry)?;
        registry_etl::releases::fictitious(&state.engine, &folder.0, &mut draft.out)?;
        draft.keep(&path)?;
    }
    let file = std::fs::read(&path).map_err(Problem::internal)?;
    Ok(Kept {
        path,
        bytes: i64::try_from(file.len()).map_err(Problem::internal)?,
        sha256: hex::encode(Sha256::digest(&file)),
    })
}

/// A folder that is gone with what is in it when nobody needs it any more.
struct Scratch(PathBuf);

impl Scratch {
    fn make(path: PathBuf) -> Result<Self, Problem> {
        std::fs::create_dir(&path).map_err(Problem::internal)?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}
