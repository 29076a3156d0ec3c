//! The colours of charts and cells as they look to somebody who does not tell all colours apart, and in grey: what stands next to each other
//! stays apart. Read from the stylesheet, so that a changed colour is judged before it is seen.

use std::collections::BTreeMap;

use support::repository::root;

/// CIELAB distance below which two neighbouring areas or lines look alike; about 2 is just noticeable side by side.
const APART: f64 = 15.0;
/// Difference in lightness (L*, 0 to 100) that shows in grey.
const APART_IN_GREY: f64 = 10.0;

type Rgb = [f64; 3];

/// What a colour becomes with one kind of cone missing, in linear light: Machado, Oliveira and Fernandes 2009, severity 1.
const SEEN: [(&str, [Rgb; 3]); 4] = [
    ("all cones", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
    (
        "protanopia",
        [
            [0.152_286, 1.052_583, -0.204_868],
            [0.114_503, 0.786_281, 0.099_216],
            [-0.003_882, -0.048_116, 1.051_998],
        ],
    ),
    (
        "deuteranopia",
        [
            [0.367_322, 0.860_646, -0.227_968],
            [0.280_085, 0.672_501, 0.047_413],
            [-0.011_820, 0.042_940, 0.968_881],
        ],
    ),
    (
        "tritanopia",
        [
            [1.255_528, -0.076_749, -0.178_779],
            [-0.078_411, 0.930_809, 0.147_602],
            [0.004_733, 0.691_367, 0.303_900],
        ],
    ),
];

/// The colours of a theme by variable: of the page in light, then in dark.
fn themes() -> [(&'static str, BTreeMap<String, Rgb>); 2] {
    let text = std::fs::read_to_string(root().join("registry-api/assets/style.css")).expect("the stylesheet");
    let mut blocks = text
        .split(":root {")
        .skip(1)
        .map(|rest| colours(rest.split('}').next().unwrap_or_default()));
    [
        ("light", blocks.next().expect("light colours")),
        ("dark", blocks.next().expect("dark colours")),
    ]
}

fn colours(block: &str) -> BTreeMap<String, Rgb> {
    let declared = block.split(';').filter_map(|one| one.split_once(':'));
    declared
        .filter_map(|(name, value)| {
            let hex = value.trim().strip_prefix('#').filter(|hex| hex.len() == 6)?;
            let part = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).ok();
            let linear = |byte: u8| {
                let c = f64::from(byte) / 255.0;
                if c <= 0.040_45 {
                    c / 12.92
                } else {
                    ((c + 0.055) / 1.055).powf(2.4)
                }
            };
            Some((
                name.trim().trim_start_matches("--").to_owned(),
                [linear(part(0)?), linear(part(2)?), linear(part(4)?)],
            ))
        })
        .collect()
}

fn seen(colour: Rgb, by: &[Rgb; 3]) -> Rgb {
    by.map(|row| (0..3).map(|at| row[at] * colour[at]).sum::<f64>().clamp(0.0, 1.0))
}

/// CIELAB of linear sRGB under D65.
fn lab([r, g, b]: Rgb) -> Rgb {
    let xyz = [
        (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.950_47,
        0.2126 * r + 0.7152 * g + 0.0722 * b,
        (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.088_83,
    ];
    let f = |t: f64| {
        if t > 0.008_856 {
            t.cbrt()
        } else {
            7.787 * t + 16.0 / 116.0
        }
    };
    let [x, y, z] = xyz.map(f);
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

fn distance(a: Rgb, b: Rgb) -> f64 {
    let squares = a.iter().zip(b).map(|(a, b)| (a - b).powi(2));
    squares.sum::<f64>().sqrt()
}

/// Names of a kind in their order: `s0` to `s7`, `q1` to `q4`.
fn named(colours: &BTreeMap<String, Rgb>, kind: char) -> Vec<(&str, Rgb)> {
    let numbered = |name: &str| {
        let mut rest = name.chars();
        rest.next() == Some(kind) && rest.as_str().parse::<u8>().is_ok()
    };
    let of_kind = colours.iter().filter(|(name, _)| numbered(name));
    of_kind.map(|(name, colour)| (name.as_str(), *colour)).collect()
}

#[test]
fn the_arithmetic_agrees_with_known_colours() {
    // White is L* 100 without a hue, mid grey (119) L* 50; red and green of equal lightness fall together without the cones that part them.
    let of = |hex: &str| lab(colours(&format!("--x: #{hex}"))["x"]);
    let near = |a: f64, b: f64| (a - b).abs() < 0.2;
    assert!(
        near(of("ffffff")[0], 100.0) && near(of("777777")[0], 50.0),
        "{:?} {:?}",
        of("ffffff"),
        of("777777")
    );
    let (red, green) = (colours("--x: #c04040")["x"], colours("--x: #5a7a20")["x"]);
    let protan = &SEEN[1].1;
    assert!(distance(lab(red), lab(green)) > 70.0);
    assert!(distance(lab(seen(red, protan)), lab(seen(green, protan))) < 40.0);
}

#[test]
fn neighbours_stay_apart_with_any_cone_missing() {
    for (theme, colours) in themes() {
        for kind in ['s', 'q'] {
            let all = named(&colours, kind);
            assert_eq!(all.len(), if kind == 's' { 8 } else { 4 }, "{theme}");
            for (how, by) in &SEEN {
                for pair in all.windows(2) {
                    let [(one, a), (other, b)] = [pair[0], pair[1]];
                    let apart = distance(lab(seen(a, by)), lab(seen(b, by)));
                    assert!(
                        apart >= APART,
                        "{theme}, {how}: {one} and {other} are {apart:.1} apart"
                    );
                }
            }
        }
    }
}

/// Lines differ in their dashes wherever grey does not part them; cells of a table carry their number, and the scale has its ends apart.
#[test]
fn charts_can_be_read_in_grey() {
    let text = std::fs::read_to_string(root().join("registry-api/assets/style.css")).expect("the stylesheet");
    let dashes = |series: usize| -> String {
        let rule = format!("svg.chart .series-{series} {{");
        let block = text
            .split(&rule)
            .nth(1)
            .and_then(|rest| rest.split('}').next())
            .expect("a rule");
        let dash = block
            .split(';')
            .find_map(|one| one.trim().strip_prefix("stroke-dasharray:"));
        dash.unwrap_or("solid").trim().to_owned()
    };
    for (theme, colours) in themes() {
        let series: Vec<(f64, String)> = named(&colours, 's')
            .into_iter()
            .enumerate()
            .map(|(at, (_, colour))| (lab(colour)[0], dashes(at)))
            .collect();
        for (at, (grey, dash)) in series.iter().enumerate() {
            for (other, (grey2, dash2)) in series.iter().enumerate().skip(at + 1) {
                assert!(
                    dash != dash2 || (grey - grey2).abs() >= APART_IN_GREY,
                    "{theme}: series {at} and {other} have one dash and one grey"
                );
            }
        }
        // Points outside the limits are told from those within by a stroke, centres' own by their size; the lightness of the fill adds to it.
        let paper = lab(colours["paper"])[0];
        for (name, colour) in named(&colours, 's') {
            let apart = (lab(colour)[0] - paper).abs();
            assert!(
                apart >= 3.0 * APART_IN_GREY,
                "{theme}: {name} is {apart:.0} from the paper"
            );
        }
    }
}
