//! `content=record`: the rows of a request, flat or as entity, attribute and value.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use registry_core::exchange::{RedcapFormat, RedcapTable};

use super::project::{Form, Project, RECORD};
use super::{Asked, wrong};
use crate::problem::Problem;

/// Which instrument a row repeats, and which instance of it the row is.
const INSTRUMENT: &str = "redcap_repeat_instrument";
pub(super) const INSTANCE: &str = "redcap_repeat_instance";
/// Cells of a flat answer in JSON, where every row names every field, empty or not: more is more than a client reads.
const MOST_JSON_CELLS: usize = 20_000_000;
/// What REDCap calls an instrument that is complete.
const COMPLETE: &str = "2";

/// Which records, and in which form.
pub(super) struct Wanted {
    records: BTreeSet<String>,
    fields: BTreeSet<String>,
    forms: BTreeSet<String>,
    eav: bool,
    label: bool,
}

/// An instrument with the columns of it that are asked for.
type Chosen<'p> = (&'p Form, Vec<(String, Column)>);
/// By patient and instrument: the rows, in order.
type Rows<'p> = BTreeMap<&'p str, Vec<Vec<&'p Vec<String>>>>;

/// A field asked for, or whether the instrument has a row.
enum Column {
    Of(usize),
    Complete,
}

impl Wanted {
    pub(super) fn of(asked: &Asked) -> Result<Self, Problem> {
        let eav = match asked.one("type") {
            "" | "flat" => false,
            "eav" => true,
            _ => return Err(wrong("type: flat or eav")),
        };
        let label = match asked.one("rawOrLabel") {
            "" | "raw" => false,
            "label" => true,
            _ => return Err(wrong("rawOrLabel: raw or label")),
        };
        if !asked.one("filterLogic").is_empty() {
            return Err(wrong("filterLogic: not here; ask for fields and records"));
        }
        let set = |name: &str| asked.many(name).into_iter().map(str::to_owned).collect();
        Ok(Self {
            records: set("records"),
            fields: set("fields"),
            forms: set("forms"),
            eav,
            label,
        })
    }

    /// The columns of an instrument that are asked for, by name.
    fn columns(&self, form: &Form) -> Vec<(String, Column)> {
        let all = self.fields.is_empty() && self.forms.is_empty();
        let whole = all || self.forms.contains(&form.name);
        let wanted = |name: &str| whole || self.fields.contains(name);
        let fields = form.fields.iter().enumerate();
        let fields = fields.filter(|(_, field)| wanted(&field.name));
        let mut columns: Vec<(String, Column)> = fields
            .map(|(at, field)| (field.name.clone(), Column::Of(at)))
            .collect();
        let complete = format!("{}_complete", form.name);
        if wanted(&complete) {
            columns.push((complete, Column::Complete));
        }
        columns
    }

    /// The cells of a row of an instrument, in the order of its columns.
    fn cells(&self, form: &Form, columns: &[(String, Column)], cells: &[String]) -> Vec<String> {
        let cell = |column: &Column| match column {
            Column::Complete => COMPLETE.to_owned(),
            Column::Of(at) => match (form.fields.get(*at), cells.get(*at)) {
                (Some(field), Some(cell)) => field.value(cell, self.label),
                _ => String::new(),
            },
        };
        columns.iter().map(|(_, column)| cell(column)).collect()
    }

    /// Whether rows of an instrument are asked for; those of the patients tell who there is.
    pub(super) fn reads(&self, form: &str) -> bool {
        let all = self.fields.is_empty() && self.forms.is_empty();
        let of = |field: &String| field.strip_prefix(form).is_some_and(|rest| rest.starts_with('_'));
        all || form == "patient" || self.forms.contains(form) || self.fields.iter().any(of)
    }

    /// That every field and instrument that is asked for is one (what is not would be missing in silence), and that there is not too much.
    ///
    /// # Errors
    /// Names no value.
    pub(super) fn check(&self, project: &Project, format: RedcapFormat) -> Result<(), Problem> {
        let form = |name: &String| project.forms.iter().any(|form| form.name == *name);
        let field = |name: &String| {
            let complete = name.strip_suffix("_complete").map(str::to_owned);
            let of_form = |one: &Form| one.fields.iter().any(|field| field.name == *name);
            name == RECORD || complete.is_some_and(|name| form(&name)) || project.forms.iter().any(of_form)
        };
        if !self.forms.iter().all(form) {
            return Err(wrong(
                "forms: one of them is no instrument (content=instrument lists them)",
            ));
        }
        if !self.fields.iter().all(field) {
            return Err(wrong(
                "fields: one of them is no field (content=exportFieldNames lists them)",
            ));
        }
        let asked =
            |(patient, _): &&(String, Vec<String>)| self.records.is_empty() || self.records.contains(patient);
        let forms = project.forms.iter().map(|form| (form, self.columns(form).len()));
        let forms: Vec<(&Form, usize)> = forms.filter(|(_, columns)| *columns > 0).collect();
        let rows = |(form, _): &(&Form, usize)| form.rows.iter().filter(asked).count();
        let rows: usize = forms.iter().map(rows).sum();
        let width: usize = forms.iter().map(|(_, columns)| columns).sum();
        if format == RedcapFormat::Json && !self.eav && rows * width > MOST_JSON_CELLS {
            return Err(wrong(
                "too much for one answer in flat JSON: ask for csv or type=eav, instrument by instrument (forms), or for some fields or records",
            ));
        }
        Ok(())
    }

