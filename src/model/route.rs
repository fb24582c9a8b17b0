//! Who receives what: the map from kinds to destinations.
//!
//! Looking up is pure. Precedence: the exact kind, else the longest matching glob, else `default`; within each,
//! an entry narrowed to the event's customer (`ticket.*@ACME`) goes before one for everybody.

use std::fmt;

use crate::model::kind::canonical;
use crate::model::{DestinationId, Kind, Snowflake};

/// What an entry of the map matches.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// One kind, in its canonical form (see [`Kind::canonical`]).
    Kind(String),
    /// Kinds with `*` for any run of characters, in canonical form.
    Glob(String),
    /// Whatever nothing else matches.
    Default,
}

impl Pattern {
    /// Reads a pattern: `default`, a glob if it holds `*`, else one kind.
    #[must_use]
    pub fn new(text: &str) -> Self {
        match canonical(text) {
            text if text == "default" => Self::Default,
            text if text.contains('*') => Self::Glob(text.into_owned()),
            text => Self::Kind(text.into_owned()),
        }
    }

    /// As it is written, in canonical form.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Kind(text) | Self::Glob(text) => text,
            Self::Default => "default",
        }
    }

    /// Whether it matches a kind given in canonical form.
    #[must_use]
    pub fn matches(&self, kind: &str) -> bool {
        match self {
            Self::Kind(own) => own == kind,
            Self::Glob(glob) => glob_matches(glob, kind),
            Self::Default => true,
        }
    }

    /// How closely it names what it matches; the highest wins.
    fn closeness(&self) -> (u8, usize) {
        match self {
            Self::Kind(_) => (2, 0),
            Self::Glob(glob) => (1, glob.len()),
            Self::Default => (0, 0),
        }
    }
}

/// Whether `text` can match a kind at all.
#[must_use]
pub fn is_pattern(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.:-*".contains(&byte))
}

/// What an entry of the map is found by: a kind, a glob or `default`, and the one customer it is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The kinds it matches.
    pub pattern: Pattern,
    /// The one customer it is for, if narrowed.
    pub company: Option<String>,
}

/// Why a text is no key, as the end of a sentence about it, and what to do.
pub type NoKey = (&'static str, &'static str);

impl Key {
    /// From its parts.
    #[must_use]
    pub fn new(pattern: &str, company: Option<String>) -> Self {
        Self { pattern: Pattern::new(pattern), company }
    }

    /// Reads `KIND`, `GLOB` or `default`, with `@COMPANY` if it is for one customer only.
    ///
    /// # Errors
    /// Why it is none.
    pub fn read(text: &str) -> Result<Self, NoKey> {
        let (pattern, company) =
            text.split_once('@').map_or((text, None), |(pattern, company)| (pattern, Some(company)));
        if !is_pattern(pattern) {
            return Err((
                "is neither a kind of event, a pattern nor default",
                "Kinds are made of letters, digits and _ . : - (as ticket.created); * stands for anything.",
            ));
        }
        if company.is_some_and(|company| company.is_empty() || company.trim() != company) {
            return Err(("names no customer after its @", "Write KIND@COMPANY_ID, without spaces."));
        }
        Ok(Self::new(pattern, company.map(str::to_owned)))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.pattern.text())?;
        self.company.iter().try_for_each(|company| write!(f, "@{company}"))
    }
}

/// Where an entry of the map sends to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// A channel or thread, by its Discord id.
    Channel(Snowflake),
    /// A destination kept in the database.
    Stored(DestinationId),
}

impl Target {
    /// The channel, if it is one.
    #[must_use]
    pub const fn channel(&self) -> Option<Snowflake> {
        match self {
            Self::Channel(id) => Some(*id),
            Self::Stored(_) => None,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Channel(id) => write!(f, "channel {id}"),
            Self::Stored(id) => fmt::Display::fmt(id, f),
        }
    }
}

/// How many cards there are for the events about one thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Cards {
    /// One, which later events change.
    #[default]
    Living,
    /// One for every event.
    Append,
}

impl Cards {
    /// Reads the word of `CARDS` and of the map.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "living" => Some(Self::Living),
            "append" => Some(Self::Append),
            _ => None,
        }
    }
}

/// One entry of the map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The key as the operator wrote it.
    pub key: String,
    /// The kinds it matches.
    pub pattern: Pattern,
    /// The one customer it is for, if narrowed.
    pub company: Option<String>,
    /// Where to; none means nowhere, on purpose.
    pub targets: Vec<Target>,
    /// Roles pinged by every card of this route.
    pub ping: Vec<Snowflake>,
    /// How many cards there are in these places for the events about one thing, if the map says so.
    pub cards: Option<Cards>,
}

impl Route {
    /// Whether it names no kind: `default`, or `*`.
    #[must_use]
    pub fn is_catch_all(&self) -> bool {
        self.pattern == Pattern::Default || matches!(&self.pattern, Pattern::Glob(glob) if glob == "*")
    }

    /// Whether it is the entry for just this key.
    #[must_use]
    pub fn is_of(&self, key: &Key) -> bool {
        self.pattern == key.pattern && self.company == key.company
    }
}

/// The whole map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteMap {
    routes: Vec<Route>,
    cards: Cards,
}

impl RouteMap {
    /// From its entries.
    #[must_use]
    pub fn new(routes: Vec<Route>) -> Self {
        Self { routes, cards: Cards::default() }
    }

