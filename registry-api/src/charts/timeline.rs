//! One patient's course: a lane per kind of event on a common time axis.

use chrono::{Datelike, NaiveDate};

use super::svg::Svg;

/// What a mark stands for; decides its class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkKind {
    /// A presentation of disease.
    Presentation,
    /// Recurrence or progression.
    Progression,
    /// An operation or other local treatment.
    Treatment,
    /// Death.
    Death,
    /// Anything else.
    Event,
}

/// An event of a day (or the first day of a partial date).
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// When.
    pub day: NaiveDate,
    /// What, for the tooltip.
    pub what: String,
    /// How it is drawn.
    pub kind: MarkKind,
}

/// An interval.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// First day.
    pub from: NaiveDate,
    /// Last day.
    pub to: NaiveDate,
    /// Written into the bar, and its tooltip.
    pub what: String,
    /// Not ended yet.
    pub open: bool,
}

/// Lanes with their names, top to bottom.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Timeline {
    /// Name, intervals, marks.
    pub lanes: Vec<(String, Vec<Span>, Vec<Mark>)>,
}

const LANE: f64 = 34.0;

/// `None` when nothing has a date.
pub fn timeline(course: &Timeline, title: &str) -> Option<String> {
    let days = course.lanes.iter().flat_map(|(_, spans, marks)| {
        spans
            .iter()
            .flat_map(|s| [s.from, s.to])
            .chain(marks.iter().map(|m| m.day))
    });
    let (first, last) = (days.clone().min()?, days.max()?);
    let length = (last - first).num_days().max(30) as f64;
    // Room for the longest lane's name, `Intervals without treatment`.
    let (left, width) = (185.0, 745.0);
    let height = LANE * course.lanes.len() as f64 + 46.0;
    let mut svg = Svg::new(960.0, height, title);
    let x = |day: NaiveDate| left + width * (day - first).num_days() as f64 / length;
    years(&mut svg, first, last, &x, height);
    for (n, (name, spans, marks)) in course.lanes.iter().enumerate() {
        let middle = 14.0 + LANE * n as f64 + LANE / 2.0;
        svg.text("label", (left - 12.0, middle + 4.0), "end", name);
        svg.line("grid", (left, middle), (left + width, middle));
        for span in spans {
            let (from, to) = (x(span.from), x(span.to).max(x(span.from) + 4.0));
            svg.rect(
                if span.open { "span open" } else { "span" },
                from,
                middle - 9.0,
                to - from,
                18.0,
                &span.what,
            );
            let room = (to - from) / 6.4;
            if (span.what.chars().count() as f64) < room {
                svg.text("span-label", (from + 5.0, middle + 4.0), "start", &span.what);
            }
        }
        for mark in marks {
            let (cx, cy) = (x(mark.day), middle);
            match mark.kind {
                MarkKind::Presentation => svg.polygon(
                    "mark presentation",
                    &[(cx, cy - 9.0), (cx + 8.0, cy), (cx, cy + 9.0), (cx - 8.0, cy)],
                    &mark.what,
                ),
                MarkKind::Progression => {
                    svg.polygon(
                        "mark progression",
                        &[(cx, cy - 8.0), (cx + 8.0, cy + 7.0), (cx - 8.0, cy + 7.0)],
                        &mark.what,
                    );
                }
                MarkKind::Treatment => svg.rect("mark treatment", cx - 6.0, cy - 6.0, 12.0, 12.0, &mark.what),
                MarkKind::Death => svg.rect("mark death", cx - 3.0, cy - 12.0, 6.0, 24.0, &mark.what),
                MarkKind::Event => svg.circle("mark", (cx, cy), 4.5, &mark.what),
            }
        }
    }
    Some(svg.finish())
}

fn years(svg: &mut Svg, first: NaiveDate, last: NaiveDate, x: &impl Fn(NaiveDate) -> f64, height: f64) {
    let every = ((last.year() - first.year()) / 10).max(1);
    for year in (first.year()..=last.year() + 1).step_by(usize::try_from(every).unwrap_or(1)) {
        let Some(start) = NaiveDate::from_ymd_opt(year, 1, 1) else {
            continue;
        };
        if start < first || start > last {
            continue;
        }
        svg.line("grid year", (x(start), 8.0), (x(start), height - 26.0));
        svg.text("tick", (x(start), height - 8.0), "middle", &year.to_string());
    }
}
