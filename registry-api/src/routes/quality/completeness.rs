//! `GET /api/v1/quality/completeness`: how completely and how soon centres report.

use actix_web::{HttpRequest, web};
use registry_etl::results::completeness::{Answers, PeriodBy, PeriodTimeliness, Timeliness};
use registry_etl::results::over_time::{ElementPeriod, Part};
use registry_etl::results::{Completeness, OverTime};
use serde::{Deserialize, Serialize};

use crate::guard::{Allowed, ReadsResults};
use crate::problem::{Kind, Problem};
use crate::results::View;
use crate::routes::Reply;
use crate::routes::results::written;
use crate::routes::wants_csv;
use crate::state::{AppState, blocking};

/// Which part of it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// `all` for the network, or a centre as the answer names it.
    pub centre: Option<String>,
    pub section: Option<String>,
    /// `entity.element`.
    pub element: Option<String>,
    /// Periods of one kind only; by half-year elements and times to submission, too.
    pub by: Option<PeriodBy>,
    pub run: Option<i64>,
}

impl Wanted {
    /// The section or the element.
    pub fn part(&self) -> Part<'_> {
        Part {
            section: self.section.as_deref().filter(|section| !section.is_empty()),
            element: self.element.as_deref().filter(|element| !element.is_empty()),
        }
    }

    /// Refuses what no level could have, which an empty answer would pass for.
    fn check(&self, state: &AppState, view: &View<'_>, levels: &[Completeness]) -> Result<(), Problem> {
        let Part { section, element } = self.part();
        let schemas = state.schemas.case_schemas();
        let mut entities = schemas.iter().flat_map(|schema| &schema.dictionary.entities);
        if section.is_some_and(|section| !entities.any(|entity| entity.name == section)) {
            return Err(Problem::with(Kind::BadQuery, "section: no such section"));
        }
        let known = |element: &str| {
            let (of, name) = element.split_once('.').unwrap_or_default();
            let entities = schemas.iter().filter_map(|schema| schema.dictionary.entity(of));
            entities
                .flat_map(|entity| &entity.elements)
                .any(|element| element.name == name)
        };
        if element.is_some_and(|element| !known(element)) {
            return Err(Problem::with(Kind::BadQuery, "element: no such element"));
        }
        // A centre that has sent nothing yet has no level.
        let seen =
            |centre: &String| view.own() == Some(centre) || levels.iter().any(|level| level.level == *centre);
        if self.centre.as_ref().is_some_and(|centre| !seen(centre)) {
            return Err(Problem::with(Kind::NotFound, "no such centre for this viewer"));
        }
        Ok(())
    }
}

/// A level: the whole, and by half-year where that is asked for.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = CompletenessOfLevel)]
pub struct Level {
    #[serde(flatten)]
    whole: Completeness,
    #[serde(skip_serializing_if = "Option::is_none")]
    element_periods: Option<Vec<ElementPeriod>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeliness_periods: Option<Vec<PeriodTimeliness>>,
}

/// The levels a viewer may see, as far as they are wanted, without what is told by half-year only.
///
/// # Errors
/// No run for this viewer, or no such centre; a section or element that no version of the case schema has.
pub fn levels(state: &AppState, view: &View<'_>, wanted: &Wanted) -> Result<Vec<Completeness>, Problem> {
    let mut levels = view.completeness()?;
    wanted.check(state, view, &levels)?;
    narrow(&mut levels, wanted);
    Ok(levels)
}

/// What is wanted of all levels.
pub fn narrow(levels: &mut Vec<Completeness>, wanted: &Wanted) {
    levels.retain(|level| wanted.centre.as_ref().is_none_or(|centre| level.level == *centre));
    let part = wanted.part();
    for level in levels {
        level.sections.retain(|found| part.has_section(&found.section));
        level.elements.retain(|found| part.has_element(&found.element));
        let by = |found: PeriodBy| wanted.by.is_none_or(|by| by == found);
        level
            .periods
            .retain(|found| by(found.by) && part.has_section(&found.section));
        level.timeliness.retain(|found| part.has_section(&found.section));
    }
}

/// As [`levels`], with what is told by half-year where that is wanted.
///
/// # Errors
/// As [`levels`].
pub fn all(state: &AppState, view: &View<'_>, wanted: &Wanted) -> Result<Vec<Level>, Problem> {
    let levels = levels(state, view, wanted)?.into_iter();
    let mut halves: Vec<OverTime> = Vec::new();
    if wanted.by == Some(PeriodBy::HalfYear) {
        halves = view.completeness_over_time(wanted.centre.as_deref(), wanted.part())?;
    }
    Ok(levels
        .map(|whole| {
            let found = halves.iter().position(|found| found.level == whole.level);
            let found = found.map(|at| halves.swap_remove(at));
            let (elements, timeliness) = found.map(|found| (found.elements, found.timeliness)).unzip();
            Level {
                whole,
                element_periods: elements,
                timeliness_periods: timeliness,
            }
        })
        .collect())
}

