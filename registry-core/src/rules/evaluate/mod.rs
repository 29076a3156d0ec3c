//! Judging one case. Rows are scanned, never copied; named dates are worked out once per anchor presentation.

mod aggregates;
mod certainty;
mod closure;
mod column;
mod conditions;
mod dates;
mod rows;
mod terms;

use std::cell::{Cell as Slot, OnceCell, RefCell};
use std::collections::BTreeSet;

pub(crate) use closure::ALL;

use super::compile::WindowDays;
use super::program::{CellPath, RowRef};
use super::{Place, Range, Reason, Scalar, SectionSet, Truth, Unknown};
use crate::record::{Absence, CarriedRow, Cell, CellRef, Layout, Record};

/// Results of other measures on the same unit, for MEASURE and DENOM.
pub(crate) trait OtherMeasures {
    /// The outcome's code, or why it is not assessable.
    fn outcome(&self, evaluation: &Evaluation<'_>, measure: u16) -> Result<&'static str, Unknown>;
    /// The denominator alone.
    fn denominator(&self, evaluation: &Evaluation<'_>, measure: u16) -> Truth;
}

/// The presentation dates and `presentation.x` refer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Anchor {
    Row(u32),
    /// None: every element reads as missing.
    None,
    /// The link to it is blocked: every element reads as blocked.
    Blocked,
}

/// A value worked out once, with the sections it found open.
type Kept<T> = OnceCell<(T, SectionSet)>;

#[derive(Default)]
struct AnchorDates {
    t0: Kept<Scalar>,
    a0: Kept<Scalar>,
    ft: Kept<Scalar>,
    ft0: Kept<Scalar>,
    pre: Kept<(Scalar, Scalar)>,
    pre0: Kept<(Scalar, Scalar)>,
}

/// One case under judgement. Create one per record, point it at a unit with [`Evaluation::enter`], evaluate.
pub(crate) struct Evaluation<'a> {
    record: &'a Record,
    layout: &'a Layout,
    windows: WindowDays,
    others: Option<&'a dyn OtherMeasures>,
    /// Positions of the rows that count, per entity; `None` when every row does.
    active: Option<Vec<Vec<u32>>>,
    slots: [Slot<u64>; super::compile::MAX_SLOTS],
    unit_entity: Slot<Option<u16>>,
    /// What `presentation.x` means.
    anchor: Slot<Anchor>,
    /// What T0, A0, FT, PRE refer to.
    dates_anchor: Slot<Anchor>,
    anchors: Vec<AnchorDates>,
    attestations: OnceCell<closure::Attestations>,
    cut: OnceCell<Scalar>,
    last: OnceCell<Scalar>,
    death: OnceCell<Scalar>,
    last_column: RefCell<column::LastColumn<'a>>,
    /// Sections found not attested far enough.
    open: Slot<SectionSet>,
    reads: Option<RefCell<BTreeSet<CellRef>>>,
}

impl<'a> Evaluation<'a> {
    /// For edit checks: every submitted row counts.
    pub(crate) fn of_checks(record: &'a Record, windows: WindowDays) -> Evaluation<'a> {
        Evaluation::new(record, windows, None)
    }

    /// For measures: rows certainly after the cut-off are left out.
    pub(crate) fn of_measures(
        record: &'a Record,
        windows: WindowDays,
        others: &'a dyn OtherMeasures,
    ) -> Evaluation<'a> {
        let mut evaluation = Evaluation::new(record, windows, Some(others));
        evaluation.active = Some(evaluation.rows_until_cut());
        evaluation.unit_patient();
        evaluation
    }

