//! Pass-through addresses: the client's own path on the provider's base.
//!
//! The path is what follows the gateway's first `/v1/proxy`, else its first `/v1`. Paths that Portkey's users write
//! against a shorter base (`/v1/proxy/v1beta/models/…` for Gemini) work, as do those written against the row's base:
//! what the base already ends with is not doubled. The body and the headers are not looked at.

use crate::call::{Base, Options, UrlError};
use crate::provider::Provider;
use crate::template::{Lookup, has_dot_segment};
use crate::url::Given;

impl Provider {
    /// Where a passed-through request goes. `path` is the client's whole path; `query` has no question mark.
    ///
    /// # Errors
    /// The base needs an option that `options` does not have, or the path climbs (`..`).
    pub fn pass_through(
        &self,
        path: &str,
        query: Option<&str>,
        base: Base<'_>,
        options: &Options<'_>,
    ) -> Result<String, UrlError> {
        let path = after_gateway_prefix(path);
        if has_dot_segment(path) || !(path.is_empty() || path.starts_with('/')) {
            return Err(UrlError::BadPath);
        }
        let given = Given::new(self, base, options);
        let mut lookup = Lookup::new(self, "", options);
        if given == Given::Nothing && self.names_host(path, lookup.option("resource")) {
            return Ok(with_query(format!("https:/{path}"), query));
        }
        let version = self.version(&lookup, given == Given::Nothing);
        let base = match given.url() {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => self.own_pass_base(path, &mut lookup)?,
        };
        lookup.finish()?;
        let base = if version.is_v1() { base + "/v1" } else { base };
        let base =
            if given == Given::Nothing { self.without_overlap(&base, path) } else { without_v1(&base, path) };
        let mut url = format!("{base}{path}");
        if self.version_param.is_none() {
            return Ok(with_query(url, query));
        }
        self.add_query(&mut url, version, query);
        Ok(url)
    }

    /// Azure's clients write the resource's host into the path: `/name.openai.azure.com/openai/…`. When the call is
    /// for a resource, another one's host is a path like any other: the key is not for it.
    fn names_host(&self, path: &str, resource: Option<&str>) -> bool {
        let Some(host) = path.strip_prefix('/').and_then(|path| path.split('/').next()) else { return false };
        let is_label = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        let is_resource = |name: &str| match resource {
            Some(resource) => name == resource,
            None => !name.is_empty() && name.bytes().all(is_label),
        };
        self.pass_hosts.iter().any(|suffix| host.strip_suffix(suffix).is_some_and(is_resource))
    }

    fn own_pass_base(&self, path: &str, lookup: &mut Lookup<'_, '_>) -> Result<String, UrlError> {
        match self.pass_bases.iter().find(|(part, _)| path.contains(part)) {
            Some((_, template)) => lookup.url(template),
            None => self.own_base(lookup),
        }
    }

    /// The base without the end that `path` repeats.
    fn without_overlap<'a>(&self, base: &'a str, path: &str) -> &'a str {
        let prefix = self.custom_host_prefix;
        if let Some(root) = base.strip_suffix(prefix).filter(|_| !prefix.is_empty())
            && path.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/'))
        {
            return root;
        }
        let first = path.trim_start_matches('/').split('/').next().unwrap_or("");
        match base.rsplit_once('/') {
            Some((root, last)) if is_version(last) && is_version(first) => root,
            _ => base,
        }
    }
}

/// `/v1/proxy/foo` and `/v1/foo` become `/foo`. Whole segments only: `/v1/proxy.test` is a path of its own, and must
/// not become the end of the base's host.
fn after_gateway_prefix(path: &str) -> &str {
    let after =
        |prefix| path.strip_prefix(prefix).filter(|rest: &&str| rest.is_empty() || rest.starts_with('/'));
    after("/v1/proxy").or_else(|| after("/v1")).unwrap_or(path)
}

/// A custom host is taken as it is, but for the doubled `/v1/v1/` that clients of Anthropic cause.
fn without_v1<'a>(base: &'a str, path: &str) -> &'a str {
    base.strip_suffix("/v1").filter(|_| path.starts_with("/v1/")).unwrap_or(base)
}

