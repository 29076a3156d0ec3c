//! Funnel plot: centres around the network rate with exact binomial limits.

use registry_etl::results::{Funnel, FunnelLimits, NotAssessableFunnel, Position};

use super::axis::{Frame, LIMITS, round_ticks};
use super::svg::Svg;

/// One centre.
struct Dot<'a> {
    centre: &'a str,
    numerator: Option<u32>,
    n: u32,
    rate: f64,
    position: Option<Position>,
}

/// The rates of the centres. `None` when there is no rate to draw around, or no limits.
pub fn funnel(funnel: &Funnel, own: Option<&str>, title: &str) -> Option<String> {
    let dots = funnel.points.iter().filter_map(|point| {
        Some(Dot {
            centre: &point.centre,
            numerator: point.numerator,
            n: point.denominator?,
            rate: point.rate?,
            position: point.position,
        })
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
        Some(Dot {
            centre: &point.centre,
            numerator: point.numerator,
            n: point.denominator?,
            rate: point.share?,
            position: point.position,
        })
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
    let mut svg = Svg::new(760.0, 400.0, title);
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
    let mut labels: Vec<(f64, f64)> = Vec::new();
    for dot in &dots {
        let at = (frame.x(f64::from(dot.n)), frame.y(dot.rate));
        place(&mut svg, &frame, dot, at, own, &mut labels);
    }
    Some(svg.finish())
}

/// A dot; centres outside the limits and the own one carry their name where it collides with no other name.
fn place(
    svg: &mut Svg,
    frame: &Frame,
    point: &Dot<'_>,
    at: (f64, f64),
    own: Option<&str>,
    labels: &mut Vec<(f64, f64)>,
) {
    let is_own = own == Some(point.centre);
    let outside = !matches!(point.position, Some(Position::Within) | None);
    let far = matches!(point.position, Some(Position::Above998 | Position::Below998));
    let class = match (is_own, far, outside) {
        (true, ..) => "point own",
        (_, true, _) => "point far",
        (_, _, true) => "point outside",
        _ => "point",
    };
    let tip = format!(
        "{}: {} of {} ({:.0} %)",
        point.centre,
        point.numerator.map_or("·".to_owned(), |n| n.to_string()),
        point.n,
        point.rate * 100.0
    );
    svg.circle(class, at, if is_own { 6.0 } else { 4.5 }, &tip);
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
        let free = labels
            .iter()
            .all(|(x, y)| (x - spot.0).abs() > 30.0 || (y - spot.1).abs() > 13.0);
        if free && spot.0 < frame.left + frame.width && spot.1 > frame.top {
            svg.text(
                if is_own { "point-label own" } else { "point-label" },
                spot,
                anchor,
                point.centre,
            );
            labels.push(spot);
            return;
        }
    }
}