    fn new(record: &'a Record, windows: WindowDays, others: Option<&'a dyn OtherMeasures>) -> Evaluation<'a> {
        let layout: &'a Layout = record.layout();
        let presentations = record.count(layout.places.presentation);
        let evaluation = Evaluation {
            record,
            layout,
            windows,
            others,
            active: None,
            slots: std::array::from_fn(|_| Slot::new(0)),
            unit_entity: Slot::new(None),
            anchor: Slot::new(Anchor::None),
            dates_anchor: Slot::new(Anchor::None),
            anchors: (0..presentations + 2).map(|_| AnchorDates::default()).collect(),
            attestations: OnceCell::new(),
            cut: OnceCell::new(),
            last: OnceCell::new(),
            death: OnceCell::new(),
            last_column: RefCell::default(),
            open: Slot::default(),
            reads: None,
        };
        evaluation.unit_patient();
        evaluation
    }

    /// Notes from now on which cells are read.
    pub(crate) fn tracing(mut self) -> Evaluation<'a> {
        self.reads = Some(RefCell::new(BTreeSet::new()));
        self
    }

    /// Cells read since tracing began, in the order of the layout.
    pub(crate) fn reads(&self) -> Vec<CellRef> {
        self.reads
            .as_ref()
            .map(|reads| reads.borrow().iter().copied().collect())
            .unwrap_or_default()
    }

    /// Works something out, and tells which sections it found not attested far enough: were any other attested, the result would be the same.
    pub(crate) fn noting<T>(&self, work: impl FnOnce() -> T) -> (T, SectionSet) {
        let before = self.open.take();
        let result = work();
        let own = self.open.get();
        self.found_open(before);
        (result, own)
    }

    /// These sections were found open by what is used now, when it was worked out.
    pub(crate) fn found_open(&self, sections: SectionSet) {
        self.open.set(self.open.get().with(sections));
    }

    fn kept<T: Copy>(&self, slot: &Kept<T>, work: impl FnOnce() -> T) -> T {
        let (value, open) = *slot.get_or_init(|| self.noting(work));
        self.found_open(open);
        value
    }

    /// Positions of the rows of an entity that count.
    pub(crate) fn active_rows(&self, entity: u16) -> Vec<u32> {
        match &self.active {
            Some(active) => active.get(usize::from(entity)).cloned().unwrap_or_default(),
            None => (0..self.record.count(entity) as u32).collect(),
        }
    }

    fn unit_patient(&self) {
        let first = self.first_presentation();
        self.unit_entity.set(None);
        self.anchor.set(first);
        self.dates_anchor.set(first);
    }

    /// Points at a unit: the patient, or a row of an entity.
    pub(crate) fn enter(&self, unit: Option<(u16, u32)>) {
        self.unit_patient();
        let Some((entity, row)) = unit else { return };
        let anchor = self.presentation_of(entity, row);
        self.unit_entity.set(Some(entity));
        self.bind(0, u64::from(row));
        self.anchor.set(anchor);
        let places = &self.layout.places;
        if [places.lesion, places.presentation, places.local_treatment].contains(&entity) {
            self.dates_anchor.set(anchor);
        }
    }

    /// Points an edit check at its scoped row.
    pub(crate) fn enter_scope(&self, entity: u16, row: u32) {
        self.unit_entity.set(Some(entity));
        self.bind(0, u64::from(row));
    }

    fn bind(&self, slot: u8, row: u64) {
        if let Some(bound) = self.slots.get(usize::from(slot)) {
            bound.set(row);
        }
    }

    fn bound(&self, slot: u8) -> u64 {
        self.slots.get(usize::from(slot)).map_or(0, Slot::get)
    }

    /// Runs something that binds rows of its own, and puts the present ones back.
    fn sheltered<T>(&self, run: impl FnOnce() -> T) -> T {
        let saved: [u64; super::compile::MAX_SLOTS] =
            std::array::from_fn(|at| self.slots.get(at).map_or(0, Slot::get));
        let result = run();
        for (slot, row) in self.slots.iter().zip(saved) {
            slot.set(row);
        }
        result
    }

    /// The cell at a position, noted when tracing.
    fn read(&self, entity: u16, row: u32, element: u16) -> Cell<'a> {
        self.note(entity, row, element);
        self.record.cell(entity, row as usize, element)
    }

    /// Notes a cell as read, when tracing.
    fn note(&self, entity: u16, row: u32, element: u16) {
        if let Some(reads) = &self.reads {
            reads.borrow_mut().insert(CellRef { entity, row, element });
        }
    }

    fn cell(&self, path: CellPath) -> Cell<'a> {
        match path.row {
            RowRef::Slot(slot) => self.bound_cell(path.entity, self.bound(slot), path.element),
            RowRef::Single => self.read(path.entity, 0, path.element),
            RowRef::Anchor => self.anchor_cell(self.anchor.get(), path.element),
        }
    }

    fn bound_cell(&self, entity: u16, row: u64, element: u16) -> Cell<'a> {
        if self.layout.reference == Some(entity) {
            return self.record.centre_cell(CarriedRow::from_bits(row), element);
        }
        self.read(entity, row as u32, element)
    }

    fn anchor_cell(&self, anchor: Anchor, element: u16) -> Cell<'a> {
        match anchor {
            Anchor::Row(row) => self.read(self.layout.places.presentation, row, element),
            Anchor::None => Cell::Missing,
            Anchor::Blocked => Cell::Blocked,
        }
    }
}

/// Why a leaf without a value is unknown; `None` for a value or not_applicable.
fn leaf_unknown(cell: &Cell<'_>, place: Place) -> Option<Unknown> {
    let reason = match cell {
        Cell::Missing => Reason::Missing,
        Cell::Blocked => Reason::EditError,
        Cell::Absent(Absence::NotApplicable) => return None,
        Cell::Absent(_) => Reason::UnknownRecorded,
        _ => return None,
    };
    Some(Unknown { reason, place })
}

/// A number or date leaf as an interval.
fn scalar(cell: &Cell<'_>, place: Place) -> Scalar {
    match cell {
        Cell::Number(number) => Scalar::point(*number),
        Cell::Date(date) => {
            let why = Unknown {
                reason: Reason::ImpreciseDate,
                place,
            };
            Scalar::Range(Range::new(
                f64::from(date.first()),
                f64::from(date.last()),
                Some(why),
            ))
        }
        other => match leaf_unknown(other, place) {
            Some(unknown) => Scalar::Unknown(unknown),
            None => Scalar::None(place),
        },
    }
}
