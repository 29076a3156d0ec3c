//! A small writer of SVG elements; every text is escaped.

use std::fmt::Write;

/// An SVG picture under construction.
pub(super) struct Svg {
    width: f64,
    height: f64,
    title: String,
    body: String,
}

/// Text for XML.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// A coordinate with one decimal, by whole tenths: a picture has thousands, and formatting a float exactly takes five times as long.
pub(super) fn at(x: f64) -> String {
    let mut text = String::new();
    put(&mut text, x);
    text
}

fn put(text: &mut String, x: f64) {
    let tenths = (x * 10.0).round_ties_even() as i64;
    let sign = if tenths < 0 { "-" } else { "" };
    let tenths = tenths.unsigned_abs();
    let _ = write!(text, "{sign}{}.{}", tenths / 10, tenths % 10);
}

impl Svg {
    pub(super) fn new(width: f64, height: f64, title: &str) -> Self {
        Self {
            width,
            height,
            title: title.to_owned(),
            body: String::new(),
        }
    }

    pub(super) fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let _ = write!(
            self.body,
            "<line class=\"{class}\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>",
            at(from.0),
            at(from.1),
            at(to.0),
            at(to.1)
        );
    }

    pub(super) fn rect(&mut self, class: &str, x: f64, y: f64, width: f64, height: f64, tip: &str) {
        let _ = write!(
            self.body,
            "<rect class=\"{class}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\">{}</rect>",
            at(x),
            at(y),
            at(width.max(0.0)),
            at(height.max(0.0)),
            tooltip(tip)
        );
    }

    pub(super) fn circle(&mut self, class: &str, centre: (f64, f64), radius: f64, tip: &str) {
        let _ = write!(
            self.body,
            "<circle class=\"{class}\" cx=\"{}\" cy=\"{}\" r=\"{}\">{}</circle>",
            at(centre.0),
            at(centre.1),
            at(radius),
            tooltip(tip)
        );
    }

    /// `anchor` is `start`, `middle` or `end`.
    pub(super) fn text(&mut self, class: &str, place: (f64, f64), anchor: &str, text: &str) {
        let _ = write!(
            self.body,
            "<text class=\"{class}\" x=\"{}\" y=\"{}\" text-anchor=\"{anchor}\">{}</text>",
            at(place.0),
            at(place.1),
            escape(text)
        );
    }

    pub(super) fn polyline(&mut self, class: &str, points: &[(f64, f64)]) {
        let _ = write!(
            self.body,
            "<polyline class=\"{class}\" points=\"{}\"/>",
            joined(points)
        );
    }

    pub(super) fn polygon(&mut self, class: &str, points: &[(f64, f64)], tip: &str) {
        let _ = write!(
            self.body,
            "<polygon class=\"{class}\" points=\"{}\">{}</polygon>",
            joined(points),
            tooltip(tip)
        );
    }

    pub(super) fn finish(self) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">{}</svg>",
            at(self.width),
            at(self.height),
            escape(&self.title),
            self.body
        )
    }
}

fn tooltip(tip: &str) -> String {
    if tip.is_empty() {
        String::new()
    } else {
        format!("<title>{}</title>", escape(tip))
    }
}

fn joined(points: &[(f64, f64)]) -> String {
    let mut text = String::with_capacity(points.len() * 12);
    for (x, y) in points {
        if !text.is_empty() {
            text.push(' ');
        }
        put(&mut text, *x);
        text.push(',');
        put(&mut text, *y);
    }
    text
}
