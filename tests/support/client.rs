//! A blocking HTTP client of one role. Every status is an answer, none is an error.

use serde_json::Value;

use crate::shapes;

/// One caller: a base address and, unless anonymous, an API key.
#[derive(Clone)]
pub struct Client {
    base: String,
    key: Option<String>,
    agent: ureq::Agent,
}

/// What the service answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Header names in lower case with their values, in order.
    pub headers: Vec<(String, String)>,
    /// The body as received.
    pub body: Vec<u8>,
}

impl Answer {
    /// The first header of that (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    }

    /// The body as JSON; panics with the body's beginning when it is not.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("not JSON ({e}): status {} {}", self.status, self.text()))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The `code` of a problem.
    pub fn code(&self) -> String {
        self.json()
            .get("code")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    }

    /// Asserts the status, showing the body when it differs.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }
}

impl Client {
    /// A caller at `base` (`http://127.0.0.1:port`) with `key`, or anonymous.
    pub fn new(base: &str, key: Option<&str>) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .build()
            .into();
        Self {
            base: base.trim_end_matches('/').to_owned(),
            key: key.map(str::to_owned),
            agent,
        }
    }

    /// The same caller at another address.
    pub fn at(&self, base: &str) -> Self {
        Self::new(base, self.key.as_deref())
    }

    /// `GET path`.
    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], None)
    }

    /// `GET path` with headers.
    pub fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send("GET", path, headers, None)
    }

    /// `PUT path` of a JSON document with headers.
    pub fn put(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        self.send(
            "PUT",
            path,
            &with_json(headers),
            Some(body.to_string().as_bytes()),
        )
    }

    /// `PATCH path` with a merge patch and headers.
    pub fn patch(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let mut all = vec![("content-type", "application/merge-patch+json")];
        all.extend_from_slice(headers);
        self.send("PATCH", path, &all, Some(body.to_string().as_bytes()))
    }

    /// `POST path` of a JSON document with headers.
    pub fn post(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        self.send(
            "POST",
            path,
            &with_json(headers),
            Some(body.to_string().as_bytes()),
        )
    }

    /// Any request with any bytes. A JSON answer is held against the OpenAPI document.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Answer {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base));
        if let Some(key) = &self.key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let outcome = match body {
            Some(bytes) => self.agent.run(
                request
                    .body(bytes.to_vec())
                    .unwrap_or_else(|e| panic!("{method} {path}: {e}")),
            ),
            None => self.agent.run(
                request
                    .body(())
                    .unwrap_or_else(|e| panic!("{method} {path}: {e}")),
            ),
        };
        let mut response = outcome.unwrap_or_else(|e| panic!("{method} {path}: {e}"));
        let headers = response
            .headers()
            .iter()
            .map(|(n, v)| (n.as_str().to_owned(), v.to_str().unwrap_or_default().to_owned()))
            .collect();
        let status = response.status().as_u16();
        let body = response
            .body_mut()
            .with_config()
            .limit(256 << 20)
            .read_to_vec()
            .unwrap_or_else(|e| panic!("{method} {path}: {e}"));
        let answer = Answer {
            status,
            headers,
            body,
        };
        shapes::hold(method, path, &answer);
        answer
    }
}

fn with_json<'a>(headers: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut all = Vec::from(headers);
    if !headers
        .iter()
        .any(|(n, _)| n.eq_ignore_ascii_case("content-type"))
    {
        all.push(("content-type", "application/json"));
    }
    all
}
