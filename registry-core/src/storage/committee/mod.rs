//! What the committee and the coordinating office do with what they see: signals followed up, measures looked at first. Every reason is a
//! code: no text about a centre is kept.

mod indicators;
mod letters;
mod signals;

pub use indicators::{ChosenFor, IndicatorList};
pub use letters::Letter;
pub use signals::{ClosedFor, RevealedFor, SignalHistory, SignalRef, SignalStatus, SignalStep, StepTaken};

use crate::access::{Role, Scope};

/// Codes with their names in the database and in answers.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $code:literal,)+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$of])* $variant,)+
        }

        impl $name {
            /// Every code, in order.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The name in the database and in answers.
            pub fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $code,)+
                }
            }

            /// The code of that name.
            pub fn named(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|code| code.as_str() == text)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                let text = utoipa::openapi::ObjectBuilder::new().schema_type(utoipa::openapi::schema::Type::String);
                text.enum_values(Some([$($code),+])).into()
            }
        }

        impl utoipa::ToSchema for $name {}
    )+};
}
use codes;

fn steers(scope: &Scope) -> bool {
    matches!(scope.role(), Role::Committee | Role::Coordinator | Role::System)
}
