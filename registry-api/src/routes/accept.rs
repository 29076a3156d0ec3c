//! Which form of an answer a caller would rather have (RFC 9110, section 12.5.1).

use actix_web::HttpRequest;
use actix_web::http::header::{Accept, Header, Quality};

/// Whether a table is wanted: `text/csv` is named, and JSON, which there is wherever there is a table, not preferred to it. A range
/// (`*/*`) speaks for JSON alone; what cannot be read asks for nothing.
pub(in crate::routes) fn wants_csv(request: &HttpRequest) -> bool {
    let Ok(accept) = Accept::parse(request) else {
        return false;
    };
    let quality = |name: &str| {
        let named = accept.iter().find(|one| one.item.essence_str() == name);
        named.map(|one| one.quality)
    };
    let json = ["application/json", "application/*", "*/*"]
        .into_iter()
        .find_map(quality);
    quality("text/csv").is_some_and(|csv| csv > Quality::ZERO && json.is_none_or(|json| csv >= json))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::wants_csv;

    #[test]
    fn a_table_is_sent_to_whoever_would_rather_have_it() {
        for (accept, expected) in [
            ("text/csv", true),
            ("text/csv; charset=utf-8", true),
            ("text/csv, application/json;q=0.9", true),
            ("text/csv, */*;q=0.1", true),
            ("application/json, text/csv", true),
            ("text/csv;q=0.5, application/json;q=0.2, */*", true),
            ("text/csv;q=0.1, application/json", false),
            ("text/csv;q=0.1, application/*;q=0.2, */*;q=0", false),
            ("text/csv;q=0.5, */*", false),
            ("text/csv;q=0", false),
            ("application/json", false),
            ("text/*", false),
            ("*/*", false),
            ("text/csv;q=many", false),
        ] {
            let request = TestRequest::get()
                .insert_header(("accept", accept))
                .to_http_request();
            assert_eq!(wants_csv(&request), expected, "{accept}");
        }
        assert!(!wants_csv(&TestRequest::get().to_http_request()));
    }
}
