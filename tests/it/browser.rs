//! A person's browser: a session of a role, its pages and its forms.

use registry_core::access::Role;
use support::client::{Answer, Client};
use support::service::Service;

use crate::session::{FORM, signed_in_as, token};

pub(crate) const HTML: (&str, &str) = ("accept", "text/html");

/// A browser with a session of its own.
pub(crate) struct Browser<'a> {
    pub(crate) service: &'a Service,
    client: Client,
    cookie: String,
}

impl<'a> Browser<'a> {
    pub(crate) fn of(service: &'a Service, role: Role, centre: Option<&str>) -> Self {
        Self {
            cookie: signed_in_as(service, role, centre),
            client: service.anonymous(),
            service,
        }
    }

    pub(crate) fn page(&self, path: &str) -> Answer {
        self.client.get_with(path, &[HTML, ("cookie", &self.cookie)])
    }

    pub(crate) fn text(&self, path: &str) -> String {
        self.page(path).expect(200).text()
    }

    /// The token of the session's forms.
    pub(crate) fn csrf(&self) -> String {
        token(self.service, &self.cookie, "/schema")
    }

    /// A form with the session's token.
    pub(crate) fn send(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send_with(path, fields, &self.csrf())
    }

    pub(crate) fn send_with(&self, path: &str, fields: &[(&str, &str)], csrf: &str) -> Answer {
        let mut all = fields.to_vec();
        all.push(("csrf", csrf));
        let body = serde_urlencoded::to_string(&all).expect("a form");
        self.send_body(path, FORM, body.as_bytes(), "same-origin")
    }

    /// A body of a media type, sent by a page of `site`.
    pub(crate) fn send_body(&self, path: &str, media_type: (&str, &str), body: &[u8], site: &str) -> Answer {
        let cookie = ("cookie", self.cookie.as_str());
        let headers = [HTML, media_type, cookie, ("sec-fetch-site", site)];
        self.client.send("POST", path, &headers, Some(body))
    }

    /// A form sent by something that wants no page.
    pub(crate) fn send_plain(&self, path: &str, body: &[u8]) -> Answer {
        let cookie = ("cookie", self.cookie.as_str());
        let headers = [FORM, cookie, ("sec-fetch-site", "same-origin")];
        self.client.send("POST", path, &headers, Some(body))
    }

    /// A form that is refused: the page says what is wrong, and what was typed in its field alone.
    pub(crate) fn refused(&self, path: &str, fields: &[(&str, &str)], status: u16, says: &str) {
        let text = self.send(path, fields).expect(status).text();
        assert!(
            text.to_lowercase().contains(&says.to_lowercase()),
            "{path}: {text}"
        );
        let mut parts = text.split("value=\"");
        let before = parts.next().unwrap_or_default();
        let between = parts
            .filter_map(|part| part.split_once('"'))
            .map(|(_, rest)| rest);
        let elsewhere = before.to_owned() + &between.collect::<String>();
        assert!(!elsewhere.contains("canary"), "{path}: {text}");
    }
}
