//! What a name or a path stands for where it is used (sections 5 and 7 of the language).

use super::super::program::{CellPath, Code, Cond, NamedDate, RowRef, Set, Term, Window};
use super::super::source::At;
use super::super::syntax::Path;
use super::types::{Domain, TermType, Typed, Unit};
use super::{Compiled, Compiler, Role};
use crate::record::{ElementLayout, Kind};

/// The parameter of how far PRE and PRE0 look back.
pub(super) const LOOKBACK: &str = "LOOKBACK_DAYS";
/// The parameter that ends PRE, PRE0, FT and FT0.
const CAP: &str = "PRE_CAP_DAYS";
/// The element whose value follows from a parameter before it is recorded: its entity, its name, the parameter.
const TIMING: [&str; 3] = ["presentation", "timing", crate::guideline::SYNCHRONOUS];

impl<'a> Compiler<'a> {
    /// Resolves `row.element`: nearest quantifier, unit or scoped row, anchor presentation, single entity.
    pub(super) fn cell(&mut self, path: &Path) -> Compiled<(CellPath, &'a ElementLayout)> {
        let (row, entity) = self.row(&path.row, path.at)?;
        let layout = self.layout();
        let found = layout.entity_at(entity).and_then(|known| {
            let element = known.element(&path.element)?;
            Some((element, known.elements.get(usize::from(element))?))
        });
        match found {
            Some((element, known)) => {
                let name = layout.entity_at(entity).map_or("", |known| &*known.name);
                if [name, &path.element] == TIMING[..2] && self.shared.parameters.contains_key(TIMING[2]) {
                    self.implicit.insert(TIMING[2].to_owned());
                }
                Ok((CellPath { row, entity, element }, known))
            }
            None => {
                let name = layout.entity_at(entity).map_or("", |known| &*known.name);
                self.fault(
                    path.at,
                    "unknown_element",
                    format!("`{name}` has no element `{}`", path.element),
                )
            }
        }
    }

    pub(super) fn row(&mut self, name: &str, at: At) -> Compiled<(RowRef, u16)> {
        if let Some(bound) = self.bound.iter().rev().find(|bound| bound.name == name) {
            return Ok((RowRef::Slot(bound.slot), bound.entity));
        }
        let layout = self.layout();
        let Some(entity) = layout.entity(name) else {
            return self.fault(
                at,
                "unknown_entity",
                format!("there is no entity or row `{name}`"),
            );
        };
        if self.unit == Some(entity) {
            return Ok((RowRef::Slot(0), entity));
        }
        if entity == layout.places.presentation && self.role != Role::EditCheck {
            return Ok((RowRef::Anchor, entity));
        }
        if layout.entity_at(entity).is_some_and(|known| known.single) {
            return Ok((RowRef::Single, entity));
        }
        self.fault(
            at,
            "unbound_row",
            format!("`{name}` has many rows and none is bound here: use a quantifier such as EXISTS"),
        )
    }

    /// A path as a value of its element's type.
    pub(super) fn path(&mut self, path: &Path) -> Compiled<Typed> {
        let (cell, element) = self.cell(path)?;
        let domain = || element.codes.clone().map_or(Domain::Open, Domain::List);
        Ok(match element.kind {
            Kind::Boolean => Typed::Cond(Cond::Flag {
                path: cell,
                expected: true,
                negated: false,
            }),
            Kind::Number => Typed::Term(Term::Path(cell), TermType::Number(Unit::None)),
            Kind::Date | Kind::Instant => Typed::Term(Term::Path(cell), TermType::Date),
            Kind::Code => Typed::Code(Code::Path(cell), domain()),
            Kind::Set => Typed::Set(Set::Path(cell), domain()),
        })
    }

    /// A path that must be a date element.
    pub(super) fn date_cell(&mut self, path: &Path) -> Compiled<CellPath> {
        let (cell, element) = self.cell(path)?;
        if element.kind != Kind::Date {
            return self.fault(path.at, "different_types", format!("`{path}` is not a date"));
        }
        Ok(cell)
    }

    /// A named date, a window, a let or a definition.
    pub(super) fn name(&mut self, at: At, name: &str) -> Compiled<Typed> {
        let named = match name {
            "T0" => Some(NamedDate::T0),
            "A0" => Some(NamedDate::A0),
            "FT" => Some(NamedDate::Ft),
            "FT0" => Some(NamedDate::Ft0),
            "CUT" => Some(NamedDate::Cut),
            "SUBMITTED" => Some(NamedDate::Submitted),
            "LAST" => Some(NamedDate::Last),
            "DEATH" => Some(NamedDate::Death),
            "BIRTH" => Some(NamedDate::Birth),
            _ => None,
        };
        if let Some(named) = named {
            if matches!(named, NamedDate::Ft | NamedDate::Ft0) {
                self.need_windows(at, name)?;
            }
            return Ok(Typed::Term(Term::Named(named), TermType::Date));
        }
        if name == "PRE" || name == "PRE0" {
            self.need_windows(at, name)?;
            return Ok(Typed::Window(if name == "PRE" {
                Window::Pre
            } else {
                Window::Pre0
            }));
        }
        let shared = self.shared;
        let lets = self.lets;
        let Some(definition) = lets.get(name).or_else(|| shared.definitions.get(name)) else {
            return self.fault(
                at,
                "unknown_name",
                format!("there is no named date, let or definition `{name}`"),
            );
        };
        self.named.insert(name.to_owned());
        if self.expanding.iter().any(|outer| outer == name) {
            return self.fault(at, "recursion", format!("`{name}` is defined by itself"));
        }
        self.expanding.push(name.to_owned());
        self.sources.push(&definition.source);
        let typed = self.typed(&definition.expr);
        self.sources.pop();
        self.expanding.pop();
        typed
    }

    pub(super) fn need_windows(&mut self, at: At, name: &str) -> Compiled<()> {
        if self.shared.windows.is_some() {
            self.implicit.insert(CAP.to_owned());
            if name.starts_with("PRE") {
                self.implicit.insert(LOOKBACK.to_owned());
            }
            return Ok(());
        }
        self.fault(
            at,
            "unknown_parameter",
            format!(
                "`{name}` reads $LOOKBACK_DAYS and $PRE_CAP_DAYS, and both must be parameters of type days"
            ),
        )
    }
}
