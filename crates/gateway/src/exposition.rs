//! The two forms in which metrics are read: OpenMetrics, for who asks for it, and Prometheus' text for everybody else.

use std::collections::HashSet;

use http::{HeaderMap, header};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    OpenMetrics,
    Text,
}

impl Form {
    pub fn wanted(headers: &HeaderMap) -> Self {
        let names = |value: &http::HeaderValue| {
            value.to_str().is_ok_and(|text| text.contains("application/openmetrics-text"))
        };
        if headers.get_all(header::ACCEPT).iter().any(names) { Self::OpenMetrics } else { Self::Text }
    }

    pub fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    /// From OpenMetrics. The older text calls a counter as its samples are called, and has neither units nor an end.
    pub fn written(self, open: String) -> String {
        if self == Self::OpenMetrics {
            return open;
        }
        let counters: HashSet<&str> =
            open.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter")).collect();
        let mut text = String::with_capacity(open.len() + 8 * counters.len());
        for line in open.lines().filter(|line| !line.starts_with("# UNIT ") && *line != "# EOF") {
            let described = line.strip_prefix("# HELP ").or_else(|| line.strip_prefix("# TYPE "));
            match described.and_then(|rest| rest.split_once(' ')) {
                Some((name, rest)) if counters.contains(name) => {
                    let keyword = line.get(..7).unwrap_or_default();
                    text.extend([keyword, name, "_total ", rest]);
                }
                _ => text.push_str(line),
            }
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn who_asks_for_openmetrics_gets_it() {
        let asking = |accept: &'static str| {
            let headers = [(header::ACCEPT, HeaderValue::from_static(accept))];
            Form::wanted(&HeaderMap::from_iter(headers))
        };
        assert_eq!(
            asking("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.3"),
            Form::OpenMetrics
        );
        assert_eq!(asking("text/plain;version=0.0.4"), Form::Text);
        assert_eq!(asking("*/*"), Form::Text);
        assert_eq!(Form::wanted(&HeaderMap::new()), Form::Text);
    }

    #[test]
    fn the_text_calls_counters_as_their_samples() {
        let open = "# HELP a Things.\n# TYPE a counter\na_total{x=\"y\"} 1\n# HELP b_seconds Time.\n\
                    # TYPE b_seconds gauge\n# UNIT b_seconds seconds\nb_seconds 2\n# EOF\n";
        let text = "# HELP a_total Things.\n# TYPE a_total counter\na_total{x=\"y\"} 1\n# HELP b_seconds Time.\n\
                    # TYPE b_seconds gauge\nb_seconds 2\n";
        assert_eq!(Form::Text.written(open.to_owned()), text);
        assert_eq!(Form::OpenMetrics.written(open.to_owned()), open);
    }
}
