//! Quantified rows: which entity, under which name, in which window.

use super::super::program::{CentreKeys, Code, Cond, Coverage, RowRef, Scan, Set, Term};

use super::super::syntax::{Comparison, Expr, Node, Path, Rows};
use super::terms::{code_reads, term_reads};
use super::types::{Domain, Typed, Unit};
use super::{Bound, Compiled, Compiler, Role};
use crate::record::Kind;

/// Rows can be bound this deep.
pub(crate) const MAX_SLOTS: usize = 12;

impl Compiler<'_> {
    /// Compiles rows, and `inside` with the row's name bound.
    pub(super) fn scan<T>(
        &mut self,
        rows: &Rows,
        inside: impl FnOnce(&mut Self) -> Compiled<T>,
    ) -> Compiled<(Scan, T)> {
        let at = rows.at.0;
        let entity = self.scanned_entity(rows)?;
        let layout = self.layout();
        let Some(known) = layout.entity_at(entity) else {
            return self.fault(at, "unknown_entity", "there is no such entity");
        };
        let name = self.free_name(rows, entity)?;
        // The window belongs to the outside: it cannot depend on the row it tests.
        let window = match &rows.within {
            Some((window, _)) => Some(self.window(window)?),
            None => None,
        };
        if window.is_some() && known.reference {
            return self.fault(
                at,
                "window_on_reference",
                format!("`{}` is a reference table and takes no WITHIN", known.name),
            );
        }
        if self.bound.len() + 1 >= MAX_SLOTS {
            return self.fault(at, "too_deep", "quantifiers are nested too deeply");
        }
        let slot = (self.bound.len() + 1) as u8;
        self.bound.push(Bound {
            name: name.clone(),
            entity,
            slot,
        });
        let compiled = self.scan_inside(rows, &name, inside);
        self.bound.pop();
        let (condition, on, value) = compiled?;
        if window.is_some() && on.is_none() && known.anchor_date.is_none() && known.link.is_none() {
            return self.fault(
                at,
                "no_date",
                format!("rows of `{}` have no date: name one with ON", known.name),
            );
        }
        let keys = if known.reference {
            condition.as_ref().and_then(|cond| self.centre_keys(cond, slot))
        } else {
            None
        };
        let after = condition.as_ref().and_then(|cond| cond.only_after(slot));
        let closed = rows.submitted || known.reference || !known.attestable;
        Ok((
            Scan {
                entity,
                slot,
                closed,
                condition,
                window,
                on,
                keys,
                after,
            },
            value,
        ))
    }

    fn scan_inside<T>(
        &mut self,
        rows: &Rows,
        name: &str,
        inside: impl FnOnce(&mut Self) -> Compiled<T>,
    ) -> Compiled<(Option<Cond>, Option<u16>, T)> {
        let condition = match &rows.condition {
            Some(condition) => Some(self.condition(condition)?),
            None => None,
        };
        let on = match &rows.within {
            Some((_, Some(path))) => Some(self.dated_by(path, name)?),
            _ => None,
        };
        Ok((condition, on, inside(self)?))
    }

    fn dated_by(&mut self, path: &Path, name: &str) -> Compiled<u16> {
        if path.row != name {
            return self.fault(
                path.at,
                "on_other_row",
                format!("ON names a date of the scanned row `{name}`"),
            );
        }
        Ok(self.date_cell(path)?.element)
    }

    fn scanned_entity(&mut self, rows: &Rows) -> Compiled<u16> {
        let at = rows.at.0;
        let layout = self.layout();
        let Some(entity) = layout.entity(&rows.entity) else {
            return self.fault(
                at,
                "unknown_entity",
                format!("there is no entity `{}`", rows.entity),
            );
        };
        if layout.entity_at(entity).is_some_and(|known| known.single) {
            return self.fault(
                at,
                "single_entity",
                format!("`{}` has one row: name its elements directly", rows.entity),
            );
        }
        if rows.submitted && self.role == Role::Measure {
            return self.fault(
                at,
                "rows_in_measure",
                "ROWS is for edit checks and populations: a measure must ask for the attestation",
            );
        }
        Ok(entity)
    }

    /// The name the row goes by, unless it is taken.
    fn free_name(&mut self, rows: &Rows, entity: u16) -> Compiled<String> {
        let at = rows.at.0;
        let layout = self.layout();
        if let Some(alias) = &rows.alias {
            if layout.entity(alias).is_some() {
                return self.fault(
                    at,
                    "alias_is_entity",
                    format!("the alias `{alias}` is the name of an entity"),
                );
            }
            if self.bound.iter().any(|bound| bound.name == *alias) {
                return self.fault(at, "already_bound", format!("`{alias}` is already bound"));
            }
            return Ok(alias.clone());
        }
        let anchored = self.role != Role::EditCheck && entity == layout.places.presentation;
        let taken =
            self.bound.iter().any(|bound| bound.name == rows.entity) || self.unit == Some(entity) || anchored;
        if taken {
            return self.fault(
                at,
                "already_bound",
                format!("`{}` is already bound here: scan it with AS", rows.entity),
            );
        }
        Ok(rows.entity.clone())
    }

    /// FIRST_DATE, LAST_DATE and MAX_GAP need rows with a date.
    pub(super) fn need_anchor(&mut self, scan: &Scan, rows: &Rows) -> Compiled<()> {
        let dated = self
            .layout()
            .entity_at(scan.entity)
            .is_some_and(|known| known.anchor_date.is_some() || known.link.is_some());
        if dated || scan.on.is_some() {
            return Ok(());
        }
        self.fault(
            rows.at.0,
            "no_date",
            format!("rows of `{}` have no date", rows.entity),
        )
    }

    pub(super) fn coverage(
        &mut self,
        set: &Expr,
        using: &Path,
        rows: &Rows,
        pool: &Expr,
    ) -> Compiled<Coverage> {
        let wanted = match &set.node {
            Node::Set(members) => self.set_literal(members)?,
            _ => self.typed(set)?,
        };
        let Typed::Set(wanted, domain) = wanted else {
            return self.wanted(set.at, "a set of codes", &wanted);
        };
        let (days, unit) = self.number(pool)?;
        if unit != Unit::Days {
            return self.fault(pool.at, "different_types", "POOL takes a number of days");
        }
        let (scan, (using, other)) = self.scan(rows, |compiler| {
            let (cell, element) = compiler.cell(using)?;
            let here = compiler.bound.last().map(|bound| RowRef::Slot(bound.slot));
            if element.kind != Kind::Set || Some(cell.row) != here {
                return compiler.fault(
                    using.at,
                    "set_or_code",
                    format!("USING names a set of the scanned row, `{using}` is none"),
                );
            }
            Ok((cell, element.codes.clone().map_or(Domain::Open, Domain::List)))
        })?;
        self.need_anchor(&scan, rows)?;
        self.meet(set.at, &domain, &other)?;
        Ok(Coverage {
            set: wanted,
            using,
            scan,
            pool: days,
        })
    }

    /// Keys of the centre table among the conjuncts of a condition: rows with other keys make it F.
    fn centre_keys(&self, condition: &Cond, slot: u8) -> Option<Box<CentreKeys>> {
        let layout = self.layout();
        let conjuncts = if let Cond::And(all) = condition {
            all
        } else {
            std::slice::from_ref(condition)
        };
        let mut keys = CentreKeys::default();
        for conjunct in conjuncts {
            match conjunct {
                Cond::SameCode {
                    operands,
                    negated: false,
                } => {
                    let [left, right] = &**operands;
                    for (key, value) in [(left, right), (right, left)] {
                        if let Code::Path(path) = key
                            && path.row == RowRef::Slot(slot)
                            && layout
                                .element_at(path.entity, path.element)
                                .is_some_and(|known| known.name == "centre_id")
                            && !code_reads(value, slot)
                        {
                            keys.centre = Some(value.clone());
                        }
                    }
                }
                Cond::Compare(Comparison::Equal, operands) => {
                    let [left, right] = &**operands;
                    for (key, value) in [(left, right), (right, left)] {
                        if let Term::Path(path) = key
                            && path.row == RowRef::Slot(slot)
                            && layout
                                .element_at(path.entity, path.element)
                                .is_some_and(|known| known.name == "effective_year")
                            && !term_reads(value, slot)
                        {
                            keys.year = Some(value.clone());
                        }
                    }
                }
                _ => {}
            }
        }
        (keys.centre.is_some() || keys.year.is_some()).then(|| Box::new(keys))
    }

    /// A set argument.
    pub(super) fn set(&mut self, expr: &Expr) -> Compiled<(Set, Domain)> {
        match self.typed(expr)? {
            Typed::Set(set, domain) => Ok((set, domain)),
            other => self.wanted(expr.at, "a set of codes", &other),
        }
    }

    /// A code argument.
    pub(super) fn code(&mut self, expr: &Expr) -> Compiled<(Code, Domain)> {
        match self.typed(expr)? {
            Typed::Code(code, domain) => Ok((code, domain)),
            other => self.wanted(expr.at, "a code", &other),
        }
    }
}
