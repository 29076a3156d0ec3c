//! A form filled in again: the page's own HTML with what was sent, what is wrong above the form and at its field.
//!
//! Works on pages of this program only: every tag is closed, every value of an attribute stands in double quotes with its markup escaped.

use std::fmt::Write as _;

use crate::guard::Fields;

/// Fields that are never filled in again, whatever their type: each is good once, or proves who sends it.
const NEVER: [&str; 4] = ["csrf", "token", "code", "etag"];

/// What was sent, where to, and what is wrong with it.
pub(super) struct Refusal<'a> {
    pub(super) action: &'a str,
    pub(super) sent: &'a Fields,
    /// The field it is about, where it is about one.
    pub(super) field: Option<&'a str>,
    pub(super) words: &'a str,
}

/// The page with the form that was sent filled in again; `None` when the page has it no more.
pub(super) fn filled(page: &str, refusal: &Refusal<'_>) -> Option<String> {
    let (start, end) = form_of(page, refusal)?;
    let before = page.get(..start)?;
    let form = page.get(start..end)?;
    let at_field = refusal.field.filter(|name| has_field(form, name));
    let mut out = opened(before);
    out = out.replacen("<title>", "<title>Refused: ", 1);
    let mut rest = form;
    let mut chosen: Option<String> = None;
    let mut marked = false;
    while let Some(open) = rest.find('<') {
        out.push_str(rest.get(..open)?);
        let close = open + rest.get(open..)?.find('>')? + 1;
        let text = rest.get(open..close)?;
        rest = rest.get(close..)?;
        let mut tag = Tag::read(text);
        let name = tag.get("name").unwrap_or_default().to_owned();
        let field = matches!(tag.name, "input" | "select" | "textarea") && !name.is_empty();
        if field && !marked && at_field == Some(name.as_str()) && tag.get("type") != Some("hidden") {
            tag.mark();
            marked = true;
        }
        let again = field && !secret(&tag, &name) && !refusal.sent.all(&name).is_empty();
        let boxed = matches!(tag.get("type"), Some("checkbox" | "radio"));
        match tag.name {
            "form" => {
                tag.render(&mut out);
                let focus = if at_field.is_some() { "" } else { " autofocus" };
                let words = escaped(refusal.words);
                let _ = write!(
                    out,
                    "<p class=\"notice refusal\" id=\"refusal\" role=\"alert\" tabindex=\"-1\"{focus}>{words}</p>"
                );
                continue;
            }
            "input" if field && boxed && !secret(&tag, &name) => {
                let value = tag.get("value").map_or_else(|| "on".to_owned(), unescaped);
                tag.set_flag("checked", refusal.sent.all(&name).contains(&value));
            }
            "input" if again => tag.set("value", &escaped(refusal.sent.get(&name))),
            "textarea" if again => {
                tag.render(&mut out);
                out.push_str(&escaped(refusal.sent.get(&name)));
                rest = rest.get(rest.find("</textarea>")?..)?;
                continue;
            }
            "select" => {
                let one_of = |value: &str| offers(rest, value);
                chosen = again
                    .then(|| refusal.sent.get(&name).to_owned())
                    .filter(|value| one_of(value));
            }
            "option" => {
                if let Some(wanted) = &chosen {
                    let value = tag.get("value").map(unescaped);
                    tag.set_flag("selected", value.as_ref() == Some(wanted));
                }
            }
            "/select" => chosen = None,
            _ => {}
        }
        tag.render(&mut out);
    }
    out.push_str(rest);
    out.push_str(page.get(end..)?);
    Some(out)
}

/// Where the form that was sent stands: its address, and what tells it from others with that address.
fn form_of(page: &str, refusal: &Refusal<'_>) -> Option<(usize, usize)> {
    let mut from = 0;
    loop {
        let start = from + page.get(from..)?.find("<form ")?;
        let end = start + page.get(start..)?.find("</form>")?;
        let form = page.get(start..end)?;
        let open = Tag::read(form.get(..=form.find('>')?)?);
        let here = open.get("action").map(unescaped);
        let here = here.as_deref().and_then(|action| action.split('#').next());
        if open.get("method") == Some("post") && here == Some(refusal.action) && same(form, refusal) {
            return Some((start, end));
        }
        from = end;
    }
}

