//! Named dates (section 7) and the presentation they refer to.

use super::super::program::{NamedDate, Window};
use super::super::syntax::Comparison;
use super::{Anchor, AnchorDates, Evaluation, Kept, scalar};
use crate::record::{Cell, PartialDate};
use crate::rules::{Place, Range, Reason, Scalar, Truth, Unknown};

impl Evaluation<'_> {
    /// The presentation with seq 1.
    pub(super) fn first_presentation(&self) -> Anchor {
        self.presentation_numbered(1.0).map_or(Anchor::None, Anchor::Row)
    }

    fn presentation_numbered(&self, seq: f64) -> Option<u32> {
        let places = &self.layout.places;
        self.each_active(places.presentation)
            .find(|row| self.read(places.presentation, *row, places.seq).as_number() == Some(seq))
    }

    /// The anchor presentation of a unit row: itself, the linked one, or the latest certainly not after it.
    pub(super) fn presentation_of(&self, entity: u16, row: u32) -> Anchor {
        let places = &self.layout.places;
        if entity == places.presentation {
            return Anchor::Row(row);
        }
        if let Some(link) = self.layout.entity_at(entity).and_then(|known| known.link) {
            return match self.read(entity, row, link) {
                Cell::Number(seq) => self.presentation_numbered(seq).map_or(Anchor::None, Anchor::Row),
                Cell::Blocked => Anchor::Blocked,
                _ => Anchor::None,
            };
        }
        let Scalar::Range(date) = self.anchor_date(entity, row) else {
            return Anchor::None;
        };
        let mut latest: Option<(u32, f64)> = None;
        for presentation in self.each_active(places.presentation) {
            let detected = self
                .read(places.presentation, presentation, places.detected)
                .as_date();
            let Some(day) = detected.map(PartialDate::last).map(f64::from) else {
                continue;
            };
            if day <= date.lo && latest.is_none_or(|(_, other)| day >= other) {
                latest = Some((presentation, day));
            }
        }
        latest.map_or(Anchor::None, |(presentation, _)| Anchor::Row(presentation))
    }

    /// The date that places a row in time: its own, or that of its presentation.
    pub(super) fn anchor_date(&self, entity: u16, row: u32) -> Scalar {
        let places = &self.layout.places;
        let Some(known) = self.layout.entity_at(entity) else {
            return Scalar::None(Place::Section(entity));
        };
        if let Some(element) = known.anchor_date {
            let cell = self.read(entity, row, element);
            // A malignancy called prior whose date nobody knows lies before everything: at birth.
            if entity == places.prior_malignancy && !cell.is_value() && cell != Cell::Blocked {
                return self.birth();
            }
            return scalar(&cell, Place::Element(entity, element));
        }
        let Some(link) = known.link else {
            return Scalar::None(Place::Section(entity));
        };
        let detected = Place::Element(places.presentation, places.detected);
        match self.presentation_of(entity, row) {
            Anchor::Row(presentation) => scalar(
                &self.read(places.presentation, presentation, places.detected),
                detected,
            ),
            Anchor::Blocked => Scalar::Unknown(Unknown {
                reason: Reason::EditError,
                place: Place::Element(entity, link),
            }),
            Anchor::None => {
                let cell = self.read(entity, row, link);
                match scalar(&cell, Place::Element(entity, link)) {
                    Scalar::Range(_) => Scalar::Unknown(Unknown {
                        reason: Reason::Missing,
                        place: detected,
                    }),
                    other => other,
                }
            }
        }
    }

    /// Per entity the rows whose date is not certainly after the cut-off.
    pub(super) fn rows_until_cut(&self) -> Vec<Vec<u32>> {
        let cut = self.cut();
        let counts = self.layout.entities().iter().enumerate();
        counts
            .map(|(entity, known)| {
                let entity = entity as u16;
                let dated = known.anchor_date.is_some() || known.link.is_some();
                let rows = 0..self.record.count(entity) as u32;
                if known.single || !dated {
                    return rows.collect();
                }
                rows.filter(|row| {
                    !self
                        .anchor_date(entity, *row)
                        .compare(Comparison::Greater, cut)
                        .is_true()
                })
                .collect()
            })
            .collect()
    }

    pub(super) fn cut(&self) -> Scalar {
        let places = &self.layout.places;
        *self.cut.get_or_init(|| {
            scalar(
                &self.read(places.record, 0, places.cutoff),
                Place::Element(places.record, places.cutoff),
            )
        })
    }

    pub(super) fn submitted(&self) -> Scalar {
        let places = &self.layout.places;
        scalar(
            &self.read(places.record, 0, places.submitted),
            Place::Element(places.record, places.submitted),
        )
    }

    /// 1 January of the year of birth; without one the unbounded past, as it only opens windows.
    pub(super) fn birth(&self) -> Scalar {
        let places = &self.layout.places;
        let year = self.read(places.patient, 0, places.birth_year).as_number();
        let day = year.and_then(|year| PartialDate::parse(&format!("{year:04}-01-01")));
        Scalar::point(day.map_or(f64::NEG_INFINITY, |day| f64::from(day.first())))
    }

    pub(super) fn named(&self, named: NamedDate) -> Scalar {
        let anchor = self.dates_anchor.get();
        match named {
            NamedDate::T0 => self.t0(anchor),
            NamedDate::A0 => self.a0(anchor),
            NamedDate::Ft => self.ft(anchor),
            NamedDate::Ft0 => self.ft0(anchor),
            NamedDate::Cut => self.cut(),
            NamedDate::Submitted => self.submitted(),
            NamedDate::Last => self.last(),
            NamedDate::Death => self.death(),
            NamedDate::Birth => self.birth(),
        }
    }

    fn dates(&self, anchor: Anchor) -> Option<&AnchorDates> {
        let rows = self.anchors.len().saturating_sub(2);
        self.anchors.get(match anchor {
            Anchor::Row(row) => row as usize,
            Anchor::None => rows,
            Anchor::Blocked => rows + 1,
        })
    }

    fn once(
        &self,
        anchor: Anchor,
        which: fn(&AnchorDates) -> &Kept<Scalar>,
        work: impl Fn() -> Scalar,
    ) -> Scalar {
        self.dates(anchor)
            .map_or_else(&work, |dates| self.kept(which(dates), &work))
    }

    fn t0(&self, anchor: Anchor) -> Scalar {
        let places = &self.layout.places;
        self.once(
            anchor,
            |dates| &dates.t0,
            || {
                scalar(
                    &self.anchor_cell(anchor, places.detected),
                    Place::Element(places.presentation, places.detected),
                )
            },
        )
    }

    /// The later of detection and referral; detection when there is no referral date, and for later presentations.
    fn a0(&self, anchor: Anchor) -> Scalar {
        let places = &self.layout.places;
        self.once(
            anchor,
            |dates| &dates.a0,
            || {
                let t0 = self.t0(anchor);
                if self
                    .anchor_cell(anchor, places.seq)
                    .as_number()
                    .is_some_and(|seq| seq >= 2.0)
                {
                    return t0;
                }
                let referral = self.anchor_cell(anchor, places.referral);
                if !referral.is_value() && referral != Cell::Blocked {
                    return t0;
                }
                let referral = scalar(&referral, Place::Element(places.presentation, places.referral));
                Scalar::latest([t0, referral]).unwrap_or(t0)
            },
        )
    }

    fn after(&self, date: Scalar, days: f64) -> Scalar {
        date.add(Scalar::point(days))
    }

    fn ft(&self, anchor: Anchor) -> Scalar {
        self.once(
            anchor,
            |dates| &dates.ft,
            || {
                let a0 = self.a0(anchor);
                self.first_treatment(a0, self.after(a0, self.windows.cap))
            },
        )
    }

    fn ft0(&self, anchor: Anchor) -> Scalar {
        self.once(
            anchor,
            |dates| &dates.ft0,
            || {
                let t0 = self.t0(anchor);
                self.first_treatment(t0, self.after(t0, self.windows.cap))
            },
        )
    }

    /// Both ends of a window.
    pub(super) fn window(&self, window: &Window) -> (Scalar, Scalar) {
        let anchor = self.dates_anchor.get();
        let work = |from: Scalar, first_treatment: Scalar| {
            let cap = self.after(from, self.windows.cap);
            let end = Scalar::earliest([first_treatment, cap]).unwrap_or(cap);
            (self.after(self.t0(anchor), -self.windows.lookback), end)
        };
        match window {
            Window::Range(ends) => {
                let [from, to] = &**ends;
                (self.term(from), self.term(to))
            }
            Window::Pre => {
                let pre = || work(self.a0(anchor), self.ft(anchor));
                self.dates(anchor)
                    .map_or_else(pre, |dates| self.kept(&dates.pre, pre))
            }
            Window::Pre0 => {
                let pre0 = || work(self.t0(anchor), self.ft0(anchor));
                self.dates(anchor)
                    .map_or_else(pre0, |dates| self.kept(&dates.pre0, pre0))
            }
        }
    }

    /// The earliest start of a local treatment, systemic line or radiotherapy course on or after `from`. A known row
    /// stands although a section is open; rows whose date is uncertain widen the answer.
    pub(super) fn first_treatment(&self, from: Scalar, through: Scalar) -> Scalar {
        let places = &self.layout.places;
        let range = match from {
            Scalar::Range(range) => range,
            other => return other,
        };
        let mut earliest = Earliest::default();
        for entity in places.treatments {
            for row in self.each_active(entity) {
                let date = self.anchor_date(entity, row);
                match from.compare(Comparison::LessOrEqual, date) {
                    Truth::True => earliest.definite(date),
                    Truth::Unknown(unknown) => earliest.possible(date, range.lo, unknown),
                    Truth::False => {}
                }
            }
        }
        if let Some(found) = earliest.result() {
            return found;
        }
        let open = places
            .treatments
            .iter()
            .find_map(|entity| self.closed(*entity, Some(through)).unknown());
        match open {
            None => Scalar::None(Place::Section(places.local_treatment)),
            Some(unknown) => Scalar::Range(Range::perhaps_from(range.lo, unknown)),
        }
    }

    /// The latest contact. One without a usable date leaves the end open.
    pub(super) fn last(&self) -> Scalar {
        let places = &self.layout.places;
        *self.last.get_or_init(|| {
            let place = Place::Element(places.followup, places.contact);
            let mut latest: Option<Range> = None;
            let mut undated = None;
            for row in self.each_active(places.followup) {
                match scalar(&self.read(places.followup, row, places.contact), place) {
                    Scalar::Range(date) => {
                        latest = Some(latest.map_or(date, |other: Range| {
                            let why = other.why.or(date.why);
                            Range::new(other.lo.max(date.lo), other.hi.max(date.hi), why)
                        }));
                    }
                    Scalar::Unknown(unknown) => undated = undated.or(Some(unknown)),
                    Scalar::None(_) => {}
                }
            }
            match (latest, undated) {
                (None, None) => Scalar::None(place),
                (None, Some(unknown)) => Scalar::Unknown(unknown),
                (Some(date), None) => Scalar::Range(date),
                (Some(date), Some(unknown)) => {
                    Scalar::Range(Range::new(date.lo, f64::INFINITY, Some(unknown)))
                }
            }
        })
    }

    /// The earliest known date of death; NONE when no contact says dead, unknown when one does without a date.
    pub(super) fn death(&self) -> Scalar {
        let places = &self.layout.places;
        *self.death.get_or_init(|| {
            let place = Place::Element(places.followup, places.death_date);
            let status = Place::Element(places.followup, places.vital_status);
            let mut earliest = Earliest::default();
            let mut undated = None;
            for row in self.each_active(places.followup) {
                let cell = self.read(places.followup, row, places.vital_status);
                let dead = match cell {
                    Cell::Text(text) => Truth::known(text == "dead"),
                    other => super::leaf_unknown(&other, status).map_or(Truth::False, Truth::Unknown),
                };
                if dead.is_false() {
                    continue;
                }
                let date = scalar(&self.read(places.followup, row, places.death_date), place);
                // A death after the cut-off has not happened yet.
                if self.active.is_some() && date.compare(Comparison::Greater, self.cut()).is_true() {
                    continue;
                }
                match (dead, date) {
                    (Truth::Unknown(unknown), _) => earliest.possible(date, f64::NEG_INFINITY, unknown),
                    (_, Scalar::Range(_)) => earliest.definite(date),
                    (_, Scalar::Unknown(unknown)) => undated = undated.or(Some(unknown)),
                    // Dead, with the date marked as not applicable: a contradiction nobody can resolve here.
                    (_, Scalar::None(_)) => {
                        undated = undated.or(Some(Unknown {
                            reason: Reason::UnknownRecorded,
                            place,
                        }));
                    }
                }
            }
            match (earliest.result(), undated) {
                (None, None) => Scalar::None(place),
                (Some(Scalar::Range(date)), Some(unknown)) if date.maybe_none => Scalar::Unknown(unknown),
                (None, Some(unknown)) => Scalar::Unknown(unknown),
                (Some(found), _) => found,
            }
        })
    }
}

