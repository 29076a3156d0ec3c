//! Funnel plot: centres around the network rate with exact binomial limits.

use registry_etl::results::{Funnel, FunnelLimits, NotAssessableFunnel, Position};

use super::axis::{Frame, LIMITS, round_ticks};
use super::svg::Svg;

/// One centre: where it lies in the picture's units, and what is said of it.
pub(super) struct Dot<'a> {
    pub(super) centre: &'a str,
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) tip: String,
    pub(super) position: Option<Position>,
}

/// A dot of a share: numerator and denominator.
fn share<'a>(
    centre: &'a str,
    numerator: Option<u32>,
    n: u32,
    rate: f64,
    position: Option<Position>,
) -> Dot<'a> {
    let told = numerator.map_or("·".to_owned(), |n| n.to_string());
    Dot {
        centre,
        x: f64::from(n),
        y: rate,
        tip: format!("{centre}: {told} of {n} ({:.0} %)", rate * 100.0),
        position,
    }
}

/// The rates of the centres. `None` when there is no rate to draw around, or no limits.
pub fn funnel(funnel: &Funnel, own: Option<&str>, title: &str) -> Option<String> {
    let dots = funnel.points.iter().filter_map(|point| {
        let (n, rate) = (point.denominator?, point.rate?);
        Some(share(&point.centre, point.numerator, n, rate, point.position))
    });
    let dots = dots.collect();
    draw(
        funnel.target?,
        &funnel.limits,
        dots,
        own,
        [title, "Assessable units of the centre"],
    )
}

/// The shares of units that cannot be assessed: silence must not pay.
pub fn not_assessable(funnel: &NotAssessableFunnel, own: Option<&str>, title: &str) -> Option<String> {
    let dots = funnel.points.iter().filter_map(|point| {
        let (n, rate) = (point.denominator?, point.share?);
        Some(share(&point.centre, point.numerator, n, rate, point.position))
    });
    let axis = "Units of the centre, assessable or not";
    draw(funnel.target?, &funnel.limits, dots.collect(), own, [title, axis])
}

fn draw(
    target: f64,
    limits: &[FunnelLimits],
    dots: Vec<Dot<'_>>,
    own: Option<&str>,
    [title, axis]: [&str; 2],
) -> Option<String> {
    let largest = limits.last()?.n;
    let mut svg = Svg::new(760.0, 374.0, title);
    let frame = Frame {
        left: 62.0,
        top: 16.0,
        width: 660.0,
        height: 310.0,
        x_max: f64::from(largest).max(5.0) * 1.05,
        y_max: 1.0,
    };
    frame.percent_axis(&mut svg);
    frame.x_axis(&mut svg, &round_ticks(frame.x_max), axis);
    for (class, bound) in LIMITS {
        let line: Vec<_> = limits
            .iter()
            .map(|l| (frame.x(f64::from(l.n)), frame.y(bound(l))))
            .collect();
        svg.polyline(class, &line);
    }
    svg.line(
        "target",
        (frame.left, frame.y(target)),
        (frame.left + frame.width, frame.y(target)),
    );
    placed(&mut svg, &frame, &dots, own);
    Some(svg.finish())
}

/// Every dot; the labels of those that carry one do not cover each other.
pub(super) fn placed(svg: &mut Svg, frame: &Frame, dots: &[Dot<'_>], own: Option<&str>) {
    let mut labels: Vec<Label> = Vec::new();
    for dot in dots {
        place(svg, frame, dot, own, &mut labels);
    }
}

/// The space a label takes: left, right and base line.
struct Label(f64, f64, f64);

impl Label {
    fn at(spot: (f64, f64), anchor: &str, text: &str) -> Self {
        let width = 6.4 * text.chars().count() as f64;
        let left = match anchor {
            "start" => spot.0,
            "end" => spot.0 - width,
            _ => spot.0 - width / 2.0,
        };
        Self(left, left + width, spot.1)
    }

    fn covers(&self, other: &Self) -> bool {
        self.0 < other.1 + 3.0 && other.0 < self.1 + 3.0 && (self.2 - other.2).abs() < 13.0
    }
}

/// A dot; centres outside the limits and the own one carry their name where it collides with no other name.
fn place(svg: &mut Svg, frame: &Frame, point: &Dot<'_>, own: Option<&str>, labels: &mut Vec<Label>) {
    let at = (frame.x(point.x), frame.y(point.y));
    let is_own = own == Some(point.centre);
    let outside = !matches!(point.position, Some(Position::Within) | None);
    let far = matches!(point.position, Some(Position::Above998 | Position::Below998));
    let class = match (is_own, far, outside) {
        (true, ..) => "point own",
        (_, true, _) => "point far",
        (_, _, true) => "point outside",
        _ => "point",
    };
    svg.circle(class, at, if is_own { 6.0 } else { 4.5 }, &point.tip);
    if !is_own && !outside {
        return;
    }
    let candidates = [
        (9.0, 4.0, "start"),
        (-9.0, 4.0, "end"),
        (0.0, -10.0, "middle"),
        (0.0, 18.0, "middle"),
    ];
    for (dx, dy, anchor) in candidates {
        let spot = (at.0 + dx, at.1 + dy);
        let label = Label::at(spot, anchor, point.centre);
        let within = label.0 > frame.left && label.1 < frame.left + frame.width && spot.1 > frame.top;
        if within && !labels.iter().any(|other| other.covers(&label)) {
            let class = if is_own { "point-label own" } else { "point-label" };
            svg.text(class, spot, anchor, point.centre);
            labels.push(label);
            return;
        }
    }
}
