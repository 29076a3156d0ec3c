//! Forest plot: a point with its interval in every row, its name on the left and its numbers on the right.

use super::axis::round_ticks;
use super::svg::Svg;

/// Letters of a name in one line.
const LETTERS: usize = 46;
const NAMES: f64 = 305.0;
const PLOT: f64 = 225.0;
const WIDTH: f64 = 760.0;
const TOP: f64 = 14.0;

/// What the axis measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Hazard ratios, logarithmic, with a line at 1.
    Ratio,
    Months,
    /// Shares between 0 and 1.
    Percent,
}

/// One row; an end of the interval may be open, or there is none.
#[derive(Debug, Clone, PartialEq)]
pub struct ForestRow {
    pub name: String,
    pub value: f64,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
    /// Whether the missing end of the interval is open, not unknown.
    pub open: bool,
    pub text: String,
    /// The registry's own estimate, set apart by shape.
    pub own: bool,
}

/// The rows in the order given; `None` without any.
pub fn forest(rows: &[ForestRow], scale: Scale, title: &str, axis: &str) -> Option<String> {
    let values = || {
        let of = |row: &ForestRow| [Some(row.value), row.lower, row.upper];
        rows.iter()
            .flat_map(of)
            .flatten()
            .filter(|value| value.is_finite())
    };
    if rows.is_empty() {
        return None;
    }
    let lines: Vec<Vec<String>> = rows.iter().map(|row| wrapped(&row.name)).collect();
    let height = |lines: &Vec<String>| 12.0 + 15.0 * lines.len() as f64;
    let bottom = TOP + lines.iter().map(height).sum::<f64>();
    let mut svg = Svg::new(WIDTH, bottom + 48.0, title);
    let (low, high) = (
        values().fold(f64::INFINITY, f64::min),
        values().fold(0.0, f64::max),
    );
    let map = Map::new(scale, low, high);
    for tick in &map.ticks {
        let x = map.x(*tick);
        svg.line("grid", (x, TOP), (x, bottom));
        svg.text("tick", (x, bottom + 19.0), "middle", &label(scale, *tick));
    }
    svg.line("axis", (NAMES, bottom), (NAMES + PLOT, bottom));
    if scale == Scale::Ratio {
        svg.line("target", (map.x(1.0), TOP), (map.x(1.0), bottom));
    }
    svg.text("label", (NAMES + PLOT / 2.0, bottom + 38.0), "middle", axis);
    let mut top = TOP;
    for (row, lines) in rows.iter().zip(&lines) {
        let middle = top + height(lines) / 2.0;
        let first = middle + 4.0 - 7.5 * (lines.len() as f64 - 1.0);
        for (n, line) in lines.iter().enumerate() {
            let class = if row.own { "label strong" } else { "label" };
            svg.text(class, (8.0, first + 15.0 * n as f64), "start", line);
        }
        let (left, right) = (NAMES, NAMES + PLOT);
        let end = |value: Option<f64>, open: f64| value.map(|one| map.x(one)).or(row.open.then_some(open));
        if let (Some(from), Some(to)) = (end(row.lower, left), end(row.upper, right)) {
            svg.line("whisker", (from, middle), (to, middle));
        }
        let x = map.x(row.value);
        let tip = format!("{}: {}", row.name, row.text);
        if row.own {
            svg.rect("point own", x - 5.0, middle - 5.0, 10.0, 10.0, &tip);
        } else {
            svg.circle("point", (x, middle), 4.5, &tip);
        }
        svg.text("tick", (right + 14.0, middle + 4.0), "start", &row.text);
        top += height(lines);
    }
    Some(svg.finish())
}

/// From values to the picture.
struct Map {
    log: bool,
    low: f64,
    high: f64,
    ticks: Vec<f64>,
}

impl Map {
    fn new(scale: Scale, low: f64, high: f64) -> Self {
        const RATIOS: [f64; 9] = [0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0];
        match scale {
            Scale::Ratio => {
                let low = RATIOS
                    .into_iter()
                    .rfind(|tick| *tick <= low.min(0.5))
                    .unwrap_or(0.05);
                let high = RATIOS
                    .into_iter()
                    .find(|tick| *tick >= high.max(2.0))
                    .unwrap_or(20.0);
                let ticks = RATIOS
                    .into_iter()
                    .filter(|tick| (low..=high).contains(tick))
                    .collect();
                Self {
                    log: true,
                    low,
                    high,
                    ticks,
                }
            }
            Scale::Months => {
                let high = (high * 1.05).max(6.0);
                Self {
                    log: false,
                    low: 0.0,
                    high,
                    ticks: round_ticks(high),
                }
            }
            Scale::Percent => {
                let ticks = vec![0.0, 0.25, 0.5, 0.75, 1.0];
                Self {
                    log: false,
                    low: 0.0,
                    high: 1.0,
                    ticks,
                }
            }
        }
    }

    fn x(&self, value: f64) -> f64 {
        let value = value.clamp(self.low, self.high);
        let share = if self.log {
            (value / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        NAMES + PLOT * share
    }
}

fn label(scale: Scale, tick: f64) -> String {
    match scale {
        Scale::Ratio => format!("{tick}"),
        Scale::Months => format!("{tick:.0}"),
        Scale::Percent => format!("{:.0} %", tick * 100.0),
    }
}

/// A name in lines that fit the margin, broken between words.
fn wrapped(name: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in name.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= LETTERS => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    if lines.is_empty() {
        lines.push(String::new());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(value: f64, lower: Option<f64>, upper: Option<f64>, open: bool) -> ForestRow {
        ForestRow {
            name: "Primary never cleared against an interval of 12 months and over".to_owned(),
            value,
            lower,
            upper,
            open,
            text: format!("{value}"),
            own: open,
        }
    }

    #[test]
    fn one_is_in_the_middle_of_a_half_and_two() {
        let map = Map::new(Scale::Ratio, 0.7, 1.4);
        assert_eq!(map.ticks, [0.5, 1.0, 2.0]);
        assert!((map.x(1.0) - (NAMES + PLOT / 2.0)).abs() < 1e-9);
        // Beyond the last tick of all, an interval ends at the frame.
        assert_eq!(Map::new(Scale::Ratio, 0.001, 400.0).x(400.0), NAMES + PLOT);
    }

    #[test]
    fn a_row_without_an_interval_has_no_whisker_and_an_open_one_reaches_the_frame() {
        let svg = |rows: &[ForestRow]| forest(rows, Scale::Months, "t", "Months").expect("rows");
        assert_eq!(svg(&[row(20.0, None, None, false)]).matches("whisker").count(), 0);
        let open = svg(&[row(20.0, Some(15.0), None, true)]);
        assert!(open.contains(&format!("x2=\"{:.1}\"", NAMES + PLOT)), "{open}");
        assert_eq!(forest(&[], Scale::Months, "t", ""), None);
    }

    #[test]
    fn long_names_are_broken_between_words() {
        let lines = wrapped("Primary never cleared against an interval of 12 months and over");
        assert_eq!(
            lines,
            [
                "Primary never cleared against an interval of",
                "12 months and over"
            ]
        );
        assert!(lines.iter().all(|line| 8.0 + 6.4 * line.len() as f64 <= NAMES));
    }
}