/// The earliest of dates, some certain to count and some not.
#[derive(Default)]
pub(super) struct Earliest {
    definite: Option<Range>,
    possible: Vec<(f64, Unknown)>,
}

impl Earliest {
    pub(super) fn definite(&mut self, date: Scalar) {
        let date = match date {
            Scalar::Range(date) => date,
            Scalar::None(_) => return,
            Scalar::Unknown(unknown) => Range::new(f64::NEG_INFINITY, f64::INFINITY, Some(unknown)),
        };
        self.definite = Some(self.definite.map_or(date, |other| {
            let (lo, hi) = (other.lo.min(date.lo), other.hi.min(date.hi));
            let why = if other.lo <= hi { other.why } else { None };
            Range::new(lo, hi, why.or(date.why))
        }));
    }

    /// A row that may count; it is not earlier than `from`.
    pub(super) fn possible(&mut self, date: Scalar, from: f64, unknown: Unknown) {
        let lo = match date {
            Scalar::Range(date) => date.lo.max(from),
            Scalar::None(_) => return,
            Scalar::Unknown(_) => from,
        };
        self.possible.push((lo, unknown));
    }

    /// `None` without any row. Rows that may count only widen towards the past; alone they may also be none.
    pub(super) fn result(&self) -> Option<Scalar> {
        let earliest = self
            .possible
            .iter()
            .copied()
            .reduce(|first, other| if other.0 < first.0 { other } else { first });
        Some(Scalar::Range(match (self.definite, earliest) {
            (None, None) => return None,
            (Some(definite), None) => definite,
            (None, Some((lo, unknown))) => Range::perhaps_from(lo, unknown),
            (Some(definite), Some((lo, unknown))) if lo < definite.lo => {
                Range::new(lo, definite.hi, Some(unknown))
            }
            (Some(definite), Some(_)) => definite,
        }))
    }
}

impl Evaluation<'_> {
    /// The named dates of the present unit.
    pub(crate) fn named_dates(&self) -> Vec<(&'static str, Scalar)> {
        [
            ("T0", NamedDate::T0),
            ("A0", NamedDate::A0),
            ("FT", NamedDate::Ft),
            ("FT0", NamedDate::Ft0),
            ("CUT", NamedDate::Cut),
            ("DEATH", NamedDate::Death),
        ]
        .into_iter()
        .map(|(name, named)| (name, self.named(named)))
        .collect()
    }
}
