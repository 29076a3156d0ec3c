//! What a researcher picks from: the dictionary of a release as groups of boxes, narrowed by words. What is picked stays in sight.

use std::collections::BTreeSet;

use registry_core::dictionary::{Element, Visibility};
use registry_core::storage::Release;
use registry_etl::releases::{CASES, FileEntry, Manifest, OfferedElement, OfferedEntity, offer};
use serde::Deserialize;

use crate::problem::Problem;
use crate::releases::explained;
use crate::state::AppState;

/// What has been picked, and the words that narrow what is shown.
#[derive(Debug, Clone, Default)]
pub(super) struct Picked {
    pub(super) files: BTreeSet<String>,
    pub(super) elements: BTreeSet<String>,
    pub(super) search: String,
}

/// What is shown of a release.
pub(super) struct Picker {
    pub(super) groups: Vec<Group>,
    pub(super) files: Vec<FileLine>,
    /// Files and elements that could be picked and are shown; that could be picked at all.
    pub(super) shown: usize,
    pub(super) of: usize,
    /// Picked before and not on offer here.
    pub(super) lost: Vec<String>,
}

/// An entity with its elements.
pub(super) struct Group {
    pub(super) title: String,
    pub(super) description: String,
    /// Name, and whether it is picked; none where the release has no file of it.
    pub(super) file: Option<(String, bool)>,
    pub(super) lines: Vec<ElementLine>,
    pub(super) open: bool,
}

pub(super) struct ElementLine {
    pub(super) path: String,
    pub(super) label: String,
    pub(super) meaning: String,
    pub(super) kind: String,
    /// How it comes, or why it does not.
    pub(super) how: &'static str,
    pub(super) offered: bool,
    pub(super) picked: bool,
}

/// A file that no entity stands behind.
pub(super) struct FileLine {
    pub(super) name: String,
    pub(super) picked: bool,
    /// What to know before it is picked.
    pub(super) note: Option<&'static str>,
    /// Name, meaning, type.
    pub(super) columns: Vec<(String, String, String)>,
}

impl Picker {
    /// What can be picked of a release.
    ///
    /// # Errors
    /// A manifest or a bundle that does not read.
    pub(super) fn of(state: &AppState, release: &Release, picked: &Picked) -> Result<Self, Problem> {
        let manifest = Manifest::deserialize(&release.manifest).map_err(Problem::internal)?;
        let dictionary = &state.schemas.current().dictionary;
        let offered = offer(dictionary, &manifest.files);
        let words = Words::of(&picked.search);
        let explained = explained(state, &release.release_id)?;
        let mut known: BTreeSet<&str> = BTreeSet::new();
        let mut groups = Vec::new();
        for entity in &offered.entities {
            known.extend(entity.file.map(|file| file.name.as_str()));
            let can = entity.elements.iter().filter(|one| one.withheld.is_none());
            known.extend(can.map(|one| one.path.as_str()));
            groups.extend(group(state, entity, picked, &words));
        }
        let mut files = Vec::new();
        for file in &offered.files {
            known.insert(&file.name);
            let line = file_line(file, picked, |column| {
                let place = (file.name.clone(), column.to_owned());
                explained.get(&place).cloned().unwrap_or_default()
            });
            files.extend(Some(line).filter(|line| line.picked || words.in_file(line)));
        }
        let in_group = |group: &Group| {
            usize::from(group.file.is_some()) + group.lines.iter().filter(|line| line.offered).count()
        };
        let all_picked = picked.files.iter().chain(&picked.elements);
        Ok(Self {
            shown: groups.iter().map(in_group).sum::<usize>() + files.len(),
            of: known.len(),
            lost: all_picked
                .filter(|one| !known.contains(one.as_str()))
                .cloned()
                .collect(),
            groups,
            files,
        })
    }
}

/// The words of a search, in lower case.
struct Words(Vec<String>);

impl Words {
    fn of(search: &str) -> Self {
        Self(
            search
                .to_lowercase()
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
        )
    }

    /// Whether every word is in one of the texts.
    fn in_texts(&self, texts: &[&str]) -> bool {
        let text = texts.join(" ").to_lowercase();
        self.0.iter().all(|word| text.contains(word))
    }