/// Whether what a form sends without being asked is what was sent.
fn same(form: &str, refusal: &Refusal<'_>) -> bool {
    let mut hidden = tags(form).filter(|tag| tag.name == "input" && tag.get("type") == Some("hidden"));
    hidden.all(|tag| {
        let name = tag.get("name").unwrap_or_default();
        let value = tag.get("value").map(unescaped).unwrap_or_default();
        NEVER.contains(&name) || refusal.sent.get(name) == value
    })
}

fn has_field(form: &str, name: &str) -> bool {
    tags(form).any(|tag| {
        matches!(tag.name, "input" | "select" | "textarea")
            && tag.get("type") != Some("hidden")
            && tag.get("name") == Some(name)
    })
}

/// Whether the list whose options begin here offers a value.
fn offers(rest: &str, value: &str) -> bool {
    let options = rest.split("</select>").next().unwrap_or_default();
    let mut options = tags(options).filter(|tag| tag.name == "option");
    options.any(|tag| tag.get("value").map(unescaped).as_deref() == Some(value))
}

/// What is never written into a page.
fn secret(tag: &Tag<'_>, name: &str) -> bool {
    NEVER.contains(&name) || matches!(tag.get("type"), Some("hidden" | "password" | "file"))
}

/// The page up to the form, with what folds it away unfolded.
fn opened(before: &str) -> String {
    let mut folds = Vec::new();
    for (at, _) in before.match_indices('<') {
        let rest = before.get(at..).unwrap_or_default();
        if rest.starts_with("<details") {
            folds.push(at + "<details".len());
        } else if rest.starts_with("</details>") {
            folds.pop();
        }
    }
    let mut out = String::with_capacity(before.len() + 1024);
    let mut from = 0;
    for at in folds {
        out.push_str(before.get(from..at).unwrap_or_default());
        let tag = before.get(at..).and_then(|rest| rest.split('>').next());
        if !tag.is_some_and(|tag| tag.ends_with(" open")) {
            out.push_str(" open");
        }
        from = at;
    }
    out.push_str(before.get(from..).unwrap_or_default());
    out
}

fn tags(html: &str) -> impl Iterator<Item = Tag<'_>> {
    html.match_indices('<').filter_map(|(open, _)| {
        let rest = html.get(open..)?;
        Some(Tag::read(rest.get(..=rest.find('>')?)?))
    })
}

/// A tag with its attributes as they stand, values still escaped.
struct Tag<'a> {
    name: &'a str,
    attributes: Vec<(&'a str, Option<String>)>,
}

impl<'a> Tag<'a> {
    fn read(text: &'a str) -> Self {
        let inner = text.trim_start_matches('<').trim_end_matches('>');
        let (name, mut rest) = inner.split_once(char::is_whitespace).unwrap_or((inner, ""));
        let mut attributes = Vec::new();
        loop {
            rest = rest.trim_start();
            let end = rest
                .find(|c: char| c == '=' || c.is_whitespace())
                .unwrap_or(rest.len());
            let (attribute, after) = rest.split_at(end);
            if attribute.is_empty() {
                break;
            }
            let quoted = after.strip_prefix("=\"").and_then(|value| value.split_once('"'));
            attributes.push((attribute, quoted.map(|(value, _)| value.to_owned())));
            rest = quoted.map_or(after, |(_, rest)| rest);
        }
        Self { name, attributes }
    }

    fn get(&self, name: &str) -> Option<&str> {
        let mut all = self.attributes.iter();
        let (_, value) = all.find(|(attribute, _)| *attribute == name)?;
        Some(value.as_deref().unwrap_or_default())
    }

    fn set(&mut self, name: &'a str, value: &str) {
        self.attributes.retain(|(attribute, _)| *attribute != name);
        self.attributes.push((name, Some(value.to_owned())));
    }

    fn set_flag(&mut self, name: &'a str, on: bool) {
        self.attributes.retain(|(attribute, _)| *attribute != name);
        if on {
            self.attributes.push((name, None));
        }
    }

    /// Says of a field that it is the one, and where what is wrong is said.
    fn mark(&mut self) {
        if self.get("type") != Some("radio") {
            self.set("aria-invalid", "true");
        }
        let described = match self.get("aria-describedby") {
            Some(already) => format!("refusal {already}"),
            None => "refusal".to_owned(),
        };
        self.set("aria-describedby", &described);
        self.set_flag("autofocus", true);
    }

