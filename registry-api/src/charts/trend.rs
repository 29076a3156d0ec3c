//! A rate over the half-years of diagnosis, with the limits chance sets around the rate of all.

use registry_etl::results::{Position, Trend};

use super::axis::{Frame, LIMITS};
use super::svg::Svg;

/// Most labels below the axis.
const MOST_LABELS: usize = 10;

/// `None` when fewer than two half-years have a rate.
pub fn trend(trend: &Trend, title: &str) -> Option<String> {
    let target = trend.target?;
    if trend.points.iter().filter(|point| point.rate.is_some()).count() < 2 {
        return None;
    }
    let mut svg = Svg::new(760.0, 300.0, title);
    let frame = Frame {
        left: 62.0,
        top: 16.0,
        width: 660.0,
        height: 220.0,
        x_max: trend.points.len() as f64,
        y_max: 1.0,
    };
    frame.percent_axis(&mut svg);
    svg.line(
        "axis",
        (frame.left, frame.bottom()),
        (frame.left + frame.width, frame.bottom()),
    );
    svg.line(
        "target",
        (frame.left, frame.y(target)),
        (frame.left + frame.width, frame.y(target)),
    );
    let every = trend.points.len().div_ceil(MOST_LABELS).max(1);
    // A line for each stretch of half-years with a rate: what is hidden or empty is not drawn over.
    let mut lines = vec![Vec::new()];
    for (at, point) in trend.points.iter().enumerate() {
        let (from, middle, to) = (at as f64, at as f64 + 0.5, at as f64 + 1.0);
        if let Some(limits) = &point.limits {
            for (class, bound) in LIMITS {
                let y = frame.y(bound(limits));
                svg.line(class, (frame.x(from), y), (frame.x(to), y));
            }
        }
        if at % every == 0 {
            let place = (frame.x(middle), frame.bottom() + 19.0);
            svg.text("tick", place, "middle", &point.level);
        }
        match (point.rate, lines.last_mut()) {
            (Some(rate), Some(line)) => line.push((frame.x(middle), frame.y(rate))),
            _ => lines.push(Vec::new()),
        }
    }
    for line in lines.iter().filter(|line| line.len() > 1) {
        svg.polyline("trend", line);
    }
    for (at, point) in trend.points.iter().enumerate() {
        let Some(rate) = point.rate else { continue };
        let class = match point.position {
            Some(Position::Above998 | Position::Below998) => "point far",
            Some(Position::Above95 | Position::Below95) => "point outside",
            _ => "point",
        };
        let tip = format!(
            "{}: {} of {} ({:.0} %)",
            point.level,
            point.numerator.map_or("·".to_owned(), |n| n.to_string()),
            point.denominator.unwrap_or_default(),
            rate * 100.0
        );
        svg.circle(class, (frame.x(at as f64 + 0.5), frame.y(rate)), 4.5, &tip);
    }
    svg.text(
        "label",
        (frame.left + frame.width / 2.0, frame.bottom() + 42.0),
        "middle",
        "Half-year of metastatic diagnosis",
    );
    Some(svg.finish())
}

#[cfg(test)]
mod tests {
    use registry_etl::results::{RateState, TrendPoint};

    use super::*;

    fn drawn(rates: &[Option<f64>]) -> String {
        let point = |(at, rate): (usize, &Option<f64>)| TrendPoint {
            level: format!("20{:02}-H1", 20 + at),
            state: rate.map_or(RateState::Suppressed, |_| RateState::Rate),
            numerator: rate.map(|_| 1),
            denominator: rate.map(|_| 2),
            rate: *rate,
            limits: None,
            position: None,
            as_of: None,
        };
        let of = Trend {
            target: Some(0.5),
            points: rates.iter().enumerate().map(point).collect(),
            p: None,
        };
        trend(&of, "a measure").expect("two rates")
    }

    #[test]
    fn the_line_breaks_where_a_half_year_has_no_rate() {
        let lines = |rates: &[Option<f64>]| drawn(rates).matches("<polyline class=\"trend\"").count();
        let (some, none) = (Some(0.5), None);
        assert_eq!(lines(&[some, some, some]), 1);
        assert_eq!(lines(&[some, some, none, some, some]), 2);
        // A single point has no line, and none leads over what is hidden.
        assert_eq!(lines(&[some, none, some]), 0);
        assert_eq!(lines(&[none, some, some, none]), 1);
        assert_eq!(drawn(&[some, none, some]).matches("<circle").count(), 2);
    }
}
