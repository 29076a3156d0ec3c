//! Funnel plot: centres around the network rate with exact binomial limits.

use registry_etl::results::{Funnel, FunnelPoint, Position};

use super::axis::{Frame, round_ticks};
use super::svg::Svg;

/// `None` when there is no rate to draw around, or no limits.
pub fn funnel(funnel: &Funnel, own: Option<&str>, title: &str) -> Option<String> {
    let target = funnel.target?;
    let largest = funnel.limits.last()?.n;
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
    frame.x_axis(
        &mut svg,
        &round_ticks(frame.x_max),
        "Assessable units of the centre",
    );
    type Bound = fn(&registry_etl::results::FunnelLimits) -> f64;
    let bounds: [(&str, Bound); 4] = [
        ("limit-998", |l| l.lower998),
        ("limit-998", |l| l.upper998),
        ("limit-95", |l| l.lower95),
        ("limit-95", |l| l.upper95),
    ];
    for (class, bound) in bounds {
        let line: Vec<_> = funnel
            .limits
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
    for point in &funnel.points {
        if let (Some(rate), Some(n)) = (point.rate, point.denominator) {
            place(
                &mut svg,
                &frame,
                point,
                (frame.x(f64::from(n)), frame.y(rate)),
                own,
                &mut labels,
            );
        }
    }
    Some(svg.finish())
}

/// A dot; centres outside the limits and the own one carry their name where it collides with no other name.
fn place(
    svg: &mut Svg,
    frame: &Frame,
    point: &FunnelPoint,
    at: (f64, f64),
    own: Option<&str>,
    labels: &mut Vec<(f64, f64)>,
) {
    let is_own = own == Some(point.centre.as_str());
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
        point.denominator.unwrap_or_default(),
        point.rate.unwrap_or_default() * 100.0
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
                &point.centre,
            );
            labels.push(spot);
            return;
        }
    }
}
