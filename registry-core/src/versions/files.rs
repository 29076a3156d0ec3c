//! The files under `schema/`, from the binary or from a folder.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use include_dir::{Dir, include_dir};
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::SchemaError;

static EMBEDDED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../schema");

/// All files below `schema/`, by their path with forward slashes.
#[derive(Debug, Clone)]
pub struct SchemaFiles {
    files: BTreeMap<String, Cow<'static, [u8]>>,
}

impl SchemaFiles {
    /// The files compiled into this library.
    pub fn embedded() -> Self {
        fn collect(folder: &'static Dir<'static>, files: &mut BTreeMap<String, Cow<'static, [u8]>>) {
            for file in folder.files() {
                let path = file.path().to_string_lossy().replace('\\', "/");
                files.insert(path, Cow::Borrowed(file.contents()));
            }
            for inner in folder.dirs() {
                collect(inner, files);
            }
        }
        let mut files = BTreeMap::new();
        collect(&EMBEDDED, &mut files);
        SchemaFiles { files }
    }

    /// The files of a folder, read once.
    ///
    /// # Errors
    /// A folder or file that cannot be read.
    pub fn from_dir(root: &Path) -> Result<Self, SchemaError> {
        let mut files = BTreeMap::new();
        let mut folders = vec![(root.to_owned(), String::new())];
        while let Some((folder, prefix)) = folders.pop() {
            let unreadable = |source| SchemaError::Unreadable {
                path: folder.clone(),
                source,
            };
            for entry in std::fs::read_dir(&folder).map_err(unreadable)? {
                let entry = entry.map_err(unreadable)?;
                let path = entry.path();
                let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
                if path.is_dir() {
                    folders.push((path, format!("{name}/")));
                } else {
                    let bytes =
                        std::fs::read(&path).map_err(|source| SchemaError::Unreadable { path, source })?;
                    files.insert(name, Cow::Owned(bytes));
                }
            }
        }
        Ok(SchemaFiles { files })
    }

    /// Puts other bytes in the place of a file.
    pub(crate) fn replace(&mut self, path: &str, bytes: Vec<u8>) {
        self.files.insert(path.to_owned(), Cow::Owned(bytes));
    }

    /// The bytes of a file.
    pub fn bytes(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(AsRef::as_ref)
    }

    /// The text of a file that must exist.
    ///
    /// # Errors
    /// No such file, or not UTF-8.
    pub fn text(&self, path: &str) -> Result<&str, SchemaError> {
        let bytes = self
            .bytes(path)
            .ok_or_else(|| SchemaError::NoFile(path.to_owned()))?;
        std::str::from_utf8(bytes).map_err(|_| SchemaError::NotText(path.to_owned()))
    }

    /// A file that must exist, as JSON.
    ///
    /// # Errors
    /// No such file, or not JSON.
    pub fn json(&self, path: &str) -> Result<Value, SchemaError> {
        serde_json::from_str(self.text(path)?).map_err(|source| SchemaError::Json {
            path: path.to_owned(),
            source,
        })
    }

    /// A file that must exist, as TOML of a known shape.
    ///
    /// # Errors
    /// No such file, not TOML, or another shape.
    pub fn toml<T: DeserializeOwned>(&self, path: &str) -> Result<T, SchemaError> {
        toml::from_str(self.text(path)?).map_err(|source| SchemaError::Toml {
            path: path.to_owned(),
            source: Box::new(source),
        })
    }

    /// Paths of the files below a folder (`checks/`), in order.
    pub fn below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a str> {
        self.files
            .range(folder.to_owned()..)
            .map(|(path, _)| path.as_str())
            .take_while(move |path| path.starts_with(folder))
    }

    /// SHA-256 of a file, in hex.
    pub fn sha256(&self, path: &str) -> Option<String> {
        self.bytes(path).map(|b| hex::encode(Sha256::digest(b)))
    }

    /// SHA-256 over paths and contents of the files below a folder, in hex; an empty folder name means all files.
    pub fn digest_below(&self, folder: &str) -> String {
        let mut hash = Sha256::new();
        for (path, bytes) in self.files.iter().filter(|(path, _)| path.starts_with(folder)) {
            hash.update((path.len() as u64).to_be_bytes());
            hash.update(path.as_bytes());
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        }
        hex::encode(hash.finalize())
    }
}
