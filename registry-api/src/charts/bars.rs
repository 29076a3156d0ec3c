//! Counts by month or half-year as bars.

use super::axis::{Frame, round_ticks};
use super::svg::Svg;

/// Bars in order, with the title above them and the unit of a percentage at every tick; a hidden count leaves a gap with a dot at the axis. At most ten labels are written, so that none covers the next.
pub fn bars(counts: &[(String, Option<u32>)], title: &str, unit: &str) -> String {
    let mut svg = Svg::new(760.0, 236.0, title);
    let most = counts.iter().filter_map(|(_, n)| *n).max().unwrap_or(1).max(1);
    let frame = Frame {
        left: 52.0,
        top: 30.0,
        // As much is free to the right as half a label below the last bar is wide.
        width: 680.0,
        height: 176.0,
        x_max: counts.len().max(1) as f64,
        y_max: f64::from(most) * 1.08,
    };
    svg.text("label", (frame.left, 15.0), "start", title);
    let percent = if unit == "%" { " %" } else { "" };
    for tick in round_ticks(f64::from(most)) {
        svg.line(
            "grid",
            (frame.left, frame.y(tick)),
            (frame.left + frame.width, frame.y(tick)),
        );
        svg.text(
            "tick",
            (frame.left - 8.0, frame.y(tick) + 4.0),
            "end",
            &format!("{tick:.0}{percent}"),
        );
    }
    let step = frame.width / counts.len().max(1) as f64;
    let every = counts.len().div_ceil(10).max(1);
    for (n, (label, count)) in counts.iter().enumerate() {
        let x = frame.left + step * n as f64;
        match count {
            Some(count) => {
                let y = frame.y(f64::from(*count));
                svg.rect(
                    "bar",
                    x + step * 0.12,
                    y,
                    step * 0.76,
                    frame.bottom() - y,
                    &format!("{label}: {count} {unit}"),
                );
            }
            None => svg.circle(
                "hidden",
                (x + step / 2.0, frame.bottom() - 4.0),
                2.0,
                &format!("{label}: not shown (few patients)"),
            ),
        }
        if n % every == 0 {
            svg.text("tick", (x + step / 2.0, frame.bottom() + 19.0), "middle", label);
        }
    }
    svg.line(
        "axis",
        (frame.left, frame.bottom()),
        (frame.left + frame.width, frame.bottom()),
    );
    svg.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In the pictures' units; `2026-12` takes less in any of their fonts.
    const HALF_A_LABEL: f64 = 27.0;

    #[test]
    fn no_label_is_cut_off_or_covers_the_next_whatever_the_number_of_months() {
        for months in 1..=130 {
            let counts: Vec<_> = (0..months)
                .map(|n| (format!("20{:02}-{:02}", 20 + n / 12, 1 + n % 12), Some(7)))
                .collect();
            let picture = bars(&counts, "Registrations by month", "registered");
            let labels: Vec<f64> = picture
                .split("<text class=\"tick\" x=\"")
                .filter(|text| text.contains("\"middle\""))
                .filter_map(|text| text.split('"').next()?.parse().ok())
                .collect();
            assert!(!labels.is_empty(), "{months} months");
            assert!(
                labels
                    .iter()
                    .all(|x| *x >= HALF_A_LABEL && *x <= 760.0 - HALF_A_LABEL),
                "{months} months: {labels:?}"
            );
            assert!(
                labels.windows(2).all(|two| two[1] - two[0] >= 2.0 * HALF_A_LABEL),
                "{months} months: {labels:?}"
            );
        }
    }
}
