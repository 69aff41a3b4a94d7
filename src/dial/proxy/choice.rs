//! Which proxy is asked for which server, and what the environment says about it.

use alloc::string::String;

use thiserror::Error;

use crate::dial::proxy::address::{InvalidProxy, Proxy};
use crate::dial::proxy::no_proxy;
use crate::url::Url;

/// Proxies for `ws` and `wss`, and the hosts that are reached without. The default is none for all.
///
/// Asked again for each URL that a redirect leads to.
///
/// ```
/// use sansocket::{Proxies, Proxy};
///
/// let proxies = Proxies::from("http://proxy.example:3128".parse::<Proxy>()?).except("localhost, .internal, 10.0.0.0/8");
/// let asked = |url: &str| proxies.for_url(&url.parse().unwrap()).is_some();
/// assert!(asked("wss://example.com/"));
/// assert!(!asked("ws://db.internal:8080/"));
/// assert!(!asked("ws://10.7.0.1/"));
/// # Ok::<(), sansocket::InvalidProxy>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Proxies {
    ws: Option<Proxy>,
    wss: Option<Proxy>,
    /// As `NO_PROXY` writes it.
    except: String,
}

impl Proxies {
    /// What the environment says, as `lookup` tells: the value of a variable, if it is set. `|name| std::env::var(name).ok()` is
    /// one.
    ///
    /// - For `wss`: `HTTPS_PROXY`, or else `ALL_PROXY`.
    /// - For `ws`: `HTTPS_PROXY`, or else `HTTP_PROXY`, or else `ALL_PROXY`. This order is that of [RFC 6455 section 4.1]: a
    ///   WebSocket goes through a proxy as HTTPS does, by CONNECT. `HTTP_PROXY` is not looked at where `REQUEST_METHOD` is
    ///   set: there this is a CGI program, and a field `Proxy` of a request would be in it.
    /// - The hosts in `NO_PROXY` are reached without a proxy, see [`except`](Self::except).
    ///
    /// Each is looked for in lower case, and then in upper case. Empty is the same as not set.
    ///
    /// # Errors
    ///
    /// A value that is not a proxy which can be used, with the name of its variable.
    ///
    /// [RFC 6455 section 4.1]: https://www.rfc-editor.org/rfc/rfc6455#section-4.1
    pub fn from_env(
        mut lookup: impl FnMut(&'static str) -> Option<String>,
    ) -> Result<Self, InvalidProxyVariable> {
        let is_cgi = lookup("REQUEST_METHOD").is_some();
        let mut value = |names: &[&'static str]| {
            let mut set = names.iter().filter_map(|&name| Some((name, lookup(name)?)));
            set.find(|(_, value)| !value.is_empty())
        };
        let https = parse(value(&["https_proxy", "HTTPS_PROXY"]))?;
        // The name in lower case is none that a server makes of a request's field.
        let http_names = if is_cgi { &["http_proxy"][..] } else { &["http_proxy", "HTTP_PROXY"] };
        let http = parse(value(http_names))?;
        let all = parse(value(&["all_proxy", "ALL_PROXY"]))?;
        let except = value(&["no_proxy", "NO_PROXY"]).map(|(_, value)| value).unwrap_or_default();
        let ws = https.clone().or(http).or_else(|| all.clone());
        Ok(Self { ws, wss: https.or(all), except })
    }

    /// The same proxies, but for the hosts in `list`: what is there of a list already is kept.
    ///
    /// Names, addresses or networks, with commas or spaces between them, as curl and others read `NO_PROXY`:
    ///
    /// - `example.com`, `.example.com` and `*.example.com` are that host and all below it.
    /// - `192.0.2.1`, `2001:db8::1` or `[2001:db8::1]` is that address, `192.0.2.0/24` all in a network. Names are not resolved
    ///   for that.
    /// - `example.com:8080` holds for this port only.
    /// - `*` is every host.
    ///
    /// What is none of these matches nothing.
    #[must_use]
    pub fn except(mut self, list: &str) -> Self {
        self.except.push(',');
        self.except.push_str(list);
        self
    }

    /// The proxy to ask for `url`.
    #[must_use]
    pub fn for_url(&self, url: &Url) -> Option<&Proxy> {
        let proxy = if url.is_secure() { &self.wss } else { &self.ws };
        proxy.as_ref().filter(|_| !no_proxy::matches(&self.except, url.host(), url.ip(), url.port()))
    }
}

impl From<Proxy> for Proxies {
    /// This proxy for every host.
    fn from(proxy: Proxy) -> Self {
        Self { ws: Some(proxy.clone()), wss: Some(proxy), except: String::new() }
    }
}

fn parse(variable: Option<(&'static str, String)>) -> Result<Option<Proxy>, InvalidProxyVariable> {
    let Some((name, value)) = variable else { return Ok(None) };
    value.parse().map(Some).map_err(|error| InvalidProxyVariable { name, error })
}

/// An environment variable whose value is not a proxy that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the environment variable {name}: {error}")]
pub struct InvalidProxyVariable {
    /// The name of the variable.
    pub name: &'static str,
    /// What is wrong with its value.
    #[source]
    pub error: InvalidProxy,
}
