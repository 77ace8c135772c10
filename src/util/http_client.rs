//! HTTP client: its time limit, the authorities that it trusts, and the pause that an answer asks for.

use std::time::{Duration, SystemTime};

use anyhow::{Context, ensure};
use ureq::Agent;
use ureq::http::{HeaderMap, header};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::unversioned::transport::DefaultConnector;

use crate::util::name_lookup::NameLookup;

/// The environment variable that names a file of certificates (PEM) to trust instead of the well-known ones.
const AUTHORITIES: &str = "SSL_CERT_FILE";

/// Connections that are kept open for the next request.
const KEPT: usize = 64;

/// A client that gives up after `patience`, follows no redirect and takes every status for an answer.
///
/// # Errors
/// `SSL_CERT_FILE` names a file that can't be read or holds no certificate.
pub fn agent(patience: Duration) -> anyhow::Result<Agent> {
    let mut config = Agent::config_builder()
        .timeout_global(Some(patience))
        .http_status_as_error(false)
        // A redirected POST would arrive as a GET, and the key must not go elsewhere.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .max_idle_connections(KEPT)
        .max_idle_connections_per_host(KEPT)
        .user_agent(concat!("agentmill/", env!("CARGO_PKG_VERSION")));
    if let Some(authorities) = authorities()? {
        config = config.tls_config(TlsConfig::builder().root_certs(authorities).build());
    }
    Ok(Agent::with_parts(config.build(), DefaultConnector::default(), NameLookup::default()))
}

fn authorities() -> anyhow::Result<Option<RootCerts>> {
    let Some(file) = std::env::var_os(AUTHORITIES).filter(|file| !file.is_empty()) else { return Ok(None) };
    let shown = file.display();
    let pem = std::fs::read(&file).with_context(|| format!("{AUTHORITIES}: can't read {shown}"))?;
    let certificates: Vec<Certificate<'static>> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    ensure!(!certificates.is_empty(), "{AUTHORITIES}: {shown} holds no certificate in PEM's form");
    Ok(Some(RootCerts::new_with_certs(&certificates)))
}

/// A failure in words that say what to do, where that is known.
pub fn said(error: &ureq::Error) -> String {
    let words = error.to_string();
    match words.contains("InvalidContentType") {
        true => "it does not speak TLS; try http://".to_owned(),
        false => words.strip_prefix("io: ").unwrap_or(&words).to_owned(),
    }
}

/// An answer as a person reads it: of a web page, which is for browsers, its title.
pub fn plain(body: &str) -> String {
    let lower = body.trim_start().to_ascii_lowercase();
    if !["<!doctype html", "<html"].iter().any(|begin| lower.starts_with(begin)) {
        return body.to_owned();
    }
    let title = body
        .trim_start()
        .get(lower.find("<title>").map_or(0, |at| at + 7)..lower.find("</title>").unwrap_or(0));
    match title.map(str::trim) {
        None | Some("") => "a web page".to_owned(),
        Some(title) => format!("a web page, {title}"),
    }
}

/// The pause that an answer asks for, in seconds or as a date.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = jiff::fmt::rfc2822::parse(value).ok()?;
    let date = SystemTime::try_from(date.timestamp()).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(value: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(header::RETRY_AFTER, value.parse().unwrap());
        retry_after(&headers)
    }

    #[test]
    fn a_server_without_tls_is_told_as_one() {
        let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}/", server.local_addr().unwrap());
        let answering = std::thread::spawn(move || {
            use std::io::{Read, Write};
            let (mut stream, _) = server.accept().unwrap();
            let _ = stream.read(&mut [0; 64]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        });
        let error = agent(Duration::from_secs(20)).unwrap().get(&url).call().unwrap_err();
        assert_eq!(said(&error), "it does not speak TLS; try http://", "{error}");
        answering.join().unwrap();
    }

    #[test]
    fn of_a_web_page_the_title_is_told() {
        let page =
            "\n<!DOCTYPE HTML>\n<html lang=en><head><TITLE>Error response\n</TITLE></head><body>É</body>";
        assert_eq!(plain(page), "a web page, Error response");
        for page in ["<html>", "<HTML></title><title>", "<html><title></title>"] {
            assert_eq!(plain(page), "a web page", "{page}");
        }
        for text in ["", "<b>no</b>", "{}", "no such page: <html>"] {
            assert_eq!(plain(text), text);
        }
    }

    #[test]
    fn retry_after_in_both_forms() {
        assert_eq!(after("7"), Some(Duration::from_secs(7)));
        assert_eq!(after("0.5"), Some(Duration::from_millis(500)));
        assert_eq!(after("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        assert!(after("Mon, 21 Oct 2199 07:28:00 GMT").unwrap() > Duration::from_secs(1 << 31));
        for wrong in ["", "soon", "-1", "NaN", "1e300"] {
            assert_eq!(after(wrong), None, "{wrong}");
        }
    }
}
