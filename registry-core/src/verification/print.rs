//! What a row says, as fingerprints: by itself, and together with the rows it is connected to. Labels and the order of rows do not enter.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::rules::{Link, Verifier};
use crate::record::{Cell, Record};

/// A fingerprint: equal for rows that say the same.
pub(super) type Print = [u8; 32];

/// How far connections are followed: a symptom of a lesion of a presentation, and back.
const STEPS: usize = 3;

/// What an element that points holds.
pub(super) enum Pointing {
    /// Nothing, or a reason why there is nothing.
    Plain,
    /// Sorted, each once.
    At(Vec<Target>),
}

/// What is pointed at.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    /// A row, by its position.
    Row(usize),
    /// A word that stands for no row.
    Word(String),
    /// A label that no row has.
    Nowhere(String),
}

/// One document, read.
pub(super) struct Side<'v> {
    pub(super) record: Record,
    verifier: &'v Verifier,
    /// Rows by their label, for every element that is pointed at.
    rows_of: BTreeMap<(u16, u16), BTreeMap<String, Vec<usize>>>,
    own: Vec<Vec<Print>>,
    whole: Vec<Vec<Print>>,
    /// Of every row, what points at it: through which element, and what the row there says by itself.
    context: Vec<Vec<Vec<Print>>>,
}

impl<'v> Side<'v> {
    pub(super) fn new(record: Record, verifier: &'v Verifier) -> Self {
        let entities = verifier.layout.entities().len();
        let mut side = Self {
            record,
            verifier,
            rows_of: BTreeMap::new(),
            own: vec![Vec::new(); entities],
            whole: Vec::new(),
            context: vec![Vec::new(); entities],
        };
        side.label_rows();
        for plan in &verifier.entities {
            let rows = 0..side.record.count(plan.entity);
            let prints: Vec<Print> = rows.map(|row| side.own_print(plan.entity, row)).collect();
            if let (Some(own), Some(context)) = (
                side.own.get_mut(usize::from(plan.entity)),
                side.context.get_mut(usize::from(plan.entity)),
            ) {
                context.resize(prints.len(), Vec::new());
                *own = prints;
            }
        }
        let edges = side.edges();
        for edge in &edges {
            let from = side.own(edge.from.0, edge.from.1);
            let print = hash(&[&edge.link.to_be_bytes(), &from]);
            if let Some(context) = side
                .context
                .get_mut(usize::from(edge.to.0))
                .and_then(|rows| rows.get_mut(edge.to.1))
            {
                context.push(print);
            }
        }
        for context in side.context.iter_mut().flatten() {
            context.sort_unstable();
        }
        side.whole = side.own.clone();
        for _ in 0..STEPS {
            side.whole = side.spread(&edges);
        }
        side
    }

    /// What a row says by itself.
    fn own(&self, entity: u16, row: usize) -> Print {
        print_of(&self.own, entity, row)
    }

    /// What a row says together with what it is connected to.
    pub(super) fn whole(&self, entity: u16, row: usize) -> Print {
        print_of(&self.whole, entity, row)
    }

    /// What points at a row, sorted.
    pub(super) fn context(&self, entity: u16, row: usize) -> &[Print] {
        let rows = self.context.get(usize::from(entity));
        rows.and_then(|rows| rows.get(row)).map_or(&[], Vec::as_slice)
    }

    /// What an element that points holds in a row.
    pub(super) fn pointing(&self, entity: u16, row: usize, element: u16, link: &Link) -> Pointing {
        let Some(labels) = labels(self.record.cell(entity, row, element)) else {
            return Pointing::Plain;
        };
        let known = self.rows_of.get(&(link.to, link.key));
        let mut targets = Vec::new();
        for label in labels {
            match known.and_then(|rows| rows.get(&label)) {
                Some(rows) => targets.extend(rows.iter().copied().map(Target::Row)),
                None if link.also.contains(&label) => targets.push(Target::Word(label)),
                None => targets.push(Target::Nowhere(label)),
            }
        }
        targets.sort_unstable();
        targets.dedup();
        Pointing::At(targets)
    }

    fn label_rows(&mut self) {
        let links = self.verifier.entities.iter().flat_map(|plan| &plan.elements);
        for link in links.filter_map(|part| part.link.as_ref()) {
            let mut rows: BTreeMap<String, Vec<usize>> = BTreeMap::new();
            for row in 0..self.record.count(link.to) {
                for label in labels(self.record.cell(link.to, row, link.key)).unwrap_or_default() {
                    rows.entry(label).or_default().push(row);
                }
            }
            self.rows_of.insert((link.to, link.key), rows);
        }
    }

