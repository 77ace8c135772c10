//! Name lookup for HTTP clients: a host's addresses are kept for a while.
//!
//! The client looks a name up for every request, though it has a connection already, and with a time limit it starts a thread for
//! that. An address that is one needs neither.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// Time for which a name's addresses are believed.
const KEPT: Duration = Duration::from_secs(30);

/// Addresses of the hosts that were asked for.
#[derive(Debug, Default)]
pub struct NameLookup {
    inner: DefaultResolver,
    known: Mutex<HashMap<String, (Instant, Vec<SocketAddr>)>>,
}

impl NameLookup {
    fn known(&self, place: &str) -> Option<Vec<SocketAddr>> {
        if let Ok(address) = place.parse() {
            return Some(vec![address]);
        }
        let known = self.known.lock();
        known.get(place).filter(|(at, _)| at.elapsed() < KEPT).map(|(_, addresses)| addresses.clone())
    }
}

impl Resolver for NameLookup {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let place = uri.scheme().zip(uri.authority());
        let place = place.and_then(|(scheme, authority)| DefaultResolver::host_and_port(scheme, authority));
        let Some(place) = place else { return self.inner.resolve(uri, config, timeout) };
        if let Some(addresses) = self.known(&place) {
            let mut resolved = self.empty();
            addresses.into_iter().for_each(|address| resolved.push(address));
            return Ok(resolved);
        }
        let resolved = self.inner.resolve(uri, config, timeout)?;
        self.known.lock().insert(place, (Instant::now(), resolved.iter().copied().collect()));
        Ok(resolved)
    }
}

#[cfg(test)]
mod tests {
    use ureq::Agent;
    use ureq::Timeout;

    use super::*;

    fn look(lookup: &NameLookup, uri: &str) -> Result<Vec<SocketAddr>, Error> {
        let timeout = NextTimeout {
            after: Duration::from_secs(20).into(),
            reason: Timeout::Resolve,
            ..NextTimeout::default()
        };
        let config = Agent::config_builder().build();
        let resolved = lookup.resolve(&uri.parse().unwrap(), &config, timeout)?;
        Ok(resolved.iter().copied().collect())
    }

    #[test]
    fn an_address_needs_no_lookup_and_a_name_only_one_in_a_while() {
        let lookup = NameLookup::default();
        assert_eq!(look(&lookup, "http://127.0.0.1:81/v1").unwrap(), ["127.0.0.1:81".parse().unwrap()]);
        assert_eq!(look(&lookup, "https://[::1]/v1").unwrap(), ["[::1]:443".parse().unwrap()]);
        assert!(lookup.known.lock().is_empty());
        let first = look(&lookup, "http://localhost:82/").unwrap();
        assert!(!first.is_empty() && first.iter().all(|address| address.port() == 82));
        let kept = vec!["127.0.0.9:82".parse().unwrap()];
        lookup.known.lock().insert("localhost:82".into(), (Instant::now(), kept.clone()));
        assert_eq!(look(&lookup, "http://localhost:82/").unwrap(), kept);
        let old = Instant::now().checked_sub(KEPT).unwrap();
        lookup.known.lock().insert("localhost:82".into(), (old, kept));
        assert_eq!(look(&lookup, "http://localhost:82/").unwrap(), first);
        assert!(look(&lookup, "http://no.such.host.invalid/").is_err());
    }
}
