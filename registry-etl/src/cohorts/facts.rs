//! What survival needs from one case, read once while the case is evaluated and stored with its evaluation.

use super::settle::{DateReading, day};
use registry_core::record::{Cell, PartialDate, Record};
use serde::{Deserialize, Serialize};

/// A date as recorded. Days are day numbers of the proleptic Gregorian calendar (1 January of year 1 is day 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum RecordedDate {
    /// Not answered, or answered with an absence code.
    #[default]
    None,
    /// Kept out by an error-severity edit.
    Blocked,
    /// Between the first and the last day, both included.
    Between(i32, i32),
}

impl RecordedDate {
    /// Reads a date cell.
    pub fn of(cell: &Cell<'_>) -> Self {
        match cell {
            Cell::Blocked => Self::Blocked,
            Cell::Date(date) => Self::from(*date),
            _ => Self::None,
        }
    }
}

impl From<PartialDate> for RecordedDate {
    fn from(date: PartialDate) -> Self {
        Self::Between(date.first(), date.last())
    }
}

/// Vital status of a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Vital {
    Alive,
    Dead,
    Lost,
    /// Kept out by an error-severity edit.
    Blocked,
    NotRecorded,
}

/// One contact of the patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    pub date: RecordedDate,
    pub vital: Vital,
    pub death: RecordedDate,
}

/// Whether the case was registered as it happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Ascertainment {
    #[default]
    NotRecorded,
    Prospective,
    Retrospective,
}

/// The survival row of a case.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SurvivalFacts {
    /// Consent or waiver, a first presentation, eligibility class core.
    pub in_core: bool,
    /// Metastatic diagnosis: `presentation.date_detected` of presentation 1.
    pub origin: RecordedDate,
    /// `patient.registration_date`.
    pub registration: RecordedDate,
    pub ascertainment: Ascertainment,
    pub contacts: Vec<Contact>,
    /// Last day anything is known of: the earlier of the run's cut-off and the day of submission (day number).
    pub cut_off: i32,
    /// Observation ends when the patient was last seen, never on the cut-off: for a release, whose days would tell the calendar otherwise.
    #[serde(skip)]
    pub as_seen: bool,
}

impl SurvivalFacts {
    /// Whether any contact says that the patient has died.
    pub fn is_dead(&self) -> bool {
        let mut contacts = self.contacts.iter();
        contacts.any(|contact| contact.vital == Vital::Dead || contact.death != RecordedDate::None)
    }

    /// Whether any contact says that the patient has died up to a day (a day number): by the date of death, or by the contact's own date where none
    /// is known. A date known to the year only is read as the first day of it.
    pub fn died_by(&self, last: i32) -> bool {
        let on = |date: RecordedDate| match date {
            RecordedDate::Between(first, _) => {
                let read = day(date, DateReading::Fifteenth).ok().flatten();
                Some(read.unwrap_or(first))
            }
            _ => None,
        };
        let dead = |contact: &&Contact| contact.vital == Vital::Dead || contact.death != RecordedDate::None;
        let mut told = self.contacts.iter().filter(dead);
        told.any(|contact| on(contact.death).or(on(contact.date)).is_none_or(|at| at <= last))
    }

    /// Reads the survival row of a record whose blocked cells are marked. `cut_off` is a day number.
    pub fn read(record: &Record, cut_off: i32) -> Self {
        let text = |path: &str| record.single(path).as_text();
        let first = record
            .rows("presentation")
            .find(|p| p.get("seq").as_number() == Some(1.0));
        let in_core = matches!(text("consent.status"), Some("consented" | "waiver"))
            && first.is_some()
            && text("primary.eligibility_class") == Some("core");
        let contact = |row: registry_core::record::RowView<'_>| Contact {
            date: RecordedDate::of(&row.get("date")),
            vital: match row.get("vital_status") {
                Cell::Text("alive") => Vital::Alive,
                Cell::Text("dead") => Vital::Dead,
                Cell::Text("lost") => Vital::Lost,
                Cell::Blocked => Vital::Blocked,
                _ => Vital::NotRecorded,
            },
            death: RecordedDate::of(&row.get("death_date")),
        };
        Self {
            in_core,
            origin: first.map_or(RecordedDate::None, |p| RecordedDate::of(&p.get("date_detected"))),
            registration: RecordedDate::of(&record.single("patient.registration_date")),
            ascertainment: match text("patient.ascertainment") {
                Some("prospective") => Ascertainment::Prospective,
                Some("retrospective") => Ascertainment::Retrospective,
                _ => Ascertainment::NotRecorded,
            },
            contacts: record.rows("followup").map(contact).collect(),
            cut_off,
            as_seen: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patient_is_dead_by_status_or_by_date_and_by_nothing_else() {
        let is_dead = |vital, death| {
            let date = RecordedDate::Between(739_000, 739_000);
            let seen = Contact {
                date,
                vital: Vital::Alive,
                death: RecordedDate::None,
            };
            let last = Contact { date, vital, death };
            let contacts = vec![seen, last];
            SurvivalFacts {
                contacts,
                ..SurvivalFacts::default()
            }
            .is_dead()
        };
        let day = RecordedDate::Between(739_100, 739_130);
        for vital in [Vital::Alive, Vital::Lost, Vital::Blocked, Vital::NotRecorded] {
            assert!(!is_dead(vital, RecordedDate::None));
            // Whatever the status says: care for the dead is not asked for.
            assert!(is_dead(vital, day) && is_dead(vital, RecordedDate::Blocked));
        }
        assert!(is_dead(Vital::Dead, RecordedDate::None));
        assert!(!SurvivalFacts::default().is_dead());
    }

    #[test]
    fn a_death_counts_from_its_day_on() {
        let on = |text: &str| RecordedDate::from(PartialDate::parse(text).unwrap());
        let number = |text: &str| PartialDate::parse(text).unwrap().first();
        let died_by = |date: &str, vital, death, last: &str| {
            let date = on(date);
            let contacts = vec![Contact { date, vital, death }];
            let facts = SurvivalFacts {
                contacts,
                ..SurvivalFacts::default()
            };
            facts.died_by(number(last))
        };
        let (dead, none) = (Vital::Dead, RecordedDate::None);
        assert!(died_by("2025-06-30", dead, on("2025-06-10"), "2025-06-10"));
        assert!(!died_by("2025-06-30", dead, on("2025-06-10"), "2025-06-09"));
        // Known to the month: its 15th, as in every estimate; to the year: its first day.
        assert!(died_by("2025-06-30", dead, on("2025-06"), "2025-06-15"));
        assert!(!died_by("2025-06-30", dead, on("2025-06"), "2025-06-14"));
        assert!(died_by("2025-06-30", dead, on("2025"), "2025-01-01"));
        assert!(!died_by("2025-06-30", dead, on("2025"), "2024-12-31"));
        // No date of death: by the contact that tells it; so where the date is kept out.
        assert!(died_by("2025-06-30", dead, none, "2025-06-30"));
        assert!(!died_by("2025-06-30", dead, none, "2025-06-29"));
        assert!(died_by(
            "2025-06-30",
            Vital::Alive,
            RecordedDate::Blocked,
            "2025-06-30"
        ));
        assert!(!died_by("2025-06-30", Vital::Alive, none, "2026-01-01"));
        assert!(!died_by("2025-06-30", Vital::Lost, none, "2026-01-01"));
    }
}