    fn own_print(&self, entity: u16, row: usize) -> Print {
        let mut digest = Sha256::new();
        digest.update(entity.to_be_bytes());
        let plan = self.verifier.entities.iter().find(|plan| plan.entity == entity);
        let parts = plan.map(|plan| plan.elements.as_slice()).unwrap_or_default();
        for part in parts.iter().filter(|part| part.link.is_none()) {
            let said = said(self.record.cell(entity, row, part.element));
            digest.update((said.len() as u64).to_be_bytes());
            digest.update(said.as_bytes());
        }
        digest.finalize().into()
    }

    /// Every connection of the document.
    fn edges(&self) -> Vec<Edge> {
        let mut edges = Vec::new();
        for plan in &self.verifier.entities {
            for part in &plan.elements {
                let Some(link) = &part.link else { continue };
                for row in 0..self.record.count(plan.entity) {
                    let from = (plan.entity, row);
                    // Two bytes of the entity, two of the element: which connection it is.
                    let name = u32::from(plan.entity) << 16 | u32::from(part.element);
                    if let Pointing::At(targets) = self.pointing(plan.entity, row, part.element, link) {
                        let to = targets.into_iter().filter_map(|target| match target {
                            Target::Row(at) => Some((link.to, at)),
                            Target::Word(_) | Target::Nowhere(_) => None,
                        });
                        edges.extend(to.map(|to| Edge { link: name, from, to }));
                    }
                }
            }
        }
        edges
    }

    /// Prints one step on: every row takes up the prints of the rows it is connected to.
    fn spread(&self, edges: &[Edge]) -> Vec<Vec<Print>> {
        let mut near: Vec<Vec<Vec<Print>>> = self
            .whole
            .iter()
            .map(|rows| vec![Vec::new(); rows.len()])
            .collect();
        let mut put = |at: (u16, usize), print: Print| {
            if let Some(near) = near
                .get_mut(usize::from(at.0))
                .and_then(|rows| rows.get_mut(at.1))
            {
                near.push(print);
            }
        };
        for edge in edges {
            let name = edge.link.to_be_bytes();
            put(
                edge.from,
                hash(&[b"to", &name, &self.whole(edge.to.0, edge.to.1)]),
            );
            put(
                edge.to,
                hash(&[b"of", &name, &self.whole(edge.from.0, edge.from.1)]),
            );
        }
        let rows = self.whole.iter().zip(&mut near);
        rows.map(|(prints, near)| {
            let rows = prints.iter().zip(near);
            rows.map(|(print, near)| {
                near.sort_unstable();
                hash(&[print, near.as_flattened()])
            })
            .collect()
        })
        .collect()
    }
}

/// A row that points at another.
struct Edge {
    link: u32,
    from: (u16, usize),
    to: (u16, usize),
}

fn print_of(prints: &[Vec<Print>], entity: u16, row: usize) -> Print {
    let rows = prints.get(usize::from(entity));
    rows.and_then(|rows| rows.get(row)).copied().unwrap_or_default()
}

fn hash(parts: &[&[u8]]) -> Print {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}

/// The labels a cell holds; `None` when it holds no value.
fn labels(cell: Cell<'_>) -> Option<Vec<String>> {
    match cell {
        Cell::Text(text) => Some(vec![text.to_owned()]),
        Cell::Number(number) => Some(vec![number.to_string()]),
        Cell::Set(set) => Some(set.iter().map(str::to_owned).collect()),
        _ => None,
    }
}

/// A cell as text: the same for the same answer, and for no other.
pub(super) fn said(cell: Cell<'_>) -> String {
    match cell {
        Cell::Missing | Cell::Blocked => String::new(),
        Cell::Absent(absence) => format!("absent:{}", absence.as_str()),
        Cell::Boolean(value) => format!("={value}"),
        Cell::Number(number) => format!("={number}"),
        Cell::Date(date) => format!("={}/{}", date.first(), date.last()),
        Cell::Text(text) => format!("={text}"),
        Cell::Set(set) => {
            let mut members: Vec<String> = set.iter().map(|m| format!("{}:{m}", m.len())).collect();
            members.sort_unstable();
            format!("={}", members.concat())
        }
    }
}
