//! Cumulative incidence of competing events: a step curve for each, the band of the first, the number at risk below.

use registry_etl::results::{CauseIncidence, IncidenceCurve};

use super::axis::Frame;
use super::survival::{RISK_MONTHS, RiskRow, margin, numbers_at_risk, stairs};
use super::svg::Svg;

/// Rows of names below the picture.
const ROW: f64 = 20.0;
/// Last month drawn.
const END: f64 = 60.0;

/// Draws every cause that has steps, up to 60 months; `None` when none has.
pub fn incidence(curve: &IncidenceCurve, title: &str) -> Option<String> {
    let drawn: Vec<(usize, &CauseIncidence)> = curve
        .causes
        .iter()
        .enumerate()
        .filter(|(_, cause)| !cause.steps.is_empty())
        .collect();
    let highest = drawn
        .iter()
        .flat_map(|(at, cause)| cause.steps.iter().map(move |step| (at, step)))
        .filter(|(_, step)| step.months <= END)
        .map(|(at, step)| {
            if *at == 0 {
                step.upper.unwrap_or(step.incidence)
            } else {
                step.incidence
            }
        })
        .fold(0.0, f64::max);
    if drawn.is_empty() {
        return None;
    }
    let mut svg = Svg::new(760.0, 430.0 + ROW * curve.causes.len() as f64, title);
    let left = margin(["All patients"].into_iter());
    let frame = Frame {
        left,
        top: 16.0,
        width: 740.0 - left,
        height: 290.0,
        x_max: END,
        y_max: ceiling(highest),
    };
    frame.percent_axis(&mut svg);
    frame.x_axis(&mut svg, &RISK_MONTHS, "Months from the origin");
    for (at, cause) in &drawn {
        let end = cause.steps.last().map_or(0.0, |step| step.months);
        if *at == 0 {
            band(&mut svg, &frame, cause, end);
        }
        let points = cause.steps.iter().map(|step| (step.months, step.incidence));
        let line = stairs(0.0, points, end);
        let line: Vec<_> = line.into_iter().map(|(x, y)| (frame.x(x), frame.y(y))).collect();
        svg.polyline(&format!("curve series-{}", at % 8), &line);
    }
    let at_risk = RiskRow {
        name: "All patients",
        series: false,
        at_risk: curve
            .at_risk
            .iter()
            .map(|one| (one.months, one.at_risk))
            .collect(),
    };
    numbers_at_risk(&mut svg, &frame, &[at_risk]);
    let top = frame.bottom() + 118.0;
    for (row, cause) in curve.causes.iter().enumerate() {
        let y = top + ROW * row as f64;
        svg.line(
            &format!("curve series-{}", row % 8),
            (8.0, y - 4.0),
            (36.0, y - 4.0),
        );
        let shown = !cause.steps.is_empty();
        let name = if shown {
            cause.label.clone()
        } else {
            format!("{} (not drawn: few or no events)", cause.label)
        };
        svg.text("tick", (44.0, y), "start", &name);
    }
    Some(svg.finish())
}

/// The fifth of 1 at or above a value.
fn ceiling(value: f64) -> f64 {
    [0.2, 0.4, 0.6, 0.8]
        .into_iter()
        .find(|top| value <= *top)
        .unwrap_or(1.0)
}

fn band(svg: &mut Svg, frame: &Frame, cause: &CauseIncidence, end: f64) {
    let bounded: Vec<(f64, f64, f64)> = cause
        .steps
        .iter()
        .filter_map(|step| Some((step.months, step.lower?, step.upper?)))
        .collect();
    let upper = stairs(0.0, bounded.iter().map(|one| (one.0, one.2)), end);
    let lower = stairs(0.0, bounded.iter().map(|one| (one.0, one.1)), end);
    let outline: Vec<_> = upper
        .into_iter()
        .chain(lower.into_iter().rev())
        .map(|(x, y)| (frame.x(x), frame.y(y)))
        .collect();
    svg.polygon("band", &outline, "95 % interval");
}

#[cfg(test)]
mod tests {
    use super::*;
    use registry_etl::results::{Analysis, AtRisk, CurveState, IncidenceStep};

    fn cause(label: &str, incidence: &[f64]) -> CauseIncidence {
        let step = |(at, value): (usize, &f64)| IncidenceStep {
            days: 0.0,
            months: 6.0 * (at as f64 + 1.0),
            at_risk: 50,
            events: 5,
            others: 5,
            incidence: *value,
            lower: Some(value / 2.0),
            upper: Some(value * 1.5),
        };
        CauseIncidence {
            cause: label.to_owned(),
            label: label.to_owned(),
            events: Some(5),
            values: Vec::new(),
            steps: incidence.iter().enumerate().map(step).collect(),
        }
    }

    #[test]
    fn every_cause_has_a_line_and_a_name_and_the_first_a_band() {
        let curve = |causes| IncidenceCurve {
            analysis: Analysis::Primary,
            by: "all".to_owned(),
            level: "all".to_owned(),
            state: CurveState::Shown,
            suppressed: None,
            patients: Some(50),
            causes,
            at_risk: vec![AtRisk {
                months: 0.0,
                at_risk: Some(50),
            }],
            lost: None,
        };
        let two = curve(vec![
            cause("Next <line>", &[0.1, 0.3]),
            cause("Death", &[0.05]),
            cause("Rare", &[]),
        ]);
        let svg = incidence(&two, "t").expect("a picture");
        assert_eq!(svg.matches("<polyline").count(), 2);
        assert_eq!(svg.matches("<polygon").count(), 1);
        assert!(svg.contains("Next &lt;line&gt;") && svg.contains("Rare (not drawn"));
        // The band reaches 0.45: the axis ends at 60 %.
        assert!(svg.contains(">60 %<") && !svg.contains(">100 %<"));
        assert_eq!(incidence(&curve(vec![cause("None", &[])]), "t"), None);
    }
}
