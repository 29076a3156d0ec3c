//! Strong ETags of cases: version, number of changes that made no version, and a mark of the case itself, so that a
//! tag copied from another case never matches.

use sha2::{Digest, Sha256};

use super::Precondition;
use crate::storage::StoreError;

/// The ETag of a case, quotes included.
pub(crate) fn etag(case_id: &str, version: i64, state: i64) -> String {
    let mark = Sha256::digest(case_id.as_bytes());
    format!("\"{version}.{state}-{}\"", hex::encode(&mark[..4]))
}

/// Holds the precondition against the current ETag (`None`: no such case).
pub(crate) fn check(precondition: &Precondition, current: Option<&str>) -> Result<(), StoreError> {
    let failed = || StoreError::PreconditionFailed {
        etag: current.map(str::to_owned),
    };
    match (precondition, current) {
        (Precondition::Whatever, _)
        | (Precondition::None | Precondition::IfNoneMatchAny, None)
        | (Precondition::IfMatchAny, Some(_)) => Ok(()),
        (Precondition::None, Some(etag)) => Err(StoreError::PreconditionRequired {
            etag: etag.to_owned(),
        }),
        (Precondition::AtVersion(_), None) => Ok(()),
        (Precondition::AtVersion(version), Some(etag)) if etag.starts_with(&format!("\"{version}.")) => {
            Ok(())
        }
        (Precondition::IfMatch(tags), Some(etag)) if tags.iter().any(|tag| tag == etag) => Ok(()),
        (Precondition::IfMatch(_) | Precondition::IfMatchAny | Precondition::AtVersion(_), _)
        | (Precondition::IfNoneMatchAny, Some(_)) => Err(failed()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preconditions_against_what_is_there() {
        let tag = etag("a", 3, 0);
        let tags = |all: &[&str]| Precondition::IfMatch(all.iter().map(|t| (*t).to_owned()).collect());
        let there = Some(tag.as_str());
        assert_eq!(check(&Precondition::None, None), Ok(()));
        assert_eq!(check(&Precondition::IfNoneMatchAny, None), Ok(()));
        assert_eq!(check(&tags(&["\"x\"", &tag]), there), Ok(()));
        assert_eq!(check(&Precondition::IfMatchAny, there), Ok(()));
        assert_eq!(
            check(&Precondition::None, there),
            Err(StoreError::PreconditionRequired { etag: tag.clone() })
        );
        let failed = |etag: Option<&String>| Err(StoreError::PreconditionFailed { etag: etag.cloned() });
        assert_eq!(check(&tags(&["\"x\""]), there), failed(Some(&tag)));
        assert_eq!(check(&tags(&[&format!("W/{tag}")]), there), failed(Some(&tag)));
        assert_eq!(check(&Precondition::IfNoneMatchAny, there), failed(Some(&tag)));
        assert_eq!(check(&Precondition::IfMatchAny, None), failed(None));
        assert_eq!(check(&tags(&[&tag]), None), failed(None));
        assert_ne!(etag("b", 3, 0), tag);
        assert_eq!(check(&Precondition::AtVersion(3), there), Ok(()));
        assert_eq!(check(&Precondition::AtVersion(30), there), failed(Some(&tag)));
        assert_eq!(check(&Precondition::AtVersion(2), there), failed(Some(&tag)));
        assert_eq!(check(&Precondition::AtVersion(2), None), Ok(()));
    }
}