/// One line per level and element, section, period, and time to submission; lines of a half-year have it in `period`.
///
/// # Errors
/// None in practice.
pub fn csv(levels: &[Level]) -> Result<String, Problem> {
    let header = [
        "level",
        "of",
        "period",
        "name",
        "requirement",
        "patients",
        "expected",
        "known",
        "missing",
        "unknown",
        "not_done",
        "not_applicable",
        "pending",
        "withheld",
        "known_share",
        "answered_share",
        "closed_share",
        "rows",
        "lower_quartile_days",
        "median_days",
        "upper_quartile_days",
        "follow_up_index",
        "suppressed",
    ];
    let mut rows = Vec::new();
    for told in levels {
        let level = &told.whole;
        let line = |of: &str, period: &str, name: &str| Line {
            start: vec![
                level.level.clone(),
                of.to_owned(),
                period.to_owned(),
                name.to_owned(),
            ],
            ..Line::default()
        };
        let follow_up = &level.follow_up;
        rows.push(
            Line {
                index: number(follow_up.index),
                patients: number(follow_up.patients),
                suppressed: reason(follow_up.suppressed.is_some()),
                ..line("follow_up", "", "")
            }
            .finish(),
        );
        for section in &level.sections {
            let closed = number(section.closed_share);
            let line = line("section", "", &section.section).answers(&section.answers);
            rows.push(Line { closed, ..line }.finish());
        }
        for element in &level.elements {
            let line = line("element", "", &element.element).answers(&element.answers);
            let requirement = element.requirement.clone();
            rows.push(Line { requirement, ..line }.finish());
        }
        for period in &level.periods {
            let line = line(period.by.as_str(), &period.period, &period.section);
            rows.push(line.answers(&period.answers).finish());
        }
        for times in std::iter::once(&level.registration).chain(&level.timeliness) {
            rows.push(line("timeliness", "", &times.section).times(times).finish());
        }
        for period in told.element_periods.iter().flatten() {
            let line = line("element", &period.period, &period.element).answers(&period.answers);
            let requirement = period.requirement.clone();
            rows.push(Line { requirement, ..line }.finish());
        }
        let of_sections = told.timeliness_periods.iter().flatten();
        for period in level.registration_periods.iter().chain(of_sections) {
            let times = &period.times;
            rows.push(
                line("timeliness", &period.period, &times.section)
                    .times(times)
                    .finish(),
            );
        }
    }
    written(&header, rows.into_iter())
}

/// A line in the making: its parts in the order of the header.
#[derive(Default)]
struct Line {
    start: Vec<String>,
    requirement: String,
    patients: String,
    counts: Vec<String>,
    shares: Vec<String>,
    closed: String,
    times: Vec<String>,
    index: String,
    suppressed: String,
}

impl Line {
    fn answers(self, answers: &Answers) -> Self {
        let counts = answers.counts.map(|c| {
            let all = [
                c.expected(),
                c.known,
                c.missing,
                c.unknown,
                c.not_done,
                c.not_applicable,
                c.pending,
                c.withheld,
            ];
            all.iter().map(u32::to_string).collect()
        });
        Self {
            patients: number(answers.patients),
            counts: counts.unwrap_or_default(),
            shares: vec![number(answers.known_share), number(answers.answered_share)],
            suppressed: reason(answers.suppressed.is_some()),
            ..self
        }
    }

    fn times(self, times: &Timeliness) -> Self {
        Self {
            patients: number(times.patients),
            times: vec![
                number(times.rows),
                number(times.lower_quartile),
                number(times.median),
                number(times.upper_quartile),
            ],
            suppressed: reason(times.suppressed.is_some()),
            ..self
        }
    }

    fn finish(mut self) -> Vec<String> {
        self.counts.resize(8, String::new());
        self.shares.resize(2, String::new());
        self.times.resize(4, String::new());
        let mut row = self.start;
        row.extend([self.requirement, self.patients]);
        row.extend(self.counts);
        row.extend(self.shares);
        row.push(self.closed);
        row.extend(self.times);
        row.extend([self.index, self.suppressed]);
        row
    }
}

fn number(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn reason(hidden: bool) -> String {
    if hidden {
        "few_patients".to_owned()
    } else {
        String::new()
    }
}

/// Completeness and timeliness of a run.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = CompletenessOfRun)]
struct Answer {
    run: i64,
    cut_off: chrono::NaiveDate,
    levels: Vec<Level>,
}

/// Answers to the elements that are expected (known, absent by code, missing), by element, section, half-year of the metastatic diagnosis and
/// month of first submission; days from event to first submission; completeness of follow-up (Clark's C). `by=half_year` adds every element and the
/// days of every section by half-year. The own centre exactly, other centres under letters and the network as rounded shares.
#[utoipa::path(get, path = "/api/v1/quality/completeness", tag = "quality",
    params(("centre" = Option<String>, Query, description = "`all`, or a centre as the answer names it"), ("section" = Option<String>, Query,), ("element" = Option<String>, Query, description = "`entity.element`: it, and its section"), ("by" = Option<String>, Query, description = "`half_year` (of the metastatic diagnosis): `element_periods` and `timeliness_periods` too, of `periods` these only; `submission_month`: of `periods` these only"), ("run" = Option<i64>, Query,)),
    responses((status = 200, description = "run, levels: the network first, then the centres this viewer may see; `Accept: text/csv` for a table", body = Answer), (status = 400, description = "No such section or element in any version of the case schema"), (status = 404, description = "No such run or centre for this viewer")), security(("key" = [])))]
pub(in crate::routes) async fn show(
    caller: Allowed<ReadsResults>,
    request: HttpRequest,
    wanted: web::Query<Wanted>,
    state: web::Data<AppState>,
) -> Result<Reply, Problem> {
    let as_csv = wants_csv(&request);
    blocking(move || {
        let view = View::open(&state, &caller.scope, wanted.run)?;
        let levels = all(&state, &view, &wanted)?;
        if as_csv {
            let name = format!(
                "attachment; filename=\"completeness-run-{}.csv\"",
                view.run.number
            );
            return Ok(
                Reply::text("text/csv; charset=utf-8", csv(&levels)?).header("content-disposition", name)
            );
        }
        let answer = Answer {
            run: view.run.number,
            cut_off: view.run.cutoff_date,
            levels,
        };
        Reply::json(200, &answer)
    })
    .await
}
