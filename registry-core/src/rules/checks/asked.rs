//! Which elements a record owes under the conditions of the checks, whether it has them or not.

use std::collections::BTreeSet;

use super::{Block, CheckSet, Program};
use crate::record::{CellRef, Layout, Record};
use crate::rules::evaluate::Evaluation;
use crate::rules::syntax::{Arg, Expr, Node};

impl CheckSet {
    /// The cells of some elements (entity and element) that a check would miss, were the element empty in every row: what is required under
    /// a condition is asked for where its condition holds for certain, and nowhere else.
    pub fn asked_for(
        &self,
        record: &Record,
        elements: impl IntoIterator<Item = (u16, u16)>,
    ) -> BTreeSet<CellRef> {
        let mut asked = BTreeSet::new();
        let mut record = record.clone();
        for (entity, element) in elements {
            let mut column = record.empty_column(entity);
            record.swap_column(entity, element, &mut column);
            let programs = self.programs.iter().flatten();
            for program in programs.filter(|program| program.asks.contains(&Block { entity, element })) {
                let rows = self.rows_missing(program, &record, entity);
                asked.extend(rows.map(|row| CellRef { entity, row, element }));
            }
            record.swap_column(entity, element, &mut column);
        }
        asked
    }

    /// The rows of an entity that a check fires on; the one row of an entity there is once, wherever it fires.
    fn rows_missing(&self, program: &Program, record: &Record, entity: u16) -> impl Iterator<Item = u32> {
        let evaluation = Evaluation::of_checks(record, self.windows);
        let judged = program.scope.map_or(1, |scope| record.count(scope) as u32);
        let fires = |row: &u32| {
            if let Some(scope) = program.scope {
                evaluation.enter_scope(scope, *row);
            }
            evaluation.holds(&program.violated)
        };
        let fired: Vec<u32> = (0..judged).filter(fires).collect();
        let scoped = program.scope == Some(entity);
        fired.into_iter().map(move |row| if scoped { row } else { 0 })
    }
}

/// The elements whose presence an expression tests (`MISSING`, `KNOWN`, `ABSENT`), in the scoped row or in an entity there is once. What a
/// quantifier tests in other rows is not asked of them.
pub(super) fn asks(expr: &Expr, layout: &Layout, scope: Option<u16>) -> Vec<Block> {
    match &expr.node {
        Node::And(operands) | Node::Or(operands) => {
            let each = operands.iter().flat_map(|operand| asks(operand, layout, scope));
            each.collect()
        }
        Node::Not(operand) => asks(operand, layout, scope),
        Node::Call(name, arguments) if matches!(name.as_str(), "MISSING" | "KNOWN" | "ABSENT") => {
            let tested = arguments.first().and_then(|first| match first {
                Arg::Value(Expr {
                    node: Node::Path(path),
                    ..
                }) => super::reached(layout, &format!("{}.{}", path.row, path.element), scope),
                _ => None,
            });
            tested.into_iter().collect()
        }
        _ => Vec::new(),
    }
}
