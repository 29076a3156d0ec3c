//! The keys in force: the master key, and the registry's own secret that it wraps.

use super::error::StoreError;
use crate::clock::Entropy;
use crate::crypto::{Label, MasterKey, SealingKey, same_bytes};

const KEY_ID_BYTES: usize = 8;

/// The master key with what it opens.
pub(crate) struct Keyring {
    master: MasterKey,
    registry: SealingKey,
}

/// The data key of one case.
pub(crate) struct CaseKey(SealingKey);

impl Keyring {
    pub(crate) fn new(master: MasterKey, registry: SealingKey) -> Self {
        Self { master, registry }
    }

    pub(crate) fn master(&self) -> &MasterKey {
        &self.master
    }

    /// The same secret under another master key.
    pub(crate) fn under(&self, master: MasterKey) -> Self {
        Self {
            master,
            registry: self.registry.clone(),
        }
    }

    pub(crate) fn registry(&self) -> &SealingKey {
        &self.registry
    }

    /// A new data key and its wrapped form.
    pub(crate) fn new_case_key(
        &self,
        entropy: &dyn Entropy,
        centre: &str,
        case_id: &str,
    ) -> Result<(CaseKey, Vec<u8>), StoreError> {
        let key = CaseKey(SealingKey::random(entropy));
        let wrapped = self.wrap_case_key(entropy, centre, case_id, &key)?;
        Ok((key, wrapped))
    }

    pub(crate) fn wrap_case_key(
        &self,
        entropy: &dyn Entropy,
        centre: &str,
        case_id: &str,
        key: &CaseKey,
    ) -> Result<Vec<u8>, StoreError> {
        wrap(&self.master, entropy, &case_key_label(centre, case_id), &key.0)
    }

    pub(crate) fn open_case_key(
        &self,
        centre: &str,
        case_id: &str,
        wrapped: &[u8],
    ) -> Result<CaseKey, StoreError> {
        unwrap(&self.master, &case_key_label(centre, case_id), wrapped)?
            .map(CaseKey)
            .ok_or_else(|| StoreError::Unreadable(case_id.to_owned()))
    }

    /// What a pseudonym is known by in the table that knows no centre's walls.
    pub(crate) fn pseudonym_mac(&self, pseudonym: &str) -> [u8; 32] {
        self.registry
            .keyed("pseudonym")
            .field(pseudonym.as_bytes())
            .finish()
    }

    /// A key for one purpose, from which the secret does not follow.
    pub(crate) fn derived(&self, purpose: &str) -> [u8; 32] {
        self.registry
            .keyed("derived key")
            .field(purpose.as_bytes())
            .finish()
    }

    pub(crate) fn fingerprint(&self, fingerprint: &[u8; 32]) -> [u8; 32] {
        self.registry.keyed("request").field(fingerprint).finish()
    }

    pub(crate) fn head_mac(&self, seq: i64, hash: &[u8]) -> [u8; 32] {
        self.registry
            .keyed("audit head")
            .field(&seq.to_be_bytes())
            .field(hash)
            .finish()
    }

    pub(crate) fn head_is_ours(&self, seq: i64, hash: &[u8], mac: &[u8]) -> bool {
        same_bytes(&self.head_mac(seq, hash), mac)
    }
}

impl CaseKey {
    pub(crate) fn seal_document(
        &self,
        entropy: &dyn Entropy,
        centre: &str,
        case_id: &str,
        version: i64,
        plain: &[u8],
    ) -> Result<Vec<u8>, StoreError> {
        self.seal(entropy, &document_label(centre, case_id, version), case_id, plain)
    }

    pub(crate) fn open_document(
        &self,
        centre: &str,
        case_id: &str,
        version: i64,
        sealed: &[u8],
    ) -> Result<Vec<u8>, StoreError> {
        self.open(&document_label(centre, case_id, version), case_id, sealed)
    }

    pub(crate) fn seal(
        &self,
        entropy: &dyn Entropy,
        label: &Label,
        case_id: &str,
        plain: &[u8],
    ) -> Result<Vec<u8>, StoreError> {
        self.0
            .seal(entropy, label, plain)
            .map_err(|_| StoreError::Unreadable(case_id.to_owned()))
    }

    pub(crate) fn open(&self, label: &Label, case_id: &str, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.0
            .open(label, sealed)
            .map_err(|_| StoreError::Unreadable(case_id.to_owned()))
    }

    /// Content hash: keyed with the case's own key, so that nothing guessable is left once the key is destroyed.
    pub(crate) fn content_hash(&self, schema_version: &str, canonical: &[u8]) -> [u8; 32] {
        self.0
            .keyed("content")
            .field(schema_version.as_bytes())
            .field(canonical)
            .finish()
    }
}

/// `key id || sealed key`.
pub(crate) fn wrap(
    master: &MasterKey,
    entropy: &dyn Entropy,
    label: &Label,
    key: &SealingKey,
) -> Result<Vec<u8>, StoreError> {
    let mut wrapped =
        hex::decode(master.id()).map_err(|_| StoreError::Internal("master key id".to_owned()))?;
    let sealed = master
        .key()
        .seal(entropy, label, key.bytes())
        .map_err(|_| StoreError::Internal("wrapping a key".to_owned()))?;
    wrapped.extend(sealed);
    Ok(wrapped)
}

/// The key, `None` if it does not open, an error if it was wrapped by another master key.
pub(crate) fn unwrap(
    master: &MasterKey,
    label: &Label,
    wrapped: &[u8],
) -> Result<Option<SealingKey>, StoreError> {
    let Some((id, sealed)) = wrapped.split_at_checked(KEY_ID_BYTES) else {
        return Ok(None);
    };
    let expected = hex::encode(id);
    if expected != master.id() {
        return Err(StoreError::WrongMasterKey {
            expected,
            given: master.id().to_owned(),
        });
    }
    Ok(master
        .key()
        .open(label, sealed)
        .ok()
        .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
        .map(SealingKey::new))
}

fn case_key_label(centre: &str, case_id: &str) -> Label {
    Label::new("case key")
        .with(centre.as_bytes())
        .with(case_id.as_bytes())
}

fn document_label(centre: &str, case_id: &str, version: i64) -> Label {
    Label::new("document")
        .with(centre.as_bytes())
        .with(case_id.as_bytes())
        .with(&version.to_be_bytes())
}
