//! Closure (section 6): can no further row of an entity exist up to a day?

use super::super::syntax::Comparison;
use super::{Evaluation, scalar};
use crate::record::Cell;
use crate::rules::{Place, Reason, Scalar, SectionSet, Truth, Unknown};

/// The section name that stands for every section without an attestation of its own.
pub(crate) const ALL: &str = "all";

/// Through which day sections are attested: without end when nothing ever happened, never when a row does not close it.
pub(super) struct Attestations {
    /// By entity; `None` without a row of its own.
    own: Vec<Option<f64>>,
    all: f64,
}

impl Evaluation<'_> {
    /// T when the entity is closed through `until` (the cut-off when not given), else U with the reason.
    pub(super) fn closed(&self, entity: u16, until: Option<Scalar>) -> Truth {
        if self
            .layout
            .entity_at(entity)
            .is_none_or(|known| known.reference || !known.attestable)
        {
            return Truth::True;
        }
        let unknown = |reason| {
            Truth::Unknown(Unknown {
                reason,
                place: Place::Section(entity),
            })
        };
        let cut = match self.cut() {
            Scalar::Range(cut) => cut,
            Scalar::Unknown(unknown) => return Truth::Unknown(unknown),
            Scalar::None(_) => return unknown(Reason::WindowOpen),
        };
        let day = match until {
            None => cut.hi,
            Some(Scalar::Unknown(unknown)) => return Truth::Unknown(unknown),
            // A window without end is open for ever.
            Some(Scalar::None(_)) => return unknown(Reason::WindowOpen),
            Some(Scalar::Range(until)) => match until.why {
                Some(why) if until.maybe_none || until.hi == f64::INFINITY => return Truth::Unknown(why),
                _ => until.hi,
            },
        };
        if day > cut.lo && until.is_some() {
            return unknown(Reason::WindowOpen);
        }
        if self.attested(entity, day) || self.negative_row(entity, day) {
            return Truth::True;
        }
        self.found_open(SectionSet::of(entity));
        unknown(Reason::SectionNotAttested)
    }

    /// The section's own attestation, or that of `all` when it has none of its own.
    fn attested(&self, entity: u16, day: f64) -> bool {
        let attestations = self.attestations.get_or_init(|| self.attestations());
        self.note_attestations(entity);
        let own = attestations.own.get(usize::from(entity)).copied().flatten();
        day <= own.unwrap_or(attestations.all)
    }

    fn attestations(&self) -> Attestations {
        let places = &self.layout.places;
        let read = |row: u32, element| self.record.cell(places.attestation, row as usize, element);
        let mut attestations = Attestations {
            own: vec![None; self.layout.entities().len()],
            all: f64::NEG_INFINITY,
        };
        for row in self.each_active(places.attestation) {
            let Some(section) = read(row, places.section).as_text() else {
                continue;
            };
            let whole = section == ALL;
            let through = match read(row, places.status).as_text() {
                // `all` can be complete, it cannot say that nothing ever happened.
                Some("none_ever") if !whole => f64::INFINITY,
                Some("complete_through") => read(row, places.complete_through)
                    .as_date()
                    .map_or(f64::NEG_INFINITY, |date| f64::from(date.first())),
                _ => f64::NEG_INFINITY,
            };
            let entity = self.layout.entity(section).map(usize::from);
            if whole {
                attestations.all = attestations.all.max(through);
            } else if let Some(own) = entity.and_then(|entity| attestations.own.get_mut(entity)) {
                *own = Some(own.map_or(through, |other| other.max(through)));
            }
        }
        attestations
    }

    /// Notes, when tracing, what an answer about a section rests on.
    fn note_attestations(&self, entity: u16) {
        if self.reads.is_none() {
            return;
        }
        let places = &self.layout.places;
        let name = self.layout.entity_at(entity).map(|known| &*known.name);
        for row in self.each_active(places.attestation) {
            let section = self.read(places.attestation, row, places.section).as_text();
            if section == Some(ALL) || (section.is_some() && section == name) {
                let status = self.read(places.attestation, row, places.status).as_text();
                if status == Some("complete_through") {
                    self.note(places.attestation, row, places.complete_through);
                }
            }
        }
    }

    /// A row that says nothing was done, dated on or after the day, or undated in a record submitted on or after it.
    fn negative_row(&self, entity: u16, day: f64) -> bool {
        let places = &self.layout.places;
        let (element, code) = match entity {
            _ if entity == places.palliative_care => (places.palliative_outcome, "not_referred"),
            _ if entity == places.trial => (places.trial_outcome, "not_screened"),
            _ if entity == places.biopsy_decision => (places.biopsy_decision_value, "not_considered"),
            _ => return false,
        };
        self.each_active(entity).any(|row| {
            if self.read(entity, row, element).as_text() != Some(code) {
                return false;
            }
            if entity == places.biopsy_decision && !self.about_unit_lesion(row) {
                return false;
            }
            let Some(anchor) = self.layout.entity_at(entity).and_then(|known| known.anchor_date) else {
                return false;
            };
            match self.read(entity, row, anchor) {
                Cell::Date(date) => f64::from(date.first()) >= day,
                Cell::Blocked => false,
                _ => self
                    .submitted()
                    .compare(Comparison::GreaterOrEqual, Scalar::point(day))
                    .is_true(),
            }
        })
    }

    /// A biopsy decision closes the lesion of the unit only.
    fn about_unit_lesion(&self, row: u32) -> bool {
        let places = &self.layout.places;
        if self.unit_entity.get() != Some(places.lesion) {
            return false;
        }
        let lesion = self
            .read(places.lesion, self.bound(0) as u32, places.lesion_id)
            .as_text();
        let named = self
            .read(places.biopsy_decision, row, places.biopsy_decision_lesion)
            .as_text();
        lesion.is_some() && lesion == named
    }

    /// DIED_BY: a known death decides; without one, a later contact alive or lost says no.
    pub(super) fn died_by(&self, day: Scalar) -> Truth {
        let death = self.death();
        let range = match (death, day) {
            (_, Scalar::Unknown(unknown)) => return Truth::Unknown(unknown),
            (Scalar::Range(known), _) if !known.maybe_none => {
                return death.compare(Comparison::LessOrEqual, day);
            }
            (_, Scalar::None(_)) => return Truth::False,
            (_, Scalar::Range(range)) => range,
        };
        let places = &self.layout.places;
        let contact = Place::Element(places.followup, places.contact);
        let alive = self.each_active(places.followup).any(|row| {
            let status = self.read(places.followup, row, places.vital_status).as_text();
            matches!(status, Some("alive" | "lost"))
                && scalar(&self.read(places.followup, row, places.contact), contact)
                    .compare(Comparison::Greater, day)
                    .is_true()
        });
        if alive {
            return Truth::False;
        }
        let after_cut = if let Scalar::Range(cut) = self.cut() {
            range.hi > cut.hi
        } else {
            false
        };
        Truth::Unknown(if after_cut {
            Unknown {
                reason: Reason::WindowOpen,
                place: Place::Section(places.followup),
            }
        } else {
            match death {
                Scalar::Unknown(unknown) => unknown,
                Scalar::Range(maybe) => maybe.why.unwrap_or(Unknown {
                    reason: Reason::Missing,
                    place: contact,
                }),
                Scalar::None(_) => Unknown {
                    reason: Reason::Missing,
                    place: contact,
                },
            }
        })
    }
}
