//! Finding the elements of a row's keys: both come sorted, so one pass over both finds them all.

use std::cmp::Ordering;

/// Names of an entity's elements, sorted, and their positions.
#[derive(Debug)]
pub(super) struct Names(Vec<Name>);

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    /// Compared first.
    leading: u64,
    text: String,
    at: u16,
}

impl Name {
    fn compare(&self, leading: u64, text: &str) -> Ordering {
        self.leading
            .cmp(&leading)
            .then_with(|| self.text.as_str().cmp(text))
    }
}

impl Names {
    /// Positions follow the order given.
    pub(super) fn of<'a>(names: impl Iterator<Item = &'a str>) -> Names {
        let mut names: Vec<Name> = (0..)
            .zip(names)
            .map(|(at, name)| Name {
                leading: leading(name),
                text: name.to_owned(),
                at,
            })
            .collect();
        names.sort_unstable();
        Names(names)
    }

    /// Looks names up that come, as a rule, in their order.
    pub(super) fn in_order(&self) -> InOrder<'_> {
        InOrder {
            names: &self.0,
            from: 0,
            previous: (0, ""),
        }
    }
}

/// One pass over the names, which begins again at a name that is out of order.
pub(super) struct InOrder<'a> {
    names: &'a [Name],
    from: usize,
    previous: (u64, &'a str),
}

impl<'a> InOrder<'a> {
    /// The position of a name, if there is an element of it.
    pub(super) fn find(&mut self, text: &'a str) -> Option<u16> {
        let leading = leading(text);
        if (leading, text) < self.previous {
            self.from = 0;
        }
        self.previous = (leading, text);
        let names = self.names.iter().skip(self.from);
        self.from += names
            .take_while(|name| name.compare(leading, text).is_lt())
            .count();
        let name = self.names.get(self.from)?;
        name.compare(leading, text).is_eq().then_some(name.at)
    }
}

/// The first eight bytes of a text as one number in the order of the text: tells most names and codes apart.
pub(crate) fn leading(text: &str) -> u64 {
    let mut first = [0; 8];
    let bytes = first.iter_mut().zip(text.bytes());
    bytes.for_each(|(to, byte)| *to = byte);
    u64::from_be_bytes(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_order() {
        let names = [
            "date",
            "a_long_name_of_two",
            "b",
            "a_long_name_of_one",
            "a_long_n",
        ];
        let known = Names::of(names.into_iter());
        let mut sorted: Vec<&str> = names
            .into_iter()
            .chain(["", "a_long_name_of_three", "zeta"])
            .collect();
        sorted.sort_unstable();
        let backwards = sorted.iter().rev().copied();
        let mut found = known.in_order();
        for text in sorted.iter().copied().chain(backwards).chain(names) {
            let expected = names.iter().position(|name| *name == text).map(|at| at as u16);
            assert_eq!(found.find(text), expected, "{text}");
        }
    }

    #[test]
    fn the_leading_bytes_have_the_order_of_the_text() {
        let sorted = ["", "a", "aa", "ab", "b", "zebra", "é"];
        assert!(sorted.is_sorted_by_key(|text| leading(text)));
    }
}
