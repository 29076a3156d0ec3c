use crate::record::Layout;

/// Why something cannot be told. The list is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// Nobody has answered.
    Missing,
    /// Answered, but without a value: unknown, not done, pending, withheld.
    UnknownRecorded,
    /// The section is not attested as complete, so the absence of a row proves nothing.
    SectionNotAttested,
    /// The time in which it could still happen is not over.
    WindowOpen,
    /// A date known to the month or year only cannot decide.
    ImpreciseDate,
    /// The element is kept out by an edit check of severity error.
    EditError,
}

impl Reason {
    pub const ALL: [Reason; 6] = [
        Reason::Missing,
        Reason::UnknownRecorded,
        Reason::SectionNotAttested,
        Reason::WindowOpen,
        Reason::ImpreciseDate,
        Reason::EditError,
    ];

    /// The code in results.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::Missing => "missing",
            Reason::UnknownRecorded => "unknown_recorded",
            Reason::SectionNotAttested => "section_not_attested",
            Reason::WindowOpen => "window_open",
            Reason::ImpreciseDate => "imprecise_date",
            Reason::EditError => "edit_error",
        }
    }

    pub fn from_code(code: &str) -> Option<Reason> {
        Reason::ALL.into_iter().find(|reason| reason.as_str() == code)
    }
}

/// What an unknown is about: an element, or a whole section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    Element(u16, u16),
    Section(u16),
}

impl Place {
    /// `entity.element`, or the entity's name.
    pub fn name(self, layout: &Layout) -> String {
        match self {
            Place::Element(entity, element) => layout
                .element_at(entity, element)
                .map(|element| element.path.to_string())
                .unwrap_or_default(),
            Place::Section(entity) => layout
                .entity_at(entity)
                .map(|entity| entity.name.to_string())
                .unwrap_or_default(),
        }
    }
}

/// Sections, by their entities' positions in the layout. Past the 64th they are not told apart: one such section stands for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SectionSet(u64);

impl SectionSet {
    pub fn of(entity: u16) -> SectionSet {
        SectionSet(1_u64.checked_shl(u32::from(entity)).unwrap_or(u64::MAX))
    }

    #[must_use]
    pub fn with(self, other: SectionSet) -> SectionSet {
        SectionSet(self.0 | other.0)
    }

    pub fn holds(self, entity: u16) -> bool {
        let wanted = SectionSet::of(entity).0;
        self.0 & wanted == wanted
    }
}

/// Not known, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Unknown {
    pub reason: Reason,
    pub place: Place,
}

/// A truth value of Kleene's strong logic; U carries the reason of the leftmost unknown operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Truth {
    True,
    False,
    Unknown(Unknown),
}

impl Truth {
    /// T or F.
    pub fn known(value: bool) -> Truth {
        if value { Truth::True } else { Truth::False }
    }

    pub fn is_true(self) -> bool {
        self == Truth::True
    }

    pub fn is_false(self) -> bool {
        self == Truth::False
    }

    /// Why it is U.
    pub fn unknown(self) -> Option<Unknown> {
        if let Truth::Unknown(unknown) = self {
            Some(unknown)
        } else {
            None
        }
    }

    /// NOT U is U, with its reason.
    #[must_use]
    pub fn negate(self) -> Truth {
        match self {
            Truth::True => Truth::False,
            Truth::False => Truth::True,
            unknown => unknown,
        }
    }

    /// F AND anything is F; otherwise U of the leftmost.
    #[must_use]
    pub fn and(self, right: Truth) -> Truth {
        match (self, right) {
            (Truth::False, _) | (_, Truth::False) => Truth::False,
            (Truth::True, right) => right,
            (left, _) => left,
        }
    }

    /// T OR anything is T; otherwise U of the leftmost.
    #[must_use]
    pub fn or(self, right: Truth) -> Truth {
        match (self, right) {
            (Truth::True, _) | (_, Truth::True) => Truth::True,
            (Truth::False, right) => right,
            (left, _) => left,
        }
    }
}
