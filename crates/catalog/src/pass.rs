//! Pass-through addresses: the client's own path on the provider's base.
//!
//! The path is what follows the gateway's first `/v1/proxy`, else its first `/v1`. Paths that Portkey's users write
//! against a shorter base (`/v1/proxy/v1beta/models/…` for Gemini) work, as do those written against the row's base:
//! what the base already ends with is not doubled. The body and the headers are not looked at.

use crate::provider::Provider;
use crate::template::{Lookup, has_dot_segment};
use crate::url::{Base, Given, Options, UrlError};

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
        if has_dot_segment(path) {
            return Err(UrlError::BadPath);
        }
        let given = Given::new(self, base, options);
        if let (Given::Nothing, true) = (given, self.names_own_host(path)) {
            return Ok(with_query(format!("https:/{path}"), query));
        }
        let mut lookup = Lookup::new(self, "", options);
        let version = self.version(&lookup, given == Given::Nothing);
        let base = match given.url() {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => self.own_pass_base(path, &mut lookup)?,
        };
        lookup.finish()?;
        let base = if version.is_v1() { base + "/v1" } else { base };
        let base =
            if given == Given::Nothing { self.without_overlap(&base, path) } else { without_v1(&base, path) };
        let url = format!("{base}{path}");
        if self.version_param.is_none() {
            return Ok(with_query(url, query));
        }
        let mut url = url;
        self.add_query(&mut url, version, query);
        Ok(url)
    }

    /// Azure's clients write the resource's host into the path: `/name.openai.azure.com/openai/…`.
    fn names_own_host(&self, path: &str) -> bool {
        let host = path.trim_start_matches('/').split('/').next().unwrap_or("");
        let is_label = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        let names = |suffix: &str| {
            host.strip_suffix(suffix).is_some_and(|name| !name.is_empty() && name.bytes().all(is_label))
        };
        path.starts_with('/') && !path.starts_with("//") && self.pass_hosts.iter().any(|suffix| names(suffix))
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

/// `/v1/proxy/foo` and `/v1/foo` become `/foo`.
fn after_gateway_prefix(path: &str) -> &str {
    path.strip_prefix("/v1/proxy").or_else(|| path.strip_prefix("/v1")).unwrap_or(path)
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
