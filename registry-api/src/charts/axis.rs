//! A frame with two linear axes.

use registry_etl::results::FunnelLimits;

use super::svg::Svg;

/// Which limit a line shows, and its class.
type Bound = fn(&FunnelLimits) -> f64;

/// The four control limits around a target, the outer ones first.
pub(super) const LIMITS: [(&str, Bound); 4] = [
    ("limit-998", |limits| limits.lower998),
    ("limit-998", |limits| limits.upper998),
    ("limit-95", |limits| limits.lower95),
    ("limit-95", |limits| limits.upper95),
];

/// Maps data to the picture: x to the right, y upwards.
pub(super) struct Frame {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) x_max: f64,
    pub(super) y_max: f64,
}

impl Frame {
    pub(super) fn x(&self, value: f64) -> f64 {
        self.left + self.width * (value / self.x_max).clamp(0.0, 1.0)
    }

    pub(super) fn y(&self, value: f64) -> f64 {
        self.top + self.height * (1.0 - (value / self.y_max).clamp(0.0, 1.0))
    }

    pub(super) fn bottom(&self) -> f64 {
        self.top + self.height
    }

    /// Grid and percent labels of an axis from 0 to a share of 1, in quarters of it.
    pub(super) fn percent_axis(&self, svg: &mut Svg) {
        for step in 0..=4 {
            let value = f64::from(step) / 4.0 * self.y_max;
            svg.line(
                "grid",
                (self.left, self.y(value)),
                (self.left + self.width, self.y(value)),
            );
            svg.text(
                "tick",
                (self.left - 8.0, self.y(value) + 4.0),
                "end",
                &format!("{:.0} %", value * 100.0),
            );
        }
    }

    /// Grid and labels of an axis of ratios.
    pub(super) fn ratio_axis(&self, svg: &mut Svg) {
        let step = if self.y_max > 3.0 { 1.0 } else { 0.5 };
        let mut value = 0.0;
        while value <= self.y_max + 1e-9 {
            let y = self.y(value);
            svg.line("grid", (self.left, y), (self.left + self.width, y));
            svg.text("tick", (self.left - 8.0, y + 4.0), "end", &format!("{value:.1}"));
            value += step;
        }
    }

    /// Ticks at the given values with their labels.
    pub(super) fn x_axis(&self, svg: &mut Svg, ticks: &[f64], label: &str) {
        svg.line(
            "axis",
            (self.left, self.bottom()),
            (self.left + self.width, self.bottom()),
        );
        for tick in ticks {
            svg.line(
                "axis",
                (self.x(*tick), self.bottom()),
                (self.x(*tick), self.bottom() + 5.0),
            );
            svg.text(
                "tick",
                (self.x(*tick), self.bottom() + 19.0),
                "middle",
                &format!("{tick:.0}"),
            );
        }
        svg.text(
            "label",
            (self.left + self.width / 2.0, self.bottom() + 38.0),
            "middle",
            label,
        );
    }
}

/// About six round steps from 0 to `max`.
pub(super) fn round_ticks(max: f64) -> Vec<f64> {
    let raw = (max / 6.0).max(1.0);
    let magnitude = 10f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|m| m * magnitude)
        .find(|s| *s >= raw)
        .unwrap_or(raw);
    let mut ticks = Vec::new();
    let mut value = 0.0;
    while value <= max + step * 1e-9 {
        ticks.push(value);
        value += step;
    }
    ticks
}