    fn in_line(&self, line: &ElementLine) -> bool {
        self.in_texts(&[&line.path, &line.label, &line.meaning, &line.kind, line.how])
    }

    fn in_file(&self, line: &FileLine) -> bool {
        let of_file = self.in_texts(&[&line.name]);
        let mut columns = line.columns.iter();
        of_file || columns.any(|(name, meaning, kind)| self.in_texts(&[name, meaning, kind]))
    }
}

/// The entity as far as it is found or picked from; nothing where it is neither.
fn group(state: &AppState, entity: &OfferedEntity<'_>, picked: &Picked, words: &Words) -> Option<Group> {
    let version = &state.schemas.current().version;
    let title = state.forms.title(version, entity.name);
    let title = title.map_or_else(|| spoken(entity.name), str::to_owned);
    let file = entity.file.map(|file| {
        let whole = picked.files.contains(&file.name);
        (file.name.clone(), whole)
    });
    let whole = file.as_ref().is_some_and(|file| file.1);
    let found = words.in_texts(&[entity.name, &title, entity.description]);
    let lines: Vec<ElementLine> = entity
        .elements
        .iter()
        .map(|one| element_line(state, version, one, picked))
        .filter(|line| found || line.picked || words.in_line(line))
        .collect();
    let open = whole || !words.0.is_empty() || lines.iter().any(|line| line.picked);
    (found || whole || !lines.is_empty()).then(|| Group {
        title,
        description: entity.description.to_owned(),
        file,
        lines,
        open,
    })
}

fn element_line(state: &AppState, version: &str, one: &OfferedElement<'_>, picked: &Picked) -> ElementLine {
    let element = one.element;
    let label = state.forms.label(version, &one.path);
    ElementLine {
        label: label.map_or_else(|| spoken(&element.name), str::to_owned),
        meaning: element.description.clone(),
        kind: kind(element),
        how: match (one.withheld, element.visibility) {
            (Some(why), _) => why,
            (None, Visibility::ShiftedDate) => "comes with the file, as days from metastatic diagnosis",
            (None, Visibility::QuasiIdentifier) => "has to be named; made coarser",
            (None, Visibility::Restricted) => "has to be named",
            (None, _) => "comes with the file",
        },
        offered: one.withheld.is_none(),
        picked: one.withheld.is_none() && picked.elements.contains(&one.path),
        path: one.path.clone(),
    }
}

fn file_line(file: &FileEntry, picked: &Picked, explained: impl Fn(&str) -> (String, String)) -> FileLine {
    FileLine {
        note: (file.name == CASES).then_some(
            "Has a column only where every element that it rests on is picked too, by itself or with its entity's file. Picked alone it holds patients and \
             centres.",
        ),
        picked: picked.files.contains(&file.name),
        name: file.name.clone(),
        columns: file
            .columns
            .iter()
            .map(|column| {
                let (meaning, kind) = explained(column);
                (column.clone(), meaning, kind)
            })
            .collect(),
    }
}

/// A name as words: `birth_year` is `Birth year`.
fn spoken(name: &str) -> String {
    let mut words = name.replace('_', " ");
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words
}

/// What its values are: type, unit, code list.
fn kind(element: &Element) -> String {
    let mut words = element.kind.to_string().replace('_', " ");
    if let Some(unit) = &element.unit {
        words.push_str(&format!(" ({unit})"));
    }
    if let Some(codes) = &element.codes {
        words.push_str(&format!(" of {}", codes.name));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_a_search_has_to_be_found() {
        let line = ElementLine {
            path: "patient.birth_year".to_owned(),
            label: "Year of birth".to_owned(),
            meaning: "Calendar year".to_owned(),
            kind: "year".to_owned(),
            how: "has to be named; made coarser",
            offered: true,
            picked: false,
        };
        let found = |search: &str| Words::of(search).in_line(&line);
        assert!(found("") && found("  BIRTH year ") && found("coarser patient"));
        assert!(!found("birth weight") && !found("sex"));
    }

    #[test]
    fn a_name_is_spoken() {
        assert_eq!(spoken("birth_year"), "Birth year");
        assert_eq!(spoken(""), "");
        assert_eq!(spoken("ß_x"), "ß x");
    }
}
