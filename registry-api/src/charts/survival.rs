//! Kaplan-Meier step curves with their band, censor marks and the number at risk below.

use registry_etl::results::SurvivalCurve;

use super::axis::Frame;
use super::svg::Svg;

const RISK_MONTHS: [f64; 6] = [0.0, 12.0, 24.0, 36.0, 48.0, 60.0];

/// Draws curves up to 60 months; the first has its band. A curve without steps is named in the risk table only.
pub fn survival(curves: &[(&str, &SurvivalCurve)], title: &str) -> String {
    let rows = curves.len() as f64;
    let mut svg = Svg::new(760.0, 400.0 + 22.0 * rows, title);
    let frame = Frame {
        left: 150.0,
        top: 16.0,
        width: 590.0,
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

/// Corners of a step function from month 0: level until the next time.
fn corners(points: impl Iterator<Item = (f64, f64)>, end: f64) -> Vec<(f64, f64)> {
    let mut out = vec![(0.0, 1.0)];
    let mut level = 1.0;
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
    let top = frame.bottom() + 66.0;
    svg.text("label strong", (8.0, top), "start", "Number at risk");
    for (n, (name, curve)) in curves.iter().enumerate() {
        let y = top + 22.0 * (n as f64 + 1.0);
        svg.line(
            &format!("curve series-{}", n % 8),
            (8.0, y - 4.0),
            (26.0, y - 4.0),
        );
        svg.text("tick", (32.0, y), "start", name);
        for months in RISK_MONTHS {
            let at_risk = curve.landmarks.iter().find(|l| (l.months - months).abs() < 0.01);
            let text = match at_risk.map(|l| l.at_risk) {
                Some(Some(count)) => count.to_string(),
                Some(None) => "·".to_owned(),
                None => continue,
            };
            svg.text("tick", (frame.x(months), y), "middle", &text);
        }
    }
}
