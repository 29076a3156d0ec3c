//! What can be asked of a release: entities with their elements, and the files that no entity stands behind.
//!
//! The same answers as [`super::unanswerable`] gives to a request, before it is written.

use registry_core::dictionary::{Dictionary, Element, EntityKind, Visibility};

use super::manifest::FileEntry;
use super::projection::{ALWAYS, undeliverable};

/// Described files of a bundle that are in every bundle, made when the others are.
const MADE_LAST: [&str; 2] = ["datapackage.json", "CITATION.cff"];

/// What can be asked of a release.
#[derive(Debug, Clone)]
pub struct Offer<'a> {
    /// In the order of the dictionary.
    pub entities: Vec<OfferedEntity<'a>>,
    /// Files of the release that hold no entity, in its order: asked for as a whole.
    pub files: Vec<&'a FileEntry>,
}

/// An entity of the case record.
#[derive(Debug, Clone)]
pub struct OfferedEntity<'a> {
    pub name: &'a str,
    pub description: &'a str,
    /// Its file in the release, which stands for its open elements; none where the release has none.
    pub file: Option<&'a FileEntry>,
    pub elements: Vec<OfferedElement<'a>>,
}

/// An element, and whether it can be asked for.
#[derive(Debug, Clone)]
pub struct OfferedElement<'a> {
    /// As a request names it: `entity.element`.
    pub path: String,
    pub element: &'a Element,
    /// Why it is in no bundle, whatever is approved.
    pub withheld: Option<&'static str>,
}

impl OfferedElement<'_> {
    /// Whether it comes with its entity's file. What does not has to be named.
    pub fn comes_with_file(&self) -> bool {
        let open = matches!(
            self.element.visibility,
            Visibility::Open | Visibility::ShiftedDate
        );
        open && self.withheld.is_none()
    }
}

/// What can be asked of a release with these files.
pub fn offer<'a>(dictionary: &'a Dictionary, files: &'a [FileEntry]) -> Offer<'a> {
    let cases = dictionary
        .entities
        .iter()
        .filter(|entity| entity.kind == EntityKind::Case);
    let entities: Vec<OfferedEntity<'a>> = cases
        .map(|entity| {
            let file = format!("{}.csv", entity.name);
            OfferedEntity {
                name: &entity.name,
                description: &entity.description,
                file: files.iter().find(|one| one.name == file),
                elements: entity
                    .elements
                    .iter()
                    .map(|element| OfferedElement {
                        path: format!("{}.{}", entity.name, element.name),
                        element,
                        withheld: undeliverable(entity, element),
                    })
                    .collect(),
            }
        })
        .collect();
    let of_entity = |file: &FileEntry| {
        let found = |entity: &OfferedEntity<'_>| entity.file.is_some_and(|one| one.name == file.name);
        entities.iter().any(found)
    };
    let comes_anyway = |name: &str| ALWAYS.contains(&name) || MADE_LAST.contains(&name) || name.contains('/');
    let files = files
        .iter()
        .filter(|file| !comes_anyway(&file.name) && !of_entity(file))
        .collect();
    Offer { entities, files }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::releases::unanswerable;
    use registry_core::versions::SchemaStore;

    /// The files of a release that matter here.
    fn files() -> Vec<FileEntry> {
        [
            "patient.csv",
            "presentation.csv",
            "cases.csv",
            "survival_s1.csv",
            "reproduce.R",
            "dictionary.csv",
            "README.md",
            "CITATION.cff",
            "parquet/patient.parquet",
        ]
        .map(|name| FileEntry {
            name: name.to_owned(),
            rows: 1,
            bytes: 1,
            sha256: String::new(),
            columns: Vec::new(),
        })
        .to_vec()
    }

    #[test]
    fn what_is_offered_can_be_asked_for_and_nothing_else() {
        let schemas = SchemaStore::embedded().unwrap();
        let dictionary = &schemas.current().dictionary;
        let files = files();
        let offer = offer(dictionary, &files);
        let names: Vec<String> = files.iter().map(|file| file.name.clone()).collect();
        let of_entities = offer.entities.iter().filter_map(|entity| entity.file);
        let asked: Vec<String> = of_entities
            .chain(offer.files.iter().copied())
            .map(|file| file.name.clone())
            .collect();
        assert_eq!(
            asked,
            [
                "patient.csv",
                "presentation.csv",
                "cases.csv",
                "survival_s1.csv",
                "reproduce.R"
            ]
        );
        let elements = || offer.entities.iter().flat_map(|entity| &entity.elements);
        let (can, cannot): (Vec<&OfferedElement<'_>>, Vec<_>) =
            elements().partition(|element| element.withheld.is_none());
        let paths =
            |some: &[&OfferedElement<'_>]| some.iter().map(|one| one.path.clone()).collect::<Vec<_>>();
        let withheld = paths(&cannot);
        for never in ["patient.pseudonym_id", "consent.date"] {
            assert!(withheld.iter().any(|path| path == never), "{withheld:?}");
        }
        assert!(can.len() > cannot.len());
        let wrong = unanswerable(dictionary, &names, (&asked, &paths(&can)));
        assert!(wrong.is_empty(), "{wrong:?}");
        assert_eq!(
            unanswerable(dictionary, &names, (&[], &paths(&cannot))).len(),
            cannot.len()
        );
        // Every element of the case record is there, offered or with a reason.
        let all = dictionary.entities.iter().filter(|e| e.kind == EntityKind::Case);
        assert_eq!(elements().count(), all.map(|e| e.elements.len()).sum::<usize>());
        // What has to be named does not come with a file.
        let named = |path: &str| elements().find(|one| one.path == path).unwrap().comes_with_file();
        assert!(
            !named("patient.birth_year") && !named("patient.pseudonym_id") && named("presentation.timing")
        );
    }
}
