use std::fmt::{self, Display, Formatter};

use super::syntax::{Arg, Expr, Node, Operation, Path, Rows, Window};

/// How tightly a construct binds; an operand that binds less tightly than its place asks for gets parentheses.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Binding {
    Or,
    And,
    Not,
    Predicate,
    Term,
    Product,
    Primary,
}

/// Writes the expression so that parsing it gives the same tree.
impl Display for Expr {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write(out, self, Binding::Or)
    }
}

impl Display for Path {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.row, self.element)
    }
}

impl Display for Rows {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        if self.submitted {
            out.write_str("ROWS ")?;
        }
        out.write_str(&self.entity)?;
        if let Some(alias) = &self.alias {
            write!(out, " AS {alias}")?;
        }
        if let Some(condition) = &self.condition {
            write!(out, " WHERE {condition}")?;
        }
        if let Some((window, on)) = &self.within {
            write!(out, " WITHIN {window}")?;
            if let Some(path) = on {
                write!(out, " ON {path}")?;
            }
        }
        Ok(())
    }
}

impl Display for Window {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Window::Pre => out.write_str("PRE"),
            Window::Pre0 => out.write_str("PRE0"),
            Window::Range(from, to) => {
                out.write_str("[")?;
                write(out, from, Binding::Term)?;
                out.write_str(", ")?;
                write(out, to, Binding::Term)?;
                out.write_str("]")
            }
        }
    }
}

fn binding(node: &Node) -> Binding {
    match node {
        Node::Or(_) => Binding::Or,
        Node::And(_) => Binding::And,
        Node::Not(_) => Binding::Not,
        Node::Compare(..) | Node::InWindow { .. } | Node::InSet { .. } | Node::IsNone { .. } => {
            Binding::Predicate
        }
        Node::Arithmetic(Operation::Add | Operation::Subtract, ..) => Binding::Term,
        Node::Arithmetic(..) => Binding::Product,
        _ => Binding::Primary,
    }
}

fn write(out: &mut Formatter<'_>, expr: &Expr, place: Binding) -> fmt::Result {
    if binding(&expr.node) < place {
        out.write_str("(")?;
        node(out, &expr.node)?;
        return out.write_str(")");
    }
    node(out, &expr.node)
}

fn list(out: &mut Formatter<'_>, operands: &[Expr], between: &str, place: Binding) -> fmt::Result {
    for (at, operand) in operands.iter().enumerate() {
        if at > 0 {
            out.write_str(between)?;
        }
        write(out, operand, place)?;
    }
    Ok(())
}

fn node(out: &mut Formatter<'_>, node: &Node) -> fmt::Result {
    let not = |negated: &bool| if *negated { " NOT" } else { "" };
    match node {
        Node::Or(operands) => list(out, operands, " OR ", Binding::And),
        Node::And(operands) => list(out, operands, " AND ", Binding::Not),
        Node::Not(operand) => {
            out.write_str("NOT ")?;
            write(out, operand, Binding::Not)
        }
        Node::Compare(comparison, left, right) => {
            write(out, left, Binding::Term)?;
            write!(out, " {} ", comparison.sign())?;
            write(out, right, Binding::Term)
        }
        Node::InWindow {
            value,
            negated,
            window,
        } => {
            write(out, value, Binding::Term)?;
            write!(out, "{} IN {window}", not(negated))
        }
        Node::InSet { value, negated, set } => {
            write(out, value, Binding::Term)?;
            write!(out, "{} IN ", not(negated))?;
            write(out, set, Binding::Primary)
        }
        Node::IsNone { value, negated } => {
            write(out, value, Binding::Term)?;
            write!(out, " IS{} NONE", not(negated))
        }
        Node::Arithmetic(operation, left, right) => {
            let (left_place, right_place) = match operation {
                Operation::Add | Operation::Subtract => (Binding::Term, Binding::Product),
                Operation::Multiply | Operation::Divide => (Binding::Product, Binding::Primary),
            };
            write(out, left, left_place)?;
            write!(out, " {} ", operation.sign())?;
            write(out, right, right_place)
        }
        Node::Number(number) => write!(out, "{number}"),
        Node::Days(days) => write!(out, "{days}d"),
        Node::Months(months) => write!(out, "{months}mo"),
        Node::Code(code) => write!(out, "'{code}'"),
        Node::Parameter(name) => write!(out, "${name}"),
        Node::Path(path) => path.fmt(out),
        Node::Boolean(value) => write!(out, "{value}"),
        Node::Set(members) => {
            out.write_str("{")?;
            list(out, members, ", ", Binding::Primary)?;
            out.write_str("}")
        }
        Node::If(parts) => {
            let [condition, then, otherwise] = &**parts;
            write!(out, "IF {condition} THEN {then} ELSE {otherwise} END")
        }
        Node::Unknown(path) => write!(out, "UNKNOWN({path})"),
        Node::Exists(rows) => write!(out, "EXISTS({rows})"),
        Node::All(rows, condition) => write!(out, "ALL({rows} SATISFY {condition})"),
        Node::Aggregate(aggregate, rows) => write!(out, "{}({rows})", aggregate.word()),
        Node::Over(over, rows, value) => {
            write!(out, "{}({rows} : ", over.word())?;
            write(out, value, Binding::Term)?;
            out.write_str(")")
        }
        Node::MaxGap { rows, from, to } => {
            write!(out, "MAX_GAP({rows} FROM ")?;
            write(out, from, Binding::Term)?;
            out.write_str(" TO ")?;
            write(out, to, Binding::Term)?;
            out.write_str(")")
        }
        Node::Covered {
            set,
            using,
            rows,
            pool,
        } => {
            write!(out, "COVERED({set} USING {using} FROM {rows} POOL ")?;
            write(out, pool, Binding::Primary)?;
            out.write_str(")")
        }
        Node::Name(name) => out.write_str(name),
        Node::Call(name, arguments) => {
            write!(out, "{name}(")?;
            for (at, argument) in arguments.iter().enumerate() {
                if at > 0 {
                    out.write_str(", ")?;
                }
                match argument {
                    Arg::Value(value) => value.fmt(out)?,
                    Arg::Identifier(name, _) => out.write_str(name)?,
                }
            }
            out.write_str(")")
        }
    }
}
