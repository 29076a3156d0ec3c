use super::source::{At, Fault};

/// Words with a meaning in the grammar.
pub(crate) const KEYWORDS: &[&str] = &[
    "ALL",
    "AND",
    "AS",
    "COUNT",
    "COVERED",
    "ELSE",
    "END",
    "EXISTS",
    "FIRST_DATE",
    "FROM",
    "IF",
    "IN",
    "IS",
    "LAST_DATE",
    "MAX_GAP",
    "MAX_OF",
    "MIN_OF",
    "NONE",
    "NOT",
    "ON",
    "OR",
    "POOL",
    "ROWS",
    "SATISFY",
    "SUM",
    "TABLE",
    "THEN",
    "TO",
    "UNKNOWN",
    "USING",
    "WHERE",
    "WITHIN",
    "true",
    "false",
];

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    /// One of [`KEYWORDS`].
    Keyword(&'static str),
    /// `[A-Z][A-Z0-9_]*`.
    Name(String),
    /// `row.element`.
    Path(String, String),
    /// `[a-z][a-z0-9_]*`.
    Identifier(String),
    /// `'...'`.
    Code(String),
    Number(f64),
    Days(u32),
    Months(u32),
    /// `$NAME`.
    Parameter(String),
    /// An operator or bracket.
    Sign(&'static str),
    End,
}

impl Token {
    /// How the token is named in a message.
    pub(crate) fn describe(&self) -> String {
        match self {
            Token::Keyword(word) => format!("`{word}`"),
            Token::Name(name) | Token::Identifier(name) => format!("`{name}`"),
            Token::Path(row, element) => format!("`{row}.{element}`"),
            Token::Code(_) => "a text in quotes".to_owned(),
            Token::Number(_) => "a number".to_owned(),
            Token::Days(_) | Token::Months(_) => "a duration".to_owned(),
            Token::Parameter(name) => format!("`${name}`"),
            Token::Sign(sign) => format!("`{sign}`"),
            Token::End => "the end".to_owned(),
        }
    }
}

const SIGNS: &[&str] = &[
    "<>", "<=", ">=", "=", "<", ">", "+", "-", "*", "/", "(", ")", "{", "}", "[", "]", ",", ":",
];

/// Cuts a text into tokens; the last one is [`Token::End`].
pub(crate) fn tokens(text: &str) -> Result<Vec<(Token, At)>, Fault> {
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        let start = text.len() - rest.len();
        let Some(first) = rest.chars().next() else {
            found.push((Token::End, At { start, end: start }));
            return Ok(found);
        };
        let fault = |length: usize, message: String| Fault {
            at: At {
                start,
                end: start + length,
            },
            code: "unparsable",
            message,
        };
        let (token, length) = match first {
            'A'..='Z' => {
                let word = leading(rest, |c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
                let keyword = KEYWORDS.iter().find(|keyword| **keyword == word);
                (
                    keyword.map_or_else(|| Token::Name(word.to_owned()), |word| Token::Keyword(word)),
                    word.len(),
                )
            }
            'a'..='z' => lower(rest).map_err(|(length, message)| fault(length, message))?,
            '0'..='9' => number(rest).map_err(|(length, message)| fault(length, message))?,
            '$' => {
                let name = leading(rest.get(1..).unwrap_or_default(), |c| {
                    c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'
                });
                if !name.starts_with(|c: char| c.is_ascii_uppercase()) {
                    return Err(fault(1, "a parameter is written `$NAME`, in upper case".into()));
                }
                (Token::Parameter(name.to_owned()), name.len() + 1)
            }
            '\'' => {
                let inside = rest.get(1..).unwrap_or_default();
                let Some(end) = inside.find('\'') else {
                    return Err(fault(1, "this quote is never closed".into()));
                };
                (
                    Token::Code(inside.get(..end).unwrap_or_default().to_owned()),
                    end + 2,
                )
            }
            _ => match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
                Some(sign) => (Token::Sign(sign), sign.len()),
                None if first == '"' => return Err(fault(1, "texts are written in single quotes".into())),
                None if first == '.' => {
                    return Err(fault(1, "there are no blanks around the dot of a path".into()));
                }
                None => {
                    return Err(fault(
                        first.len_utf8(),
                        "this character means nothing here".into(),
                    ));
                }
            },
        };
        found.push((
            token,
            At {
                start,
                end: start + length,
            },
        ));
        rest = rest.get(length..).unwrap_or_default();
    }
}

fn leading(text: &str, accept: impl Fn(char) -> bool) -> &str {
    text.get(..text.find(|c| !accept(c)).unwrap_or(text.len()))
        .unwrap_or_default()
}

fn identifier(text: &str) -> &str {
    leading(text, |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn lower(text: &str) -> Result<(Token, usize), (usize, String)> {
    let row = identifier(text);
    let after = text.get(row.len()..).unwrap_or_default();
    if let Some(after) = after.strip_prefix('.') {
        let element = identifier(after);
        if !element.starts_with(|c: char| c.is_ascii_lowercase()) {
            return Err((row.len() + 1, format!("the element after `{row}.` is missing")));
        }
        return Ok((
            Token::Path(row.to_owned(), element.to_owned()),
            row.len() + 1 + element.len(),
        ));
    }
    let token = match row {
        "true" => Token::Keyword("true"),
        "false" => Token::Keyword("false"),
        _ => Token::Identifier(row.to_owned()),
    };
    Ok((token, row.len()))
}

fn number(text: &str) -> Result<(Token, usize), (usize, String)> {
    let whole = leading(text, |c| c.is_ascii_digit());
    let after = text.get(whole.len()..).unwrap_or_default();
    let fraction = after
        .strip_prefix('.')
        .map(|rest| leading(rest, |c| c.is_ascii_digit()));
    let length = whole.len() + fraction.map_or(0, |digits| digits.len() + 1);
    if fraction.is_some_and(str::is_empty) {
        return Err((length, "digits must follow the decimal point".into()));
    }
    let unit = leading(text.get(length..).unwrap_or_default(), |c| {
        c.is_ascii_alphanumeric() || c == '_'
    });
    let end = length + unit.len();
    let digits = text.get(..length).unwrap_or_default();
    let count = || {
        digits
            .parse::<u32>()
            .map_err(|_| (end, "a duration is a small whole number".to_owned()))
    };
    match unit {
        "" => digits
            .parse()
            .map(|number| (Token::Number(number), end))
            .map_err(|_| (end, "not a number".to_owned())),
        "d" => Ok((Token::Days(count()?), end)),
        "mo" => Ok((Token::Months(count()?), end)),
        _ => Err((
            end,
            "a number is followed by nothing, `d` (days) or `mo` (months)".to_owned(),
        )),
    }
}
