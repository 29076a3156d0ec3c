use std::sync::Arc;

use super::RuleError;

/// Bytes `start..end` of one expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct At {
    pub start: usize,
    pub end: usize,
}

/// A fault at a place of one expression, before it is known which file the expression stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub at: At,
    /// Stable kind, as in [`RuleError::code`].
    pub code: &'static str,
    pub message: String,
}

/// Where the text of an expression stands: a stretch of a file.
#[derive(Debug, Clone)]
pub struct Source {
    file: Arc<str>,
    whole: Arc<str>,
    base: usize,
    text: Arc<str>,
}

impl Source {
    /// An expression that is its own file.
    pub fn alone(file: &str, text: &str) -> Source {
        Source {
            file: file.into(),
            whole: text.into(),
            base: 0,
            text: text.into(),
        }
    }

    /// An expression written inside a file from byte `base` on. When the file's bytes there are not the expression's
    /// (an escaped string), faults point to `base`.
    pub fn inside(file: &Arc<str>, whole: &Arc<str>, base: usize, text: &str) -> Source {
        Source {
            file: Arc::clone(file),
            whole: Arc::clone(whole),
            base,
            text: text.into(),
        }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn file(&self) -> &str {
        &self.file
    }

    /// The fault with file, line and column.
    pub fn locate(&self, fault: Fault) -> RuleError {
        let verbatim = self
            .whole
            .get(self.base..)
            .is_some_and(|rest| rest.starts_with(&*self.text));
        let offset = if verbatim {
            self.base + fault.at.start
        } else {
            self.base
        };
        let (line, column) = line_and_column(&self.whole, offset);
        RuleError {
            file: self.file.to_string(),
            line,
            column,
            code: fault.code,
            message: fault.message,
        }
    }
}

/// Line and column, both from 1, the column in characters.
pub(crate) fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let mut end = offset.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let before = text.get(..end).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_found_in_the_file_around_the_expression() {
        let file: Arc<str> = "id = '1'\nnumerator = '''\nü = 1 AND\n  x = 2'''\n".into();
        let base = file.find("ü").unwrap();
        let source = Source::inside(&"a.toml".into(), &file, base, "ü = 1 AND\n  x = 2");
        let start = source.text().find("x =").unwrap();
        let error = source.locate(Fault {
            at: At {
                start,
                end: start + 1,
            },
            code: "c",
            message: "m".into(),
        });
        assert_eq!((error.line, error.column), (4, 3));
        assert_eq!(error.to_string(), "a.toml:4:3: m (c)");
        let escaped = Source::inside(&"a.toml".into(), &file, 0, "something else");
        assert_eq!(
            escaped
                .locate(Fault {
                    at: At { start: 5, end: 6 },
                    code: "c",
                    message: "m".into()
                })
                .line,
            1
        );
    }
}
