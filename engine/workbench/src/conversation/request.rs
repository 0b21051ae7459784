//! A request to a back end as conversations write it: `GET /slots?day=5`.

/// In a path, stands for anything.
const ANYTHING: char = '…';

/// Path and query of a whole address.
pub(crate) fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or("/", |at| &rest[at..])
}

/// Whether the address is that: the whole of it, or its path and query; `…` stands for anything.
pub(crate) fn is_path(expected: &str, url: &str) -> bool {
    let found = if expected.starts_with("http") { url } else { path_of(url) };
    let mut parts = expected.split(ANYTHING);
    let Some(mut rest) = parts.next().and_then(|first| found.strip_prefix(first)) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_compared_whole_or_by_its_path() {
        let url = "https://mfc.example:8443/slots?day=5&place=12";
        for (expected, fits) in [
            ("/slots?day=5&place=12", true),
            ("/slots?…", true),
            ("/slots…", true),
            ("/slots?…place=12", true),
            ("/slots…day=…place=…", true),
            ("…day=5…", true),
            ("https://mfc.example:8443/slots?day=5&place=12", true),
            ("https://mfc.example…", true),
            ("/slots", false),
            ("/slots?…place=1", false),
            ("/slots…day=6…", false),
            ("/slot…x", false),
        ] {
            assert_eq!(is_path(expected, url), fits, "{expected}");
        }
        assert!(is_path("/", "https://mfc.example"));
    }

    #[test]
    fn a_path_has_its_query() {
        assert_eq!(path_of("https://mfc.example/slots?day=5"), "/slots?day=5");
        assert_eq!(path_of("https://mfc.example/go?to=https://other.example/"), "/go?to=https://other.example/");
        assert_eq!((path_of("https://mfc.example"), path_of("")), ("/", "/"));
    }
}
