//! One page of a search as `Bundle`.

use actix_web::HttpRequest;
use serde_json::{Value, json};

use crate::problem::{Kind, Problem};
use crate::state::AppState;

/// Resources on a page unless asked otherwise, and the most: a network's report with its breakdowns is about 100 KB.
const USUAL: usize = 20;
const LARGEST: usize = 100;

/// What was asked, as links repeat it.
#[derive(Debug, Clone)]
pub struct Address {
    /// `https://registry.example.org/fhir`.
    pub base: String,
    path: String,
    query: Vec<String>,
}

impl Address {
    /// Of a request: the public address if one is set, else the host it names.
    pub fn of(state: &AppState, request: &HttpRequest) -> Self {
        let host = request.headers().get("host").and_then(|v| v.to_str().ok());
        let safe = |host: &&str| {
            !host.is_empty()
                && host
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b".:-[]".contains(&b))
        };
        let base = match &state.settings.server.public_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => format!("http://{}", host.filter(safe).unwrap_or("localhost")),
        };
        let query = request.query_string().split('&').filter(|pair| !pair.is_empty());
        Self {
            base: format!("{base}/fhir"),
            path: request.path().trim_start_matches("/fhir").to_owned(),
            query: query.map(str::to_owned).collect(),
        }
    }

    /// The same question with a parameter set, whatever it was.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut changed = self.clone();
        changed.query.retain(|pair| pair.split('=').next() != Some(name));
        changed.query.push(format!("{name}={value}"));
        changed
    }

    fn url(&self) -> String {
        match self.query.is_empty() {
            true => format!("{}{}", self.base, self.path),
            false => format!("{}{}?{}", self.base, self.path, self.query.join("&")),
        }
    }
}

/// The part of a list that a page shows.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    from: usize,
    count: usize,
}

impl Window {
    /// From `_count` and `cursor`.
    ///
    /// # Errors
    /// [`Kind::BadQuery`] for a page too large, or a cursor that is none of ours.
    pub fn read(count: Option<usize>, cursor: Option<&str>) -> Result<Self, Problem> {
        let count = count.unwrap_or(USUAL);
        if count > LARGEST {
            return Err(Problem::with(Kind::BadQuery, format!("_count: 0 to {LARGEST}")));
        }
        let from = match cursor {
            None => 0,
            Some(cursor) => cursor
                .parse()
                .map_err(|_| Problem::with(Kind::BadQuery, "cursor: as an earlier answer gave it"))?,
        };
        Ok(Self { from, count })
    }
}

/// A page, and the address of the next. Only what is on the page is written.
pub fn searchset<T>(
    address: &Address,
    window: Window,
    found: &[T],
    write: impl Fn(&T) -> Value,
) -> (Value, Option<String>) {
    let page = found.iter().skip(window.from).take(window.count);
    let entries: Vec<Value> = page
        .map(|item| {
            let resource = write(item);
            let text = |name: &str| resource[name].as_str().unwrap_or_default().to_owned();
            let url = format!("{}/{}/{}", address.base, text("resourceType"), text("id"));
            json!({ "fullUrl": url, "resource": resource, "search": { "mode": "match" } })
        })
        .collect();
    let mut links = vec![json!({ "relation": "self", "url": address.url() })];
    let end = window.from.saturating_add(window.count);
    let next =
        (window.count > 0 && end < found.len()).then(|| address.with("cursor", &end.to_string()).url());
    if let Some(next) = &next {
        links.push(json!({ "relation": "next", "url": next }));
    }
    let mut bundle =
        json!({ "resourceType": "Bundle", "type": "searchset", "total": found.len(), "link": links });
    // FHIR has no empty arrays.
    if !entries.is_empty() {
        bundle["entry"] = json!(entries);
    }
    (bundle, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(query: &[&str]) -> Address {
        Address {
            base: "http://h/fhir".to_owned(),
            path: "/Measure".to_owned(),
            query: query.iter().map(|q| (*q).to_owned()).collect(),
        }
    }

    fn written(n: &i32) -> Value {
        json!({ "resourceType": "Measure", "id": n.to_string() })
    }

    #[test]
    fn pages_follow_each_other_to_the_end() {
        let found = [1, 2, 3, 4, 5];
        let asked = address(&["status=active", "_count=2"]);
        let window = |cursor| Window::read(Some(2), cursor).expect("a window");
        let (first, next) = searchset(&asked, window(None), &found, written);
        assert_eq!(
            (first["total"].as_i64(), first["entry"].as_array().map(Vec::len)),
            (Some(5), Some(2))
        );
        assert_eq!(first["entry"][1]["fullUrl"], "http://h/fhir/Measure/2");
        assert_eq!(
            next.as_deref(),
            Some("http://h/fhir/Measure?status=active&_count=2&cursor=2")
        );
        let (last, next) = searchset(&asked.with("cursor", "4"), window(Some("4")), &found, written);
        assert_eq!(last["entry"].as_array().map(Vec::len), Some(1));
        assert_eq!(next, None);
        let (beyond, _) = searchset(&asked, window(Some("99")), &found, written);
        assert!(beyond.get("entry").is_none());
    }

    #[test]
    fn a_page_that_cannot_be_is_refused() {
        assert!(Window::read(Some(101), None).is_err());
        assert!(Window::read(None, Some("-1")).is_err());
        assert!(Window::read(Some(0), None).is_ok());
    }
}
