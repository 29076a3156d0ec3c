//! Kaplan-Meier step curves with their band, censor marks and the number at risk below.

use registry_etl::results::SurvivalCurve;

use super::axis::Frame;
use super::svg::Svg;

pub(super) const RISK_MONTHS: [f64; 6] = [0.0, 12.0, 24.0, 36.0, 48.0, 60.0];

/// Draws curves up to 60 months; the first has its band. A curve without steps is named in the risk table only.
pub fn survival(curves: &[(&str, &SurvivalCurve)], title: &str) -> String {
    let rows = curves.len() as f64;
    let mut svg = Svg::new(760.0, 400.0 + 22.0 * rows, title);
    let left = margin(curves.iter().map(|(name, _)| *name));
    let frame = Frame {
        left,
        top: 16.0,
        width: 740.0 - left,
        height: 290.0,
        x_max: 60.0,
        y_max: 1.0,
    };
    frame.percent_axis(&mut svg);
    frame.x_axis(&mut svg, &RISK_MONTHS, "Months from the origin");
    for (n, (_, curve)) in curves.iter().enumerate() {
        if n == 0 {
            band(&mut svg, &frame, curve);
        }
        steps(&mut svg, &frame, curve, n);
    }
    risk_table(&mut svg, &frame, curves);
    svg.finish()
}

/// Room on the left for the names of the risk table, so that the longest ends before the number at month 0.
pub(super) fn margin<'a>(names: impl Iterator<Item = &'a str>) -> f64 {
    let longest = names.map(|name| name.chars().count()).max().unwrap_or(0);
    // A line of 26 before the name, half a number after it.
    (62.0 + 6.6 * longest as f64).clamp(110.0, 420.0)
}

/// Corners of a step function from month 0: level until the next time.
fn corners(points: impl Iterator<Item = (f64, f64)>, end: f64) -> Vec<(f64, f64)> {
    stairs(1.0, points, end)
}

/// The same from a level of its own.
pub(super) fn stairs(start: f64, points: impl Iterator<Item = (f64, f64)>, end: f64) -> Vec<(f64, f64)> {
    let mut out = vec![(0.0, start)];
    let mut level = start;
    for (month, value) in points.take_while(|(month, _)| *month <= 60.0) {
        out.push((month, level));
        out.push((month, value));
        level = value;
    }
    out.push((end.min(60.0), level));
    out
}

fn end_of(curve: &SurvivalCurve) -> f64 {
    curve.steps.last().map_or(0.0, |s| s.months)
}

fn band(svg: &mut Svg, frame: &Frame, curve: &SurvivalCurve) {
    let bounded: Vec<_> = curve
        .steps
        .iter()
        .filter_map(|s| Some((s.months, s.lower?, s.upper?)))
        .collect();
    if bounded.is_empty() {
        return;
    }
    let end = bounded.last().map_or(0.0, |b| b.0);
    let upper = corners(bounded.iter().map(|b| (b.0, b.2)), end);
    let lower = corners(bounded.iter().map(|b| (b.0, b.1)), end);
    let outline: Vec<_> = upper
        .into_iter()
        .chain(lower.into_iter().rev())
        .map(|(x, y)| (frame.x(x), frame.y(y)))
        .collect();
    svg.polygon("band", &outline, "95 % interval");
}

fn steps(svg: &mut Svg, frame: &Frame, curve: &SurvivalCurve, n: usize) {
    if curve.steps.is_empty() {
        return;
    }
    let line: Vec<_> = corners(curve.steps.iter().map(|s| (s.months, s.survival)), end_of(curve))
        .into_iter()
        .map(|(x, y)| (frame.x(x), frame.y(y)))
        .collect();
    svg.polyline(&format!("curve series-{}", n % 8), &line);
    for step in curve.steps.iter().filter(|s| s.censored > 0 && s.months <= 60.0) {
        let (x, y) = (frame.x(step.months), frame.y(step.survival));
        svg.line(&format!("censor series-{}", n % 8), (x, y - 3.5), (x, y + 3.5));
    }
}

fn risk_table(svg: &mut Svg, frame: &Frame, curves: &[(&str, &SurvivalCurve)]) {
    let rows: Vec<RiskRow<'_>> = curves
        .iter()
        .map(|(name, curve)| RiskRow {
            name,
            series: true,
            at_risk: curve
                .landmarks
                .iter()
                .map(|one| (one.months, one.at_risk))
                .collect(),
        })
        .collect();
    numbers_at_risk(svg, frame, &rows);
}

/// A row of the table below a chart: months and the number at risk, `None` where it is not shown.
pub(super) struct RiskRow<'a> {
    pub(super) name: &'a str,
    /// Whether it belongs to one line of the chart.
    pub(super) series: bool,
    pub(super) at_risk: Vec<(f64, Option<u32>)>,
}

pub(super) fn numbers_at_risk(svg: &mut Svg, frame: &Frame, rows: &[RiskRow<'_>]) {
    let top = frame.bottom() + 66.0;
    svg.text("label strong", (8.0, top), "start", "Number at risk");
    for (n, row) in rows.iter().enumerate() {
        let y = top + 22.0 * (n as f64 + 1.0);
        if row.series {
            let class = format!("curve series-{}", n % 8);
            svg.line(&class, (8.0, y - 4.0), (26.0, y - 4.0));
        }
        svg.text(
            "tick",
            (if row.series { 32.0 } else { 8.0 }, y),
            "start",
            row.name,
        );
        for months in RISK_MONTHS {
            let at_risk = row.at_risk.iter().find(|(at, _)| (at - months).abs() < 0.01);
            let text = match at_risk {
                Some((_, Some(count))) => count.to_string(),
                Some((_, None)) => "·".to_owned(),
                None => continue,
            };
            svg.text("tick", (frame.x(months), y), "middle", &text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_name_ends_before_the_first_number() {
        for name in [
            "All",
            "Not by then",
            "Malignant peripheral nerve sheath tumour",
            "Not by then, and not in the months after the landmark",
        ] {
            // Ten letters a line of 62 pixels at twelve pixels a letter's height; the number at month 0 is 20 wide, around the axis.
            let end = 32.0 + 6.2 * name.chars().count() as f64;
            assert!(end + 10.0 <= margin([name].into_iter()), "{name}");
        }
    }
}
