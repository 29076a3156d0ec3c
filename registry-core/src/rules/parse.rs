use super::source::{At, Fault};
use super::syntax::{Aggregate, Arg, Comparison, Expr, IgnoredAt, Node, Operation, Over, Path, Rows, Window};
use super::token::{Token, tokens};

/// How deep an expression may nest; deeper ones are refused so that hostile text cannot exhaust the stack.
const MAX_DEPTH: usize = 48;

/// Parses one expression: a whole field of a measure, or a whole edit check.
///
/// # Errors
/// The first place where the text leaves the grammar, or a number other than 0, 1, 2 (`magic_number`).
pub fn parse(text: &str) -> Result<Expr, Fault> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        next: 0,
        depth: 0,
    };
    let expr = parser.expr()?;
    match parser.peek() {
        Token::End => Ok(expr),
        Token::Sign(sign) if comparison(sign).is_some() => Err(parser.fault_here(
            "chained_comparison",
            "comparisons do not chain: join two of them with AND".to_owned(),
        )),
        _ => Err(parser.unexpected("AND, OR or the end")),
    }
}

struct Parser {
    tokens: Vec<(Token, At)>,
    next: usize,
    depth: usize,
}

type Parsed<T> = Result<T, Fault>;

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.next).map_or(&Token::End, |(token, _)| token)
    }

    fn here(&self) -> At {
        let last = || self.tokens.last().map(|(_, at)| *at).unwrap_or_default();
        self.tokens.get(self.next).map_or_else(last, |(_, at)| *at)
    }

    /// End of the token before the next one.
    fn behind(&self) -> usize {
        self.next
            .checked_sub(1)
            .and_then(|at| self.tokens.get(at))
            .map_or(0, |(_, at)| at.end)
    }

    fn advance(&mut self) -> Token {
        let token = self.peek().clone();
        self.next += 1;
        token
    }

    fn fault_here(&self, code: &'static str, message: String) -> Fault {
        Fault {
            at: self.here(),
            code,
            message,
        }
    }

    fn unexpected(&self, wanted: &str) -> Fault {
        self.fault_here(
            "unparsable",
            format!("expected {wanted}, found {}", self.peek().describe()),
        )
    }

    fn keyword(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Token::Keyword(found) if *found == word);
        self.next += usize::from(found);
        found
    }

    fn sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Token::Sign(found) if *found == sign);
        self.next += usize::from(found);
        found
    }

    fn expect_keyword(&mut self, word: &str) -> Parsed<()> {
        if self.keyword(word) {
            Ok(())
        } else {
            Err(self.unexpected(&format!("`{word}`")))
        }
    }

    fn expect_sign(&mut self, sign: &str) -> Parsed<()> {
        if self.sign(sign) {
            Ok(())
        } else {
            Err(self.unexpected(&format!("`{sign}`")))
        }
    }

    fn expect_path(&mut self) -> Parsed<Path> {
        let at = self.here();
        match self.peek() {
            Token::Path(row, element) => {
                let path = Path {
                    row: row.clone(),
                    element: element.clone(),
                    at,
                };
                self.next += 1;
                Ok(path)
            }
            _ => Err(self.unexpected("a path as `row.element`")),
        }
    }

    fn expect_identifier(&mut self, wanted: &str) -> Parsed<String> {
        match self.peek() {
            Token::Identifier(name) => {
                let name = name.clone();
                self.next += 1;
                Ok(name)
            }
            _ => Err(self.unexpected(wanted)),
        }
    }

    fn spanned(&self, start: usize, node: Node) -> Expr {
        Expr {
            node,
            at: At {
                start,
                end: self.behind(),
            },
        }
    }

    fn expr(&mut self) -> Parsed<Expr> {
        if self.depth >= MAX_DEPTH {
            return Err(self.fault_here("unparsable", "this is nested too deeply".to_owned()));
        }
        self.depth += 1;
        let result = self.operands("OR", Parser::conj, Node::Or);
        self.depth -= 1;
        result
    }

    fn conj(&mut self) -> Parsed<Expr> {
        self.operands("AND", Parser::neg, Node::And)
    }

    fn operands(
        &mut self,
        word: &str,
        operand: fn(&mut Parser) -> Parsed<Expr>,
        node: fn(Vec<Expr>) -> Node,
    ) -> Parsed<Expr> {
        let start = self.here().start;
        let first = operand(self)?;
        if !self.keyword(word) {
            return Ok(first);
        }
        let mut all = vec![first, operand(self)?];
        while self.keyword(word) {
            all.push(operand(self)?);
        }
        Ok(self.spanned(start, node(all)))
    }

    fn neg(&mut self) -> Parsed<Expr> {
        let mut starts = Vec::new();
        loop {
            let start = self.here().start;
            if !self.keyword("NOT") {
                break;
            }
            if starts.len() >= MAX_DEPTH {
                return Err(self.fault_here("unparsable", "this is nested too deeply".to_owned()));
            }
            starts.push(start);
        }
        let mut expr = self.pred()?;
        for start in starts.into_iter().rev() {
            expr = self.spanned(start, Node::Not(Box::new(expr)));
        }
        Ok(expr)
    }

    fn pred(&mut self) -> Parsed<Expr> {
        let start = self.here().start;
        let value = self.term()?;
        if let Token::Sign(sign) = self.peek()
            && let Some(comparison) = comparison(sign)
        {
            self.next += 1;
            let right = self.term()?;
            return Ok(self.spanned(start, Node::Compare(comparison, Box::new(value), Box::new(right))));
        }
        if self.keyword("IS") {
            let negated = self.keyword("NOT");
            self.expect_keyword("NONE")?;
            return Ok(self.spanned(
                start,
                Node::IsNone {
                    value: Box::new(value),
                    negated,
                },
            ));
        }
        let negated = self.keyword("NOT");
        if !negated && !matches!(self.peek(), Token::Keyword("IN")) {
            return Ok(value);
        }
        self.expect_keyword("IN")?;
        let value = Box::new(value);
        let node = match self.window()? {
            Some(window) => Node::InWindow {
                value,
                negated,
                window,
            },
            None => Node::InSet {
                value,
                negated,
                set: Box::new(self.primary()?),
            },
        };
        Ok(self.spanned(start, node))
    }

    /// A window when one starts here.
    fn window(&mut self) -> Parsed<Option<Window>> {
        let named = match self.peek() {
            Token::Name(name) if name == "PRE" => Window::Pre,
            Token::Name(name) if name == "PRE0" => Window::Pre0,
            Token::Sign("[") => {
                self.next += 1;
                let from = Box::new(self.term()?);
                self.expect_sign(",")?;
                let to = Box::new(self.term()?);
                self.expect_sign("]")?;
                return Ok(Some(Window::Range(from, to)));
            }
            _ => return Ok(None),
        };
        self.next += 1;
        Ok(Some(named))
    }

    fn term(&mut self) -> Parsed<Expr> {
        self.arithmetic(
            Parser::product,
            &[("+", Operation::Add), ("-", Operation::Subtract)],
        )
    }

    fn product(&mut self) -> Parsed<Expr> {
        self.arithmetic(
            Parser::primary,
            &[("*", Operation::Multiply), ("/", Operation::Divide)],
        )
    }

    fn arithmetic(
        &mut self,
        operand: fn(&mut Parser) -> Parsed<Expr>,
        signs: &[(&str, Operation)],
    ) -> Parsed<Expr> {
        let start = self.here().start;
        let mut left = operand(self)?;
        let mut length = 0;
        while let Some((_, operation)) = signs.iter().find(|(sign, _)| self.sign(sign)) {
            length += 1;
            if length > MAX_DEPTH {
                return Err(self.fault_here("unparsable", "this is too long a sum or product".to_owned()));
            }
            let right = operand(self)?;
            left = self.spanned(
                start,
                Node::Arithmetic(*operation, Box::new(left), Box::new(right)),
            );
        }
        Ok(left)
    }

    fn primary(&mut self) -> Parsed<Expr> {
        let at = self.here();
        let start = at.start;
        let magic = || Fault {
            at,
            code: "magic_number",
            message: "only 0, 1, 2, 0d, 1d and 2d are written as numbers: name any other one as a parameter"
                .into(),
        };
        let node = match self.advance() {
            Token::Number(number) if [0.0, 1.0, 2.0].contains(&number) => Node::Number(number),
            Token::Days(days) if days <= 2 => Node::Days(days),
            Token::Number(_) | Token::Days(_) | Token::Months(_) => return Err(magic()),
            Token::Code(code) => Node::Code(code),
            Token::Parameter(name) => Node::Parameter(name),
            Token::Path(row, element) => Node::Path(Path { row, element, at }),
            Token::Keyword("true") => Node::Boolean(true),
            Token::Keyword("false") => Node::Boolean(false),
            Token::Sign("{") => Node::Set(self.members()?),
            Token::Sign("(") => {
                let inner = self.expr()?;
                self.expect_sign(")")?;
                return Ok(inner);
            }
            Token::Keyword("IF") => {
                let condition = self.expr()?;
                self.expect_keyword("THEN")?;
                let then = self.expr()?;
                self.expect_keyword("ELSE")?;
                let otherwise = self.expr()?;
                self.expect_keyword("END")?;
                Node::If(Box::new([condition, then, otherwise]))
            }
            Token::Keyword("UNKNOWN") => {
                self.expect_sign("(")?;
                let path = self.expect_path()?;
                self.expect_sign(")")?;
                Node::Unknown(path)
            }
            Token::Keyword(word) => match self.quantifier(word)? {
                Some(node) => node,
                None => {
                    self.next -= 1;
                    return Err(self.unexpected("a value"));
                }
            },
            Token::Name(name) => {
                if self.sign("(") {
                    Node::Call(name, self.arguments()?)
                } else {
                    Node::Name(name)
                }
            }
            _ => {
                self.next -= 1;
                return Err(self.unexpected("a value"));
            }
        };
        Ok(self.spanned(start, node))
    }

    fn members(&mut self) -> Parsed<Vec<Expr>> {
        self.depth += 1;
        if self.depth >= MAX_DEPTH {
            return Err(self.fault_here("unparsable", "this is nested too deeply".to_owned()));
        }
        let mut members = Vec::new();
        if !self.sign("}") {
            loop {
                members.push(self.primary()?);
                if !self.sign(",") {
                    break;
                }
            }
            self.expect_sign("}")?;
        }
        self.depth -= 1;
        Ok(members)
    }

    fn arguments(&mut self) -> Parsed<Vec<Arg>> {
        let mut arguments = Vec::new();
        if self.sign(")") {
            return Ok(arguments);
        }
        loop {
            let at = self.here();
            if let Token::Identifier(name) = self.peek() {
                arguments.push(Arg::Identifier(name.clone(), IgnoredAt(at)));
                self.next += 1;
            } else {
                arguments.push(Arg::Value(self.expr()?));
            }
            if !self.sign(",") {
                break;
            }
        }
        self.expect_sign(")")?;
        Ok(arguments)
    }

    /// The quantifier a keyword opens, `None` when it opens none.
    fn quantifier(&mut self, word: &str) -> Parsed<Option<Node>> {
        let aggregate = match word {
            "COUNT" => Some(Aggregate::Count),
            "FIRST_DATE" => Some(Aggregate::FirstDate),
            "LAST_DATE" => Some(Aggregate::LastDate),
            _ => None,
        };
        let over = match word {
            "SUM" => Some(Over::Sum),
            "MIN_OF" => Some(Over::Min),
            "MAX_OF" => Some(Over::Max),
            _ => None,
        };
        if aggregate.is_none() && over.is_none() && !["EXISTS", "ALL", "MAX_GAP", "COVERED"].contains(&word) {
            return Ok(None);
        }
        self.expect_sign("(")?;
        let node = if let Some(aggregate) = aggregate {
            Node::Aggregate(aggregate, Box::new(self.rows()?))
        } else if let Some(over) = over {
            let rows = Box::new(self.rows()?);
            self.expect_sign(":")?;
            Node::Over(over, rows, Box::new(self.term()?))
        } else if word == "EXISTS" {
            Node::Exists(Box::new(self.rows()?))
        } else if word == "ALL" {
            let rows = Box::new(self.rows()?);
            self.expect_keyword("SATISFY")?;
            Node::All(rows, Box::new(self.expr()?))
        } else if word == "MAX_GAP" {
            let rows = Box::new(self.rows()?);
            self.expect_keyword("FROM")?;
            let from = Box::new(self.term()?);
            self.expect_keyword("TO")?;
            Node::MaxGap {
                rows,
                from,
                to: Box::new(self.term()?),
            }
        } else {
            let start = self.here().start;
            self.expect_sign("{")?;
            let members = self.members()?;
            let set = Box::new(self.spanned(start, Node::Set(members)));
            self.expect_keyword("USING")?;
            let using = self.expect_path()?;
            self.expect_keyword("FROM")?;
            let rows = Box::new(self.rows()?);
            self.expect_keyword("POOL")?;
            Node::Covered {
                set,
                using,
                rows,
                pool: Box::new(self.primary()?),
            }
        };
        self.expect_sign(")")?;
        Ok(Some(node))
    }

    fn rows(&mut self) -> Parsed<Rows> {
        let submitted = self.keyword("ROWS");
        let at = IgnoredAt(self.here());
        let entity = self.expect_identifier("the name of an entity")?;
        let alias = if self.keyword("AS") {
            Some(self.expect_identifier("an alias")?)
        } else {
            None
        };
        let condition = if self.keyword("WHERE") {
            Some(self.expr()?)
        } else {
            None
        };
        let within = if self.keyword("WITHIN") {
            let window = self
                .window()?
                .ok_or_else(|| self.unexpected("a window: `[from, to]`, PRE or PRE0"))?;
            let on = if self.keyword("ON") {
                Some(self.expect_path()?)
            } else {
                None
            };
            Some((window, on))
        } else {
            None
        };
        Ok(Rows {
            submitted,
            entity,
            alias,
            condition,
            within,
            at,
        })
    }
}

fn comparison(sign: &str) -> Option<Comparison> {
    Comparison::ALL
        .into_iter()
        .find(|comparison| comparison.sign() == sign)
}
