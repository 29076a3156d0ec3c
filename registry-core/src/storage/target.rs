//! What a database URL means, and which ones are refused.

use std::path::PathBuf;

use super::options::OptionsError;

/// Where the database is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// A file.
    Sqlite(PathBuf),
    /// A server; the URL as given.
    Postgres(String),
}

impl Target {
    /// Reads the URL. The client compiled in by default has no TLS and is held to this machine.
    pub(crate) fn parse(url: &str) -> Result<Self, OptionsError> {
        if let Some(rest) = url.strip_prefix("sqlite:") {
            let path = rest.strip_prefix("//").unwrap_or(rest);
            if path.is_empty() || path.starts_with(':') {
                return Err(OptionsError::NoPath);
            }
            return Ok(Self::Sqlite(PathBuf::from(path)));
        }
        if let Some(rest) = url
            .strip_prefix("postgres://")
            .or_else(|| url.strip_prefix("postgresql://"))
        {
            check_hosts(rest, cfg!(feature = "postgres-tls"))?;
            return Ok(Self::Postgres(url.to_owned()));
        }
        Err(OptionsError::Scheme)
    }
}

fn check_hosts(rest: &str, tls: bool) -> Result<(), OptionsError> {
    let (before_query, query) = rest.split_once('?').unwrap_or((rest, ""));
    let authority = before_query.split('/').next().unwrap_or_default();
    let hosts = authority.rsplit('@').next().unwrap_or_default();
    let mut remote = hosts.split(',').map(without_port).any(|host| !is_local(&host));
    let mut demanded = false;
    for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        match percent_decoded(name).as_str() {
            "service" | "servicefile" => return Err(OptionsError::HiddenHost),
            "host" | "hostaddr" => {
                remote |= percent_decoded(value).split(',').any(|host| !is_local(host));
            }
            "sslmode" => demanded = matches!(value, "require" | "verify-ca" | "verify-full"),
            _ => {}
        }
    }
    match (remote, tls, demanded) {
        (false, ..) | (true, true, true) => Ok(()),
        (true, false, _) => Err(OptionsError::RemoteWithoutTls),
        (true, true, false) => Err(OptionsError::RemoteNeedsTls),
    }
}

fn without_port(host: &str) -> String {
    let host = percent_decoded(host);
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split(']').next().unwrap_or_default().to_owned();
    }
    host.split(':').next().unwrap_or_default().to_owned()
}

/// A socket folder, a loop-back name or address, or nothing (the default socket).
fn is_local(host: &str) -> bool {
    host.is_empty()
        || host.starts_with('/')
        || host.starts_with('@')
        || host == "localhost"
        || host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let coded = (bytes[i] == b'%')
            .then(|| {
                text.get(i + 1..i + 3)
                    .and_then(|h| u8::from_str_radix(h, 16).ok())
            })
            .flatten();
        match coded {
            Some(byte) => {
                out.push(byte);
                i += 3;
            }
            None => {
                out.push(bytes[i]);
                i += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlite_urls() {
        for (url, path) in [
            ("sqlite:registry.db", "registry.db"),
            ("sqlite://data/registry.db", "data/registry.db"),
            ("sqlite:///var/lib/registry.db", "/var/lib/registry.db"),
        ] {
            assert!(
                Target::parse(url) == Ok(Target::Sqlite(PathBuf::from(path))),
                "{url}"
            );
        }
        assert_eq!(Target::parse("sqlite:").err(), Some(OptionsError::NoPath));
        assert_eq!(Target::parse("sqlite::memory:").err(), Some(OptionsError::NoPath));
        assert_eq!(Target::parse("mysql://x").err(), Some(OptionsError::Scheme));
    }

    #[test]
    fn a_client_without_tls_speaks_to_this_machine_only() {
        let local = [
            "u@localhost/db",
            "u:p@127.0.0.1:5432/db",
            "u@[::1]:5432/db",
            "u@/db?host=/run/postgresql",
            "u@%2Frun%2Fpostgresql/db",
            "/db",
        ];
        for rest in local {
            assert_eq!(check_hosts(rest, false), Ok(()), "{rest}");
        }
        let remote = [
            "u@db.example.org/db",
            "u@10.0.0.7/db",
            "u@localhost,db.example.org/db",
            "u@localhost/db?host=db.example.org",
            "u@localhost/db?hostaddr=10.0.0.7",
            "u@localhost/db?h%6fst=10.0.0.7",
            "u@127.0.0.1.example.org/db",
        ];
        for rest in remote {
            assert_eq!(
                check_hosts(rest, false),
                Err(OptionsError::RemoteWithoutTls),
                "{rest}"
            );
            assert_eq!(
                check_hosts(rest, true),
                Err(OptionsError::RemoteNeedsTls),
                "{rest}"
            );
        }
        assert_eq!(
            check_hosts("u@db.example.org/db?sslmode=verify-full", true),
            Ok(())
        );
        assert_eq!(
            check_hosts("u@db.example.org/db?sslmode=prefer", true),
            Err(OptionsError::RemoteNeedsTls)
        );
        assert_eq!(
            check_hosts("localhost/db?service=x", true),
            Err(OptionsError::HiddenHost)
        );
    }
}