/// `v1`, `v1beta`, `v2`: the segment in which APIs name their version.
fn is_version(segment: &str) -> bool {
    let Some(rest) = segment.strip_prefix('v') else { return false };
    rest.starts_with(|c: char| c.is_ascii_digit()) && rest.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn with_query(mut url: String, query: Option<&str>) -> String {
    if let Some(query) = query.filter(|query| !query.is_empty()) {
        url.push('?');
        url.push_str(query);
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog;

    fn url(
        provider: &str,
        path: &str,
        query: Option<&str>,
        base: Base<'_>,
        options: &[(&str, &str)],
    ) -> String {
        let lookup = |name: &str| options.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
        catalog()
            .get(provider)
            .unwrap()
            .pass_through(path, query, base, &lookup)
            .unwrap_or_else(|e| e.to_string())
    }

    #[test]
    fn own_bases() {
        let cases = [
            ("openai", "/v1/foo/bar", "https://api.openai.com/v1/foo/bar"),
            ("openai", "/v1/proxy/foo", "https://api.openai.com/v1/foo"),
            ("openai", "/v1/v1/foo", "https://api.openai.com/v1/foo"),
            ("anthropic", "/v1/v1/messages", "https://api.anthropic.com/v1/messages"),
            ("anthropic", "/v1/messages/batches", "https://api.anthropic.com/v1/messages/batches"),
            ("together-ai", "/v1/proxy/v1/chat/completions", "https://api.together.xyz/v1/chat/completions"),
            ("together-ai", "/v1/rerank", "https://api.together.xyz/v1/rerank"),
            ("google", "/v1/proxy/v1beta/files", "https://generativelanguage.googleapis.com/v1beta/files"),
            ("google", "/v1/proxy/v1alpha/files", "https://generativelanguage.googleapis.com/v1alpha/files"),
            ("google", "/v1/files", "https://generativelanguage.googleapis.com/v1beta/files"),
            ("cohere", "/v1/proxy/v1/tokenize", "https://api.cohere.com/v1/tokenize"),
            ("lepton", "/v1/proxy/api/v1/models", "https://api.lepton.ai/api/v1/models"),
            ("meshy", "/v1/image-to-3d", "https://api.meshy.ai/openapi/v1/image-to-3d"),
            ("meshy", "/v1/text-to-3d/42", "https://api.meshy.ai/openapi/v2/text-to-3d/42"),
            ("cohere", "/v1/proxy.evil.test/x", "https://api.cohere.com/proxy.evil.test/x"),
            ("cohere", "/v1.evil.test/x", "https://api.cohere.com/v1.evil.test/x"),
            ("cohere", ".evil.test/x", "the path must begin with a slash and may not have `.` or `..` in it"),
            ("openai", "/v1", "https://api.openai.com/v1"),
            ("openai", "/v1/../admin", "the path must begin with a slash and may not have `.` or `..` in it"),
            ("milvus", "/v1/x", "milvus needs custom_host"),
        ];
        for (provider, path, expected) in cases {
            assert_eq!(url(provider, path, None, Base::Own, &[]), expected, "{provider} {path}");
        }
    }

    #[test]
    fn custom_hosts_are_taken_as_they_are() {
        let host = Base::CustomHost("http://u/");
        assert_eq!(url("openai", "/v1/foo/bar", Some("x=1"), host, &[]), "http://u/foo/bar?x=1");
        assert_eq!(url("google", "/v1/proxy/v1beta/x", None, host, &[]), "http://u/v1beta/x");
        assert_eq!(url("anthropic", "/v1/v1/x", None, Base::CustomHost("http://u/v1"), &[]), "http://u/v1/x");
    }

    #[test]
    fn azure() {
        let own: &[(&str, &str)] = &[("resource_name", "r"), ("api_version", "2024-02-01")];
        let v1: &[(&str, &str)] = &[("resource_name", "r"), ("api_version", "v1")];
        let none: &[(&str, &str)] = &[];
        let cases = [
            ("/v1/files", None, own, "https://r.openai.azure.com/openai/files?api-version=2024-02-01"),
            (
                "/v1/files",
                Some("api-version=1"),
                own,
                "https://r.openai.azure.com/openai/files?api-version=1",
            ),
            ("/v1/files", Some("a=b"), v1, "https://r.openai.azure.com/openai/v1/files?a=b"),
            (
                "/v1/proxy/r.openai.azure.com/openai/x",
                Some("a=b"),
                own,
                "https://r.openai.azure.com/openai/x?a=b",
            ),
            (
                "/v1/proxy/n.openai.azure.com/openai/x",
                Some("a=b"),
                none,
                "https://n.openai.azure.com/openai/x?a=b",
            ),
            (
                "/v1/proxy/n.openai.azure.com/openai/x",
                None,
                v1,
                "https://r.openai.azure.com/openai/v1/n.openai.azure.com/openai/x",
            ),
            (
                "/v1/proxy/evil.test/n.openai.azure.com/x",
                None,
                own,
                "https://r.openai.azure.com/openai/evil.test/n.openai.azure.com/x?api-version=2024-02-01",
            ),
        ];
        for (path, query, options, expected) in cases {
            assert_eq!(url("azure-openai", path, query, Base::Own, options), expected, "{path}");
        }
    }
}
