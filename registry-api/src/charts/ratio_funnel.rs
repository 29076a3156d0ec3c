//! Funnel plot of ratios: centres by deaths observed over expected, around 1, with exact Poisson limits.

use registry_etl::results::{CentreComparison, POOLED, RatioLimits};

use super::axis::{Frame, round_ticks};
use super::funnel::{Dot, placed};
use super::svg::Svg;

/// Which limit a line shows, and its class.
type Bound = fn(&RatioLimits) -> f64;

const LINES: [(&str, Bound); 4] = [
    ("limit-998", |limits| limits.lower998),
    ("limit-998", |limits| limits.upper998),
    ("limit-95", |limits| limits.lower95),
    ("limit-95", |limits| limits.upper95),
];
/// The axis ends here at the latest; a ratio above is drawn on its edge.
const HIGHEST: f64 = 5.0;

/// The ratios of the centres; `None` when there is none to draw.
pub fn ratio_funnel(found: &CentreComparison, own: Option<&str>, title: &str) -> Option<String> {
    let largest = found.limits.last()?.expected;
    let dots: Vec<Dot<'_>> = found
        .centres
        .iter()
        .filter_map(|point| {
            let (x, y) = (point.expected?, point.ratio?);
            let centre = if point.centre == POOLED {
                "Small centres"
            } else {
                &point.centre
            };
            let observed = point.observed?;
            Some(Dot {
                centre,
                x,
                y,
                tip: format!("{centre}: {observed} observed, {x:.1} expected ({y:.2})"),
                position: point.position,
            })
        })
        .collect();
    let highest = dots.iter().map(|dot| dot.y).fold(2.0, f64::max);
    let mut svg = Svg::new(760.0, 400.0, title);
    let frame = Frame {
        left: 62.0,
        top: 16.0,
        width: 660.0,
        height: 310.0,
        x_max: largest.max(5.0) * 1.05,
        y_max: (highest * 2.2).ceil().clamp(4.0, 2.0 * HIGHEST) / 2.0,
    };
    frame.ratio_axis(&mut svg);
    frame.x_axis(
        &mut svg,
        &round_ticks(frame.x_max),
        "Deaths expected from the case mix",
    );
    for (class, bound) in LINES {
        let line: Vec<_> = found
            .limits
            .iter()
            .filter(|limits| bound(limits) <= frame.y_max)
            .map(|limits| (frame.x(limits.expected), frame.y(bound(limits))))
            .collect();
        svg.polyline(class, &line);
    }
    let y = frame.y(1.0);
    svg.line("target", (frame.left, y), (frame.left + frame.width, y));
    placed(&mut svg, &frame, &dots, own);
    Some(svg.finish())
}
