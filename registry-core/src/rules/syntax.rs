//! The tree a text of the language stands for (section 2 of the language). Equality ignores positions.

use super::source::At;

/// A part of an expression and where it stands.
#[derive(Debug, Clone)]
pub struct Expr {
    pub node: Node,
    pub at: At,
}

impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.node == other.node
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// Two operands or more.
    Or(Vec<Expr>),
    /// Two operands or more.
    And(Vec<Expr>),
    Not(Box<Expr>),
    Compare(Comparison, Box<Expr>, Box<Expr>),
    InWindow {
        value: Box<Expr>,
        negated: bool,
        window: Window,
    },
    InSet {
        value: Box<Expr>,
        negated: bool,
        set: Box<Expr>,
    },
    IsNone {
        value: Box<Expr>,
        negated: bool,
    },
    Arithmetic(Operation, Box<Expr>, Box<Expr>),
    Number(f64),
    Days(u32),
    Months(u32),
    Code(String),
    Parameter(String),
    Path(Path),
    Boolean(bool),
    Set(Vec<Expr>),
    If(Box<[Expr; 3]>),
    Unknown(Path),
    Exists(Box<Rows>),
    All(Box<Rows>, Box<Expr>),
    /// `COUNT`, `FIRST_DATE`, `LAST_DATE`.
    Aggregate(Aggregate, Box<Rows>),
    /// `SUM`, `MIN_OF`, `MAX_OF`.
    Over(Over, Box<Rows>, Box<Expr>),
    MaxGap {
        rows: Box<Rows>,
        from: Box<Expr>,
        to: Box<Expr>,
    },
    Covered {
        set: Box<Expr>,
        using: Path,
        rows: Box<Rows>,
        pool: Box<Expr>,
    },
    /// Named date, let or definition.
    Name(String),
    Call(String, Vec<Arg>),
}

#[derive(Debug, Clone)]
pub struct Path {
    pub row: String,
    pub element: String,
    pub at: At,
}

impl PartialEq for Path {
    fn eq(&self, other: &Self) -> bool {
        (&self.row, &self.element) == (&other.row, &other.element)
    }
}

/// An argument of a function; the identifier alone only in `ATTESTED` and `INDEX`.
#[derive(Debug, Clone, PartialEq)]
pub enum Arg {
    Value(Expr),
    Identifier(String, IgnoredAt),
}

/// A position that takes no part in equality.
#[derive(Debug, Clone, Copy)]
pub struct IgnoredAt(pub At);

impl PartialEq for IgnoredAt {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// Rows of an entity a quantifier runs over.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// Written `ROWS`: the document as submitted, closed by definition.
    pub submitted: bool,
    pub entity: String,
    pub alias: Option<String>,
    pub condition: Option<Expr>,
    pub within: Option<(Window, Option<Path>)>,
    pub at: IgnoredAt,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Window {
    Range(Box<Expr>, Box<Expr>),
    Pre,
    Pre0,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    pub const ALL: [Comparison; 6] = [
        Comparison::Equal,
        Comparison::NotEqual,
        Comparison::Less,
        Comparison::LessOrEqual,
        Comparison::Greater,
        Comparison::GreaterOrEqual,
    ];

    pub fn sign(self) -> &'static str {
        match self {
            Comparison::Equal => "=",
            Comparison::NotEqual => "<>",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
}

impl Operation {
    pub fn sign(self) -> &'static str {
        match self {
            Operation::Add => "+",
            Operation::Subtract => "-",
            Operation::Multiply => "*",
            Operation::Divide => "/",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregate {
    Count,
    FirstDate,
    LastDate,
}

impl Aggregate {
    pub fn word(self) -> &'static str {
        match self {
            Aggregate::Count => "COUNT",
            Aggregate::FirstDate => "FIRST_DATE",
            Aggregate::LastDate => "LAST_DATE",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    Sum,
    Min,
    Max,
}

impl Over {
    pub fn word(self) -> &'static str {
        match self {
            Over::Sum => "SUM",
            Over::Min => "MIN_OF",
            Over::Max => "MAX_OF",
        }
    }
}
