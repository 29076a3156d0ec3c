//! Entities and elements, and the closed vocabularies that describe them.

use std::collections::HashMap;
use std::sync::Arc;

use super::{AbsenceSet, CodeList};

/// One entity of the case record: an object (`1..1`) or an array of rows.
#[derive(Debug, Clone)]
pub struct Entity {
    /// Name, the JSON key.
    pub name: String,
    /// What it records, in words.
    pub description: String,
    /// How many rows a complete case has.
    pub cardinality: Cardinality,
    /// Whether a section attestation can close it, so that "no row" means "did not happen".
    pub attestable: bool,
    /// Who supplies it.
    pub kind: EntityKind,
    /// Position in `elements` of the date that places a row in time; none where a row has no own date.
    pub anchor_date: Option<usize>,
    /// The elements, in schema order.
    pub elements: Vec<Element>,
    by_name: HashMap<String, usize>,
}

impl Entity {
    pub(super) fn new(
        name: String,
        description: String,
        cardinality: Cardinality,
        attestable: bool,
        kind: EntityKind,
        anchor_date: Option<usize>,
        elements: Vec<Element>,
    ) -> Self {
        let by_name = elements
            .iter()
            .enumerate()
            .map(|(i, e)| (e.name.clone(), i))
            .collect();
        Entity {
            name,
            description,
            cardinality,
            attestable,
            kind,
            anchor_date,
            elements,
            by_name,
        }
    }

    /// The element of this name.
    pub fn element(&self, name: &str) -> Option<&Element> {
        self.element_index(name).and_then(|i| self.elements.get(i))
    }

    /// Position of the element of this name in [`Entity::elements`].
    pub fn element_index(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// Whether the JSON value is an array of rows and not one object.
    pub fn repeated(&self) -> bool {
        self.cardinality != Cardinality::One
    }
}

/// One element: a leaf of an entity's row.
#[derive(Debug, Clone)]
pub struct Element {
    /// Name, the JSON key.
    pub name: String,
    /// What it records, in words; may be empty.
    pub description: String,
    /// Type of its value.
    pub kind: ElementKind,
    /// Unit of a number, for example `mm`.
    pub unit: Option<String>,
    /// Its closed code list, where it has one. A code without a list is checked by pattern or by an edit check.
    pub codes: Option<Arc<CodeList>>,
    /// Whether the schema itself refuses a code outside `codes`, or leaves the range to an edit check.
    pub codes_enforced: bool,
    /// When it must be answered.
    pub requirement: Requirement,
    /// The condition of [`Requirement::Conditional`], in words.
    pub condition: Option<String>,
    /// Absence codes it accepts.
    pub absence: AbsenceSet,
    /// Item of an external standard it is mapped to.
    pub standard: Option<String>,
    /// Constraint in words.
    pub constraint: Option<String>,
    /// Who may see it.
    pub visibility: Visibility,
    /// Version of the case schema that introduced it.
    pub introduced: String,
    /// Which measures or analyses read it, in words.
    pub used_by: Option<String>,
    /// Whether a partial date (`YYYY`, `YYYY-MM`) is refused.
    pub exact_date: bool,
}

impl Element {
    /// Whether a closed list of answers is all it takes: one code of a list, or yes and no.
    pub fn is_coded(&self) -> bool {
        match self.kind {
            ElementKind::Boolean => true,
            ElementKind::Code | ElementKind::Integer => self.codes.is_some(),
            _ => false,
        }
    }
}

macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];

            /// As written in the schema files.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text,)+ }
            }

            /// The value of this spelling.
            pub fn from_code(text: &str) -> Option<Self> {
                match text { $($text => Some($name::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

vocabulary! {
    /// How many rows of an entity a complete case has.
    Cardinality {
        /// Exactly one, a JSON object.
        One = "1..1",
        /// Any number, a JSON array.
        Many = "0..*",
        /// At least one, a JSON array.
        OneOrMore = "1..*",
    }
}

vocabulary! {
    /// Who supplies an entity.
    EntityKind {
        /// The centre, in the body of the case.
        Case = "case",
        /// The service, around the body; a body that sends it is refused.
        Envelope = "envelope",
        /// The coordinating office, as a table of its own.
        Reference = "reference",
    }
}

vocabulary! {
    /// When an element must be answered (by a value or an accepted absence code).
    Requirement {
        /// Always; otherwise it is missing.
        Required = "R",
        /// When its condition holds.
        Conditional = "C",
        /// Never.
        Optional = "O",
        /// Set by the service; a body that sends it is refused.
        Derived = "derived",
    }
}

vocabulary! {
    /// Type of an element's value.
    ElementKind {
        /// One code.
        Code = "code",
        /// An array of distinct codes; an empty one means "none of these".
        CodeSet = "code_set",
        /// Short text, such as a key within the record.
        String = "string",
        /// An array of distinct short texts.
        StringSet = "string_set",
        /// RFC 9562 identifier.
        Uuid = "uuid",
        /// True or false.
        Boolean = "boolean",
        /// A whole number.
        Integer = "integer",
        /// A number.
        Number = "number",
        /// A number of percent.
        Percent = "percent",
        /// A calendar year.
        Year = "year",
        /// ISO 8601 day; partial (`YYYY`, `YYYY-MM`) unless the element wants it exact.
        Date = "date",
        /// RFC 3339 instant.
        DateTime = "datetime",
    }
}

vocabulary! {
    /// Who may see an element outside its own centre.
    Visibility {
        /// In every release.
        Open = "open",
        /// Only as days relative to metastatic diagnosis.
        ShiftedDate = "shifted_date",
        /// Only through an approved data request, after coarsening.
        QuasiIdentifier = "quasi_identifier",
        /// Only through an approved data request that names it.
        Restricted = "restricted",
        /// Never outside the service.
        Internal = "internal",
    }
}
