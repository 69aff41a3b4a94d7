//! Hosts that are reached without the proxy.

use sansocket::{Proxies, Proxy};

use crate::support::rows;

#[test]
fn exceptions_of_the_table() {
    let proxy: Proxy = "http://proxy.example".parse().unwrap();
    let mut count = 0;
    for row in rows(include_str!("data/no_proxy.txt")) {
        let [list, url, expected] = row[..] else { panic!("{row:?}") };
        count += 1;
        let url = url.parse().unwrap();
        let is_direct = |proxies: &Proxies| proxies.for_url(&url).is_none();
        let given = Proxies::from(proxy.clone()).except(list);
        assert_eq!(is_direct(&given), expected == "direct", "{row:?}");
        // The same from the environment.
        let from_env = Proxies::from_env(|name| match name {
            "HTTPS_PROXY" => Some("proxy.example".into()),
            "NO_PROXY" => Some(list.into()),
            _ => None,
        });
        assert_eq!(is_direct(&from_env.unwrap()), expected == "direct", "{row:?} by the environment");
    }
    assert!(count > 60, "{count}");
}

#[test]
fn lists_add_up() {
    let proxies =
        Proxies::from("http://proxy.example".parse::<Proxy>().unwrap()).except("a.com").except("b.com");
    for (url, direct) in [("ws://a.com/", true), ("ws://b.com/", true), ("ws://c.com/", false)] {
        assert_eq!(proxies.for_url(&url.parse().unwrap()).is_none(), direct, "{url}");
    }
}