    /// Writes what is asked for: of every patient first what stands once, then every repeated instrument, instance by instance.
    ///
    /// # Errors
    /// Those of `out`.
    pub(super) fn write(&self, project: &Project, format: RedcapFormat, out: impl Write) -> io::Result<()> {
        let forms: Vec<Chosen<'_>> = project
            .forms
            .iter()
            .map(|form| (form, self.columns(form)))
            .filter(|(_, columns)| !columns.is_empty())
            .collect();
        let mut of: Rows<'_> = BTreeMap::new();
        let everyone = project.forms.iter().flat_map(|form| form.rows.iter());
        for (patient, _) in everyone {
            if self.records.is_empty() || self.records.contains(patient) {
                of.entry(patient).or_insert_with(|| vec![Vec::new(); forms.len()]);
            }
        }
        for (at, (form, _)) in forms.iter().enumerate() {
            for (patient, cells) in &form.rows {
                if let Some(rows) = of.get_mut(patient.as_str()).and_then(|all| all.get_mut(at)) {
                    rows.push(cells);
                }
            }
        }
        let begin = |fields: Vec<String>| RedcapTable::begin(format, fields, out);
        match self.eav {
            true => self.long(project, &forms, &of, begin),
            false => self.flat(project, &forms, &of, begin),
        }
    }

    fn flat<W: Write>(
        &self,
        project: &Project,
        forms: &[Chosen<'_>],
        of: &Rows<'_>,
        begin: impl FnOnce(Vec<String>) -> io::Result<RedcapTable<W>>,
    ) -> io::Result<()> {
        let mut header = keys(RECORD, project);
        let first = header.len();
        header.extend(
            forms
                .iter()
                .flat_map(|(_, columns)| columns.iter().map(|(name, _)| name.clone())),
        );
        let width = header.len();
        let mut table = begin(header)?;
        for (patient, rows) in of {
            let mut once = vec![String::new(); width];
            once[0] = (*patient).to_owned();
            let mut repeated = Vec::new();
            let mut at = first;
            for ((form, columns), rows) in forms.iter().zip(rows) {
                for (n, cells) in rows.iter().enumerate() {
                    let cells = self.cells(form, columns, cells);
                    if form.repeated {
                        let mut line = vec![String::new(); width];
                        line[0] = (*patient).to_owned();
                        line[1] = form.name.clone();
                        line[2] = (n + 1).to_string();
                        put(&mut line, at, cells);
                        repeated.push(line);
                    } else {
                        put(&mut once, at, cells);
                    }
                }
                at += columns.len();
            }
            table.row(&once)?;
            repeated.iter().try_for_each(|line| table.row(line))?;
        }
        table.finish()?.flush()
    }

    fn long<W: Write>(
        &self,
        project: &Project,
        forms: &[Chosen<'_>],
        of: &Rows<'_>,
        begin: impl FnOnce(Vec<String>) -> io::Result<RedcapTable<W>>,
    ) -> io::Result<()> {
        let repeats = project.repeats();
        let mut header = keys("record", project);
        header.extend(["field_name", "value"].map(str::to_owned));
        let mut table = begin(header)?;
        for (patient, rows) in of {
            let line = |instrument: &str, instance: String, field: &str, value: &str| {
                let mut line = vec![(*patient).to_owned()];
                if repeats {
                    line.extend([instrument.to_owned(), instance]);
                }
                line.extend([field.to_owned(), value.to_owned()]);
                line
            };
            table.row(&line("", String::new(), RECORD, patient))?;
            for ((form, columns), rows) in forms.iter().zip(rows) {
                for (n, cells) in rows.iter().enumerate() {
                    let cells = self.cells(form, columns, cells);
                    let (instrument, instance) = match form.repeated {
                        true => (form.name.as_str(), (n + 1).to_string()),
                        false => ("", String::new()),
                    };
                    let mut told = columns.iter().zip(&cells).filter(|(_, cell)| !cell.is_empty());
                    told.try_for_each(|((name, _), cell)| {
                        table.row(&line(instrument, instance.clone(), name, cell))
                    })?;
                }
            }
        }
        table.finish()?.flush()
    }
}

/// The columns that say whose a row is, the record called so.
fn keys(record: &str, project: &Project) -> Vec<String> {
    let mut keys = vec![record.to_owned()];
    if project.repeats() {
        keys.extend([INSTRUMENT, INSTANCE].map(str::to_owned));
    }
    keys
}

/// Cells from a place on.
fn put(line: &mut [String], at: usize, cells: Vec<String>) {
    for (field, cell) in line.iter_mut().skip(at).zip(cells) {
        *field = cell;
    }
}