    /// The same map, where `cards` counts for entries that do not say how many cards they want.
    #[must_use]
    pub fn with_cards(self, cards: Cards) -> Self {
        Self { cards, ..self }
    }

    /// What counts for entries that do not say how many cards they want.
    #[must_use]
    pub const fn cards(&self) -> Cards {
        self.cards
    }

    /// This map with other entries for the same keys, and with those that it does not have. What an entry says beside
    /// where to (who is pinged, how many cards there are) is not theirs to say.
    #[must_use]
    pub fn overlaid(&self, over: Vec<Route>) -> Self {
        let mut routes = self.routes.clone();
        for route in over {
            let same = |known: &&mut Route| known.pattern == route.pattern && known.company == route.company;
            match routes.iter_mut().find(same) {
                Some(known) => known.targets = route.targets,
                None => routes.push(route),
            }
        }
        Self { routes, cards: self.cards }
    }

    /// The entries in the order they were written.
    #[must_use]
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The `default` entry for everybody, if there is one.
    #[must_use]
    pub fn fallback(&self) -> Option<&Route> {
        self.routes.iter().find(|route| route.pattern == Pattern::Default && route.company.is_none())
    }

    /// The entry for an event of `kind` about `company` (empty: about nobody in particular), if there is one.
    #[must_use]
    pub fn find(&self, kind: &Kind, company: &str) -> Option<&Route> {
        let kind = kind.canonical();
        self.routes
            .iter()
            .filter(|route| route.pattern.matches(&kind))
            .filter(|route| route.company.as_deref().is_none_or(|only| only == company))
            .max_by_key(|route| (route.pattern.closeness(), route.company.is_some()))
    }
}

/// Whether `text` matches `glob`, in which `*` stands for any run of characters. Linear in `text` for every star.
fn glob_matches(glob: &str, text: &str) -> bool {
    let mut pieces = glob.split('*');
    let Some(rest) = pieces.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut pieces: Vec<&str> = pieces.collect();
    let Some(last) = pieces.pop() else { return rest.is_empty() };
    let mut rest = rest;
    for piece in pieces {
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(keys: &[&str]) -> RouteMap {
        let route = |key: &&str| {
            let (pattern, company) =
                key.split_once('@').map_or((*key, None), |(kind, who)| (kind, Some(who)));
            Route {
                key: (*key).to_owned(),
                pattern: Pattern::new(pattern),
                company: company.map(str::to_owned),
                targets: Vec::new(),
                ping: Vec::new(),
                cards: None,
            }
        };
        RouteMap::new(keys.iter().map(route).collect())
    }

    #[rstest::rstest]
    #[case("ticket.created", "", Some("ticket_created"))]
    #[case("ticket_created", "", Some("ticket_created"))]
    #[case("ticket.closed", "", Some("ticket.*"))]
    #[case("ticket.closed", "acme", Some("ticket.*@acme"))]
    #[case("ticket.created", "acme", Some("ticket_created"))]
    #[case("ticket.updated.late", "", Some("ticket.updated*"))]
    #[case("alert.triggered", "", Some("default"))]
    #[case("alert.triggered", "acme", Some("default@acme"))]
    fn the_closest_entry_wins(#[case] kind: &str, #[case] company: &str, #[case] expected: Option<&str>) {
        let map = map(&[
            "default",
            "default@acme",
            "ticket.*",
            "ticket.*@acme",
            "ticket_created",
            "ticket.updated*",
        ]);
        let found = map.find(&Kind::new(kind), company).map(|route| route.key.as_str());
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_laid_over_goes_before_and_keeps_what_else_was_said() {
        let mut under = map(&["ticket_created", "default"]);
        under.routes[0].ping = vec![Snowflake::new(7)];
        let mut over = map(&["ticket.created", "ticket.*", "ticket.created@acme"]);
        over.routes.iter_mut().for_each(|route| route.targets = vec![Target::Channel(Snowflake::new(9))]);
        let map = under.overlaid(over.routes);
        let keys: Vec<&str> = map.routes().iter().map(|route| route.key.as_str()).collect();
        assert_eq!(keys, ["ticket_created", "default", "ticket.*", "ticket.created@acme"]);
        assert_eq!(map.routes()[0].ping, [Snowflake::new(7)]);
        assert_eq!(map.routes()[0].targets, [Target::Channel(Snowflake::new(9))]);
        assert!(map.routes()[1].targets.is_empty());
    }

    #[rstest::rstest]
    #[case("Ticket_Created", Some("ticket.created"))]
    #[case("ticket.*@ACME", Some("ticket.*@ACME"))]
    #[case("default", Some("default"))]
    #[case("", None)]
    #[case("a b", None)]
    #[case("ticket.created@", None)]
    #[case("ticket.created@ acme", None)]
    fn keys(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(Key::read(text).ok().map(|key| key.to_string()).as_deref(), expected);
    }

    #[test]
    fn without_a_default_there_may_be_no_route() {
        assert_eq!(map(&["ticket.*"]).find(&Kind::new("alert.triggered"), ""), None);
    }

    #[rstest::rstest]
    #[case("*", "", true)]
    #[case("*.created", "ticket.created", true)]
    #[case("*.created", "ticket.created.x", false)]
    #[case("a*b*c", "abc", true)]
    #[case("a*b*c", "a.b.b.c", true)]
    #[case("a*a", "a", false)]
    #[case("ticket.*", "tickets.created", false)]
    fn globs(#[case] glob: &str, #[case] text: &str, #[case] matches: bool) {
        assert_eq!(glob_matches(glob, text), matches);
    }
}
