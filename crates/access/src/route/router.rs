//! From a method and a path to the one route.
//!
//! A tree of segments. A literal segment goes before a name, and a name before the rest; where a literal leads nowhere
//! the search goes back. So which route a path has does not depend on the order of the table.

use std::collections::BTreeSet;

use http::Method;

use super::path::{Part, is_plain, parts};
use super::{Access, Metering, Public, Route, Verbs};
use crate::refusal::{Reason, Refusal};

/// Built once from the table.
#[derive(Debug)]
pub struct Router {
    nodes: Vec<Node>,
    routes: Vec<Route>,
    /// First segments that belong to the gateway's own API: below `/v1/` and `/v2/`, and where there is no version.
    reserved: BTreeSet<&'static str>,
    roots: BTreeSet<&'static str>,
}

#[derive(Debug, Default)]
struct Node {
    /// Sorted by text.
    literals: Vec<(&'static str, usize)>,
    one: Option<usize>,
    /// Routes that end here, and routes that take the rest.
    ends: Vec<(Verbs, usize)>,
    rest: Vec<(Verbs, usize)>,
}

/// What a request came to.
#[derive(Debug, Clone, Copy)]
pub struct Found<'r, 'p> {
    pub route: &'r Route,
    /// The segments that stand for names, in order, as they were sent (percent escapes and all).
    pub names: [&'p str; NAMES],
}

/// The most names in one template.
pub const NAMES: usize = 4;

/// A table that would not do what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableError {
    /// Not readable as a template.
    Template(&'static str),
    /// Two routes for the same requests.
    Twice(&'static str, &'static str),
}

impl Router {
    /// # Errors
    /// A template that is none, and two routes of which neither is the more exact one.
    pub fn new(table: impl IntoIterator<Item = Route>) -> Result<Self, TableError> {
        let mut router = Self {
            nodes: vec![Node::default()],
            routes: Vec::new(),
            reserved: BTreeSet::new(),
            roots: BTreeSet::new(),
        };
        for route in table {
            router.add(route)?;
        }
        Ok(router)
    }

    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// `path` is the path of the request target as it was sent, without the query. `Host` has no say.
    ///
    /// # Errors
    /// 404 when there is no route; 400 for a path that others would read differently.
    pub fn find<'p>(&self, method: &Method, path: &'p str) -> Result<Found<'_, 'p>, Refusal> {
        if !is_plain(path) {
            return Err(Refusal::new(Reason::BadPath));
        }
        let mut names = [""; NAMES];
        let rest = Some(&path[1..]).filter(|rest| !rest.is_empty());
        self.search(0, rest, Verbs::of(method), &mut names, 0)
            .filter(|(_, is_rest)| !is_rest || !self.is_reserved(path))
            .map(|(at, _)| Found { route: &self.routes[at], names })
            .ok_or_else(|| Refusal::new(Reason::NotFound))
    }

    /// The index of the route, and whether it took the rest of the path.
    fn search<'p>(
        &self,
        node: usize,
        rest: Option<&'p str>,
        verb: Verbs,
        names: &mut [&'p str; NAMES],
        named: usize,
    ) -> Option<(usize, bool)> {
        let node = &self.nodes[node];
        let of =
            |list: &[(Verbs, usize)]| list.iter().find(|(verbs, _)| verbs.overlaps(verb)).map(|(_, at)| *at);
        let Some(rest) = rest else {
            return of(&node.ends).map(|at| (at, false));
        };
        let (segment, after) = match rest.split_once('/') {
            Some((segment, after)) => (segment, Some(after)),
            None => (rest, None),
        };
        if let Ok(at) = node.literals.binary_search_by_key(&segment, |(literal, _)| literal)
            && let Some(found) = self.search(node.literals[at].1, after, verb, names, named)
        {
            return Some(found);
        }
        if let Some(one) = node.one.filter(|_| !segment.is_empty())
            && let Some(found) = self.search(one, after, verb, names, named + 1)
        {
            names[named] = segment;
            return Some(found);
        }
        let found = of(&node.rest).filter(|_| !rest.is_empty())?;
        names[named] = rest;
        Some((found, true))
    }

    /// The gateway's own API is never passed on to a provider, a mistyped path of it included: its bodies hold keys.
    /// Of a path that is badly formed this says whose words the refusal is in.
    pub fn is_reserved(&self, path: &str) -> bool {
        let mut segments = path.split('/').skip(1);
        match (segments.next(), segments.next()) {
            (Some("v1" | "v2"), Some(first)) => self.reserved.contains(first) || first.contains('%'),
            (Some(first), _) => self.roots.contains(first),
            (None, _) => false,
        }
    }

    fn add(&mut self, route: Route) -> Result<(), TableError> {
        let parts = parts(route.template)?;
        if parts.iter().filter(|part| !matches!(part, Part::Literal(_))).count() > NAMES {
            return Err(TableError::Template(route.template));
        }
        if matches!(route.metering, Metering::Control | Metering::ByAddress) {
            match *parts {
                [Part::Literal("v1"), Part::Literal(first), ..] => {
                    self.reserved.insert(first);
                }
                // Not what says how the process does: that is no API.
                [Part::Literal(first), ..]
                    if matches!(route.access, Access::Public(Public::Catalogue | Public::SignIn)) =>
                {
                    self.roots.insert(first);
                }
                _ => {}
            }
        }
        let index = self.routes.len();
        let mut node = 0;
        let mut is_rest = false;
        for part in parts {
            match part {
                Part::Literal(literal) => node = self.literal(node, literal),
                Part::One => node = self.one(node),
                Part::Rest => is_rest = true,
            }
        }
        let node = &mut self.nodes[node];
        let list = if is_rest { &mut node.rest } else { &mut node.ends };
        if let Some((_, other)) = list.iter().find(|(verbs, _)| verbs.overlaps(route.verbs)) {
            return Err(TableError::Twice(self.routes[*other].template, route.template));
        }
        list.push((route.verbs, index));
        self.routes.push(route);
        Ok(())
    }

    fn literal(&mut self, node: usize, literal: &'static str) -> usize {
        let new = self.nodes.len();
        let literals = &mut self.nodes[node].literals;
        match literals.binary_search_by_key(&literal, |(text, _)| text) {
            Ok(at) => literals[at].1,
            Err(at) => {
                literals.insert(at, (literal, new));
                self.nodes.push(Node::default());
                new
            }
        }
    }

    fn one(&mut self, node: usize) -> usize {
        let new = self.nodes.len();
        match self.nodes[node].one {
            Some(one) => one,
            None => {
                self.nodes[node].one = Some(new);
                self.nodes.push(Node::default());
                new
            }
        }
    }
}
