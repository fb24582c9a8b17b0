//! Routing: the map from event kinds to destinations.
//!
//! Lookup is pure. Precedence: the exact kind, else the longest matching glob, else `default`; within each, an entry
//! for the event's customer (`ticket.*@ACME`) wins over one for all customers.

use std::fmt;

use crate::model::kind::canonical;
use crate::model::{DestinationId, Kind, Snowflake};

/// What a map entry matches.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// One kind, in its canonical form (see [`Kind::canonical`]).
    Kind(String),
    /// Kinds with `*` for any run of characters, in canonical form.
    Glob(String),
    /// Fallback for kinds that no other entry matches.
    Default,
}

impl Pattern {
    /// Parses a pattern: `default`, a glob if it contains `*`, else one kind.
    #[must_use]
    pub fn new(text: &str) -> Self {
        match canonical(text) {
            text if text == "default" => Self::Default,
            text if text.contains('*') => Self::Glob(text.into_owned()),
            text => Self::Kind(text.into_owned()),
        }
    }

    /// The pattern's text, in canonical form.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Kind(text) | Self::Glob(text) => text,
            Self::Default => "default",
        }
    }

    /// Whether it matches a kind that is in canonical form.
    #[must_use]
    pub fn matches(&self, kind: &str) -> bool {
        match self {
            Self::Kind(own) => own == kind,
            Self::Glob(glob) => glob_matches(glob, kind),
            Self::Default => true,
        }
    }

    /// Specificity; the highest wins.
    fn closeness(&self) -> (u8, usize) {
        match self {
            Self::Kind(_) => (2, 0),
            Self::Glob(glob) => (1, glob.len()),
            Self::Default => (0, 0),
        }
    }
}

/// Whether `text` can match any kind.
#[must_use]
pub fn is_pattern(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.:-*".contains(&byte))
}

/// Key of a map entry: a kind, a glob or `default`, and optionally one customer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RouteKey {
    /// The kinds it matches.
    pub pattern: Pattern,
    /// The one customer it applies to, if restricted.
    pub company: Option<String>,
}

/// Why a text is not a valid key (the end of a sentence about it), and what to do.
pub type NoKey = (&'static str, &'static str);

impl RouteKey {
    /// Builds a key from its parts.
    #[must_use]
    pub fn new(pattern: &str, company: Option<String>) -> Self {
        Self { pattern: Pattern::new(pattern), company }
    }

    /// Parses `KIND`, `GLOB` or `default`, with `@COMPANY` if it is for one customer only.
    ///
    /// # Errors
    /// Why the text is not a valid key.
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

impl fmt::Display for RouteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.pattern.text())?;
        self.company.iter().try_for_each(|company| write!(f, "@{company}"))
    }
}

/// Target of a map entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// A channel or thread, by its Discord id.
    Channel(Snowflake),
    /// A destination stored in the database.
    Stored(DestinationId),
}

impl Target {
    /// The channel id, if the target is a channel.
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

/// How many cards represent one subject.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CardStyle {
    /// One card, which later events edit.
    #[default]
    Living,
    /// One card for every event.
    Append,
}

impl CardStyle {
    /// Parses the word in `CARDS` and in the map.
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
    /// The one customer it applies to, if restricted.
    pub company: Option<String>,
    /// Its targets; empty discards the events on purpose.
    pub targets: Vec<Target>,
    /// Roles that every card of this route pings.
    pub ping: Vec<Snowflake>,
    /// Card mode of this route, if the map sets one.
    pub cards: Option<CardStyle>,
}

impl Route {
    /// Whether it matches every kind: `default`, or `*`.
    #[must_use]
    pub fn is_catch_all(&self) -> bool {
        self.pattern == Pattern::Default || matches!(&self.pattern, Pattern::Glob(glob) if glob == "*")
    }

    /// Whether it has exactly this key.
    #[must_use]
    pub fn is_of(&self, key: &RouteKey) -> bool {
        self.pattern == key.pattern && self.company == key.company
    }
}

/// The complete routing map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteMap {
    routes: Vec<Route>,
    cards: CardStyle,
}

impl RouteMap {
    /// Builds the map from its entries.
    #[must_use]
    pub fn new(routes: Vec<Route>) -> Self {
        Self { routes, cards: CardStyle::default() }
    }

    /// This map, with `cards` as the default for entries that set no card mode.
    #[must_use]
    pub fn with_cards(self, cards: CardStyle) -> Self {
        Self { cards, ..self }
    }

    /// The default for entries that set no card mode.
    #[must_use]
    pub const fn cards(&self) -> CardStyle {
        self.cards
    }

    /// This map, with the entries of `over` replacing those of the same key and adding the rest. An overlaid entry
    /// changes targets only: who is pinged and the card mode stay as they were.
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

    /// The `default` entry for all customers, if there is one.
    #[must_use]
    pub fn fallback(&self) -> Option<&Route> {
        self.routes.iter().find(|route| route.pattern == Pattern::Default && route.company.is_none())
    }

    /// The entry for an event of `kind` about `company` (empty: no customer), if there is one.
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

/// Whether `text` matches `glob`, in which `*` matches any run of characters. Linear in `text` for every star.
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
        assert_eq!(RouteKey::read(text).ok().map(|key| key.to_string()).as_deref(), expected);
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
