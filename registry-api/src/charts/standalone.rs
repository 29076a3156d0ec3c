//! A chart as a file of its own: what the stylesheet says of its classes is written into its elements, in the light colours, so that slides
//! and word processors draw it as the page does.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The stylesheet of the pages.
const STYLESHEET: &str = include_str!("../../assets/style.css");
const FONT: &str = "DejaVu Sans, Noto Sans, Arial, sans-serif";
/// Properties that a page needs and a picture does not.
const OF_PAGES: [&str; 4] = ["width", "height", "display", "font-variant-numeric"];

/// What a rule asks of an element, and what it gives it.
struct Rule {
    /// Empty for any.
    tag: &'static str,
    classes: Vec<&'static str>,
    gives: Vec<(&'static str, String)>,
}

/// The rules of charts, the more particular ones last.
static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| rules(STYLESHEET));

fn rules(stylesheet: &'static str) -> Vec<Rule> {
    let colours = colours(stylesheet);
    let charts = stylesheet.split("/* charts */").nth(1).unwrap_or_default();
    let charts = charts.split("@media").next().unwrap_or_default();
    let mut found = Vec::new();
    for block in charts.split('}') {
        let Some((selectors, declarations)) = block.split_once('{') else {
            continue;
        };
        for selector in selectors.split(',') {
            let Some(of) = selector.trim().strip_prefix("svg.chart ") else {
                continue;
            };
            let (tag, classes) = of.split_once('.').unwrap_or((of, ""));
            found.push(Rule {
                tag,
                classes: classes.split('.').filter(|class| !class.is_empty()).collect(),
                gives: given(declarations, &colours),
            });
        }
    }
    found.sort_by_key(|rule| rule.classes.len());
    found
}

/// The variables of the light colours.
fn colours(stylesheet: &'static str) -> BTreeMap<&'static str, &'static str> {
    let root = stylesheet.split(":root {").nth(1).unwrap_or_default();
    let root = root.split('}').next().unwrap_or_default();
    declared(root)
        .filter(|(name, _)| name.starts_with("--"))
        .collect()
}

fn declared(text: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let parts = text.split(';').filter_map(|one| one.split_once(':'));
    parts.map(|(name, value)| (name.trim(), value.trim()))
}

fn given(declarations: &'static str, colours: &BTreeMap<&str, &str>) -> Vec<(&'static str, String)> {
    let kept = declared(declarations).filter(|(name, _)| !OF_PAGES.contains(name));
    kept.map(|(name, value)| {
        let variable = value.strip_prefix("var(").and_then(|rest| rest.strip_suffix(')'));
        let colour = variable.and_then(|variable| colours.get(variable).copied());
        (name, colour.unwrap_or(value).to_owned())
    })
    .collect()
}

/// The picture with its size, a white ground and no class left.
pub fn standalone(chart: &str) -> String {
    let (width, height) = size(chart);
    let mut out = String::with_capacity(chart.len() * 2);
    let mut rest = chart;
    let mut first = true;
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        let Some((tag, tail)) = after.split_once('>') else {
            break;
        };
        out.push('<');
        if first {
            let kept = tag.replacen(" class=\"chart\"", "", 1);
            out.push_str(&format!(
                "{kept} width=\"{width}\" height=\"{height}\" font-family=\"{FONT}\" font-size=\"12\">"
            ));
            out.push_str(&format!(
                "<rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>"
            ));
            first = false;
        } else {
            out.push_str(&drawn(tag));
            out.push('>');
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// Width and height of the view box.
fn size(chart: &str) -> (&str, &str) {
    let found = chart.split("viewBox=\"0 0 ").nth(1);
    let found = found.and_then(|rest| rest.split('"').next()?.split_once(' '));
    found.unwrap_or(("760", "400"))
}

/// A tag whose classes are what they stand for.
fn drawn(tag: &str) -> String {
    let name = tag.split([' ', '/']).next().unwrap_or_default();
    let class = tag
        .split(" class=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    if class.is_none()
        && !RULES
            .iter()
            .any(|rule| rule.tag == name && rule.classes.is_empty())
    {
        return tag.to_owned();
    }
    let class = class.unwrap_or_default();
    let has: Vec<&str> = class.split(' ').collect();
    let mut attributes: BTreeMap<&str, &str> = BTreeMap::new();
    for rule in RULES.iter() {
        let applies =
            (rule.tag.is_empty() || rule.tag == name) && rule.classes.iter().all(|one| has.contains(one));
        if applies {
            attributes.extend(rule.gives.iter().map(|(name, value)| (*name, value.as_str())));
        }
    }
    let written: String = attributes
        .iter()
        .map(|(name, value)| format!(" {name}=\"{value}\""))
        .collect();
    match tag.contains(" class=\"") {
        true => tag.replacen(&format!(" class=\"{class}\""), &written, 1),
        false => tag.replacen(name, &format!("{name}{written}"), 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_become_what_the_stylesheet_says_and_the_particular_wins() {
        let rules = rules(STYLESHEET);
        assert!(rules.len() > 30, "{}", rules.len());
        let chart = "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" viewBox=\"0 0 760.0 240.0\" role=\"img\" aria-label=\"A &lt;b&gt;\">\
            <line class=\"grid\" x1=\"1.0\"/><circle class=\"point outside\" r=\"4.5\"><title>C &amp; D</title></circle><text class=\"label strong\" x=\"8.0\">N</text></svg>";
        let file = standalone(chart);
        assert!(!file.contains("class=") && !file.contains("var("), "{file}");
        assert!(file.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 760.0 240.0\" role=\"img\" aria-label=\"A &lt;b&gt;\" width=\"760.0\" height=\"240.0\""), "{file}");
        assert!(
            file.contains("<line fill=\"none\" stroke=\"#dcdfe3\" x1=\"1.0\"/>"),
            "{file}"
        );
        assert!(
            file.contains(
                "<circle fill=\"#c25e00\" opacity=\"1\" r=\"4.5\"><title>C &amp; D</title></circle>"
            ),
            "{file}"
        );
        assert!(
            file.contains("<text fill=\"#1b2430\" font-weight=\"650\" x=\"8.0\">N</text></svg>"),
            "{file}"
        );
    }
}