    fn render(&self, out: &mut String) {
        out.push('<');
        out.push_str(self.name);
        for (name, value) in &self.attributes {
            out.push(' ');
            out.push_str(name);
            if let Some(value) = value {
                let _ = write!(out, "=\"{value}\"");
            }
        }
        out.push('>');
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&#38;"),
            '<' => out.push_str("&#60;"),
            '>' => out.push_str("&#62;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// Undoes what the templates escape.
fn unescaped(text: &str) -> String {
    let named = [
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#38;", "&"),
        ("&amp;", "&"),
    ];
    let all = named.iter();
    all.fold(text.to_owned(), |text, (code, letter)| text.replace(code, letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = concat!(
        "<title>Keys</title><details><summary>Other</summary></details>",
        "<details><summary>Make</summary>",
        "<form class=\"said\" method=\"post\" action=\"/keys\"><input type=\"hidden\" name=\"csrf\" value=\"t\">",
        "<input type=\"hidden\" name=\"kind\" value=\"b\"></form>",
        "<form class=\"said\" method=\"post\" action=\"/keys\"><input type=\"hidden\" name=\"csrf\" value=\"t\">",
        "<input type=\"hidden\" name=\"kind\" value=\"a\">",
        "<label>For <input name=\"label\" required maxlength=\"200\" aria-describedby=\"hint\"></label>",
        "<label>Why <textarea name=\"why\" rows=\"2\">as before</textarea></label>",
        "<label>Role <select name=\"role\"><option value=\"x\" selected>X</option><option value=\"y\">Y</option></select></label>",
        "<label><input type=\"checkbox\" name=\"file\" value=\"one\" checked> One</label>",
        "<label><input type=\"checkbox\" name=\"file\" value=\"two\"> Two</label>",
        "<label>Password <input type=\"password\" name=\"password\"></label>",
        "<label>Code <input name=\"code\"></label>",
        "<button type=\"submit\">Make</button></form></details><p>after</p>",
    );

    fn sent(fields: &[(&str, &str)]) -> Fields {
        let mut all = vec![("kind", "a"), ("csrf", "t")];
        all.extend(fields);
        Fields::sent(&all)
    }

    fn page(fields: &[(&str, &str)], field: Option<&str>) -> Option<String> {
        let sent = sent(fields);
        let refusal = Refusal {
            action: "/keys",
            sent: &sent,
            field,
            words: "A label has \"1\" to 200 bytes.",
        };
        filled(PAGE, &refusal)
    }

    #[test]
    fn what_was_typed_stands_in_its_form_again_and_what_is_wrong_at_its_field() {
        let shown = page(
            &[
                ("label", "a \"<b>\" & c"),
                ("why", "</textarea><b>"),
                ("role", "y"),
                ("file", "two"),
            ],
            Some("label"),
        );
        let shown = shown.expect("the form");
        for has in [
            "<title>Refused: Keys</title>",
            "<details><summary>Other",
            "<details open><summary>Make",
            "role=\"alert\" tabindex=\"-1\">A label has &#34;1&#34; to 200 bytes.</p>",
            "<input name=\"label\" required maxlength=\"200\" aria-invalid=\"true\" aria-describedby=\"refusal hint\" autofocus value=\"a &#34;&#60;b&#62;&#34; &#38; c\">",
            "rows=\"2\">&#60;/textarea&#62;&#60;b&#62;</textarea>",
            "<option value=\"x\">X</option><option value=\"y\" selected>Y</option>",
            "value=\"one\"> One",
            "value=\"two\" checked> Two",
            "</form></details><p>after</p>",
        ] {
            assert!(shown.contains(has), "{has}\n{shown}");
        }
        assert_eq!(shown.matches("id=\"refusal\"").count(), 1);
    }

    #[test]
    fn no_secret_is_written_into_the_page() {
        let shown = page(&[("password", "hunter2"), ("code", "123456")], Some("code")).expect("the form");
        assert!(!shown.contains("hunter2") && !shown.contains("123456"));
        assert!(shown.contains("<input name=\"code\" aria-invalid=\"true\""));
    }

    #[test]
    fn what_is_wrong_with_no_field_in_particular_is_where_the_reader_starts() {
        let shown = page(&[("role", "no such role")], Some("another")).expect("the form");
        assert!(shown.contains("tabindex=\"-1\" autofocus>"));
        assert!(!shown.contains("aria-invalid"));
        // What the list does not offer changes no choice.
        assert!(shown.contains("<option value=\"x\" selected>"));
    }

    #[test]
    fn a_form_that_the_page_has_not_is_not_filled_in() {
        assert!(page(&[("kind", "c")], None).is_none());
        assert!(page(&[], None).is_some());
    }
}
