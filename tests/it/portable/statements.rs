//! The statements of the store, read from its sources.
//!
//! An argument of `query(…)` and its like is followed to its text: through constants, variables, `format!`, the arms of a
//! `match`, parameters (to every caller) and methods that return literals. What cannot be followed is an error, not a gap.
//! A literal that begins like a statement, and that no such call led to, is a statement as well.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::calls::{calls, declared, imports, next_open, placeholders, replaces};
use super::rust::{Token, closing, next, split, tokens, word, written};

const VERBS: [&str; 11] = [
    "SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH ", "PRAGMA ", "VACUUM", "CREATE ", "ALTER ", "DROP ",
    "REINDEX",
];
/// Calls that are followed from parameter to caller, at most.
const DEPTH: usize = 6;

/// What a placeholder is filled with when no literal says it.
pub struct Given {
    pub file: &'static str,
    /// The expression, without blanks.
    pub expression: &'static str,
    pub values: Vec<String>,
}

/// A statement and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Statement {
    pub file: String,
    pub sql: String,
    /// The type that its rows are read as, if that is written at the call.
    pub declared: Option<String>,
}

/// What was found: the statements, and the calls whose statement could not be followed.
#[derive(Debug, Default)]
pub struct Found {
    pub statements: BTreeSet<Statement>,
    pub unresolved: Vec<String>,
}

/// Some tokens of a file.
#[derive(Clone, Copy)]
struct Span<'a> {
    file: &'a str,
    from: usize,
    to: usize,
}

/// The files of the store.
#[derive(Default)]
pub struct Sources {
    files: BTreeMap<String, Vec<Token>>,
    given: Vec<Given>,
    /// Literals that a call led to.
    used: RefCell<BTreeSet<(String, usize)>>,
    /// Entries of `given` that were needed.
    needed: RefCell<BTreeSet<usize>>,
}

type Resolved = Result<Vec<String>, String>;

impl Sources {
    /// The files in `folder`, named from `root` on; those of tests are left out.
    pub fn read(root: &Path, folder: &str, given: Vec<Given>) -> Self {
        let mut sources = Self { given, ..Self::default() };
        let mut folders = vec![root.join(folder)];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                if path.is_dir() {
                    folders.push(path);
                } else if name.ends_with(".rs") && !name.ends_with("/tests.rs") {
                    sources.add(&name, &std::fs::read_to_string(&path).unwrap());
                }
            }
        }
        sources
    }

    pub fn add(&mut self, file: &str, text: &str) {
        self.files.insert(file.to_owned(), tokens(text));
    }

    /// The expressions of `given` that no statement needed.
    pub fn unneeded(&self) -> Vec<&'static str> {
        let needed = self.needed.borrow();
        let given = self.given.iter().enumerate();
        given.filter(|(at, _)| !needed.contains(at)).map(|(_, given)| given.expression).collect()
    }

    /// All statements of the files that `is_left_out` does not name.
    pub fn statements(&self, is_left_out: impl Fn(&str) -> bool) -> Found {
        let mut found = Found::default();
        let files = || self.files.iter().filter(|(file, _)| !is_left_out(file));
        for (file, tokens) in files() {
            for (at, open) in calls(tokens) {
                let end = closing(tokens, open);
                let Some(&(from, to)) = split(tokens, open + 1, end).first() else { continue };
                let declared = declared(tokens, at);
                match self.resolve(Span { file, from, to }, 0) {
                    Ok(texts) => found.statements.extend(texts.into_iter().map(|sql| Statement {
                        file: file.clone(),
                        sql,
                        declared: declared.clone(),
                    })),
                    Err(why) => found.unresolved.push(format!(
                        "{file}: {}({}): {why}",
                        written(&tokens[at..=at]),
                        written(&tokens[from..to])
                    )),
                }
            }
        }
        for (file, tokens) in files() {
            for (at, token) in tokens.iter().enumerate() {
                let Token::Text(text) = token else { continue };
                let used = self.used.borrow().contains(&(file.clone(), at));
                if !used && VERBS.iter().any(|verb| text.trim_start().starts_with(verb)) {
                    found.statements.insert(Statement {
                        file: file.clone(),
                        sql: text.clone(),
                        declared: None,
                    });
                }
            }
        }
        found
    }

    /// The texts that an expression can have.
    fn resolve(&self, span: Span<'_>, depth: usize) -> Resolved {
        let Span { file, mut from, to } = span;
        let all = &self.files[file];
        while from < to && all[from].is('&') {
            from += 1;
        }
        let span = Span { from, ..span };
        let text = written(&all[from..to]);
        if let Some(at) = self.given.iter().position(|one| one.file == file && one.expression == text) {
            self.needed.borrow_mut().insert(at);
            return Ok(self.given[at].values.clone());
        }
        if depth > DEPTH {
            return Err(format!("{text} leads too far"));
        }
        if let Some(open) = replaces(all, from, to) {
            return self.replaced(span, open, depth);
        }
        match &all[from..to] {
            [Token::Text(text)] => {
                self.used.borrow_mut().insert((file.to_owned(), from));
                Ok(vec![text.clone()])
            }
            [Token::Word(word), Token::Sign('!'), Token::Sign('('), .., Token::Sign(')')]
                if word == "format" =>
            {
                self.format(span, depth)
            }
            [Token::Word(word), .., Token::Sign('}')] if word == "match" || word == "if" => {
                self.literals(span)
            }
            [receiver @ .., Token::Sign('.'), Token::Word(method), Token::Sign('('), Token::Sign(')')] => {
                let passes_on =
                    ["as_str", "to_owned", "to_string", "into", "clone"].contains(&method.as_str());
                if passes_on {
                    self.resolve(Span { to: from + receiver.len(), ..span }, depth)
                } else if receiver.len() == 1 {
                    self.returned(file, method)
                } else {
                    Err(format!("{text} cannot be followed"))
                }
            }
            [Token::Word(name)] if is_constant(name) => self.constant(file, None, name, depth),
            [.., Token::Word(module), Token::Sign(':'), Token::Sign(':'), Token::Word(name)]
                if is_constant(name) =>
            {
                self.constant(file, Some(module), name, depth)
            }
            [Token::Word(name)] => self.variable(span, name, depth),
            _ => Err(format!("{text} cannot be followed")),
        }
    }

    /// All literals within a span.
    fn literals(&self, span: Span<'_>) -> Resolved {
        let mut found = Vec::new();
        for at in span.from..span.to {
            if let Token::Text(text) = &self.files[span.file][at] {
                self.used.borrow_mut().insert((span.file.to_owned(), at));
                found.push(text.clone());
            }
        }
        if found.is_empty() { Err("no literal in it".to_owned()) } else { Ok(found) }
    }

    /// What a method of the same file returns: its literals.
    fn returned(&self, file: &str, method: &str) -> Resolved {
        let all = &self.files[file];
        let defined = all.windows(2).position(|pair| pair == [word("fn"), word(method)]);
        let from = next(all, defined.ok_or(format!("no method {method} in this file"))?, '{');
        self.literals(Span { file, from, to: closing(all, from) })
    }

    fn constant(&self, file: &str, module: Option<&str>, name: &str, depth: usize) -> Resolved {
        let defines =
            |file: &str| self.files[file].windows(2).position(|pair| pair == [word("const"), word(name)]);
        let own = module.is_none_or(|module| module == "Self").then(|| defines(file).map(|at| (file, at)));
        let Some((home, at)) = own.flatten().or_else(|| {
            let imports = imports(&self.files[file], name);
            let mut homes = self.files.keys().filter_map(|home| {
                let stem = Path::new(home).file_stem()?.to_str()?;
                let is_meant = module.map_or(imports.contains(stem), |module| module == stem);
                Some((home.as_str(), defines(home).filter(|_| is_meant)?))
            });
            homes.next().filter(|_| homes.next().is_none())
        }) else {
            return Err(format!("no constant {name} was found"));
        };
        let all = &self.files[home];
        let from = next(all, at, '=') + 1;
        self.resolve(Span { file: home, from, to: next(all, from, ';') }, depth + 1)
    }

    /// What a variable is set to, or a parameter at every call.
    fn variable(&self, span: Span<'_>, name: &str, depth: usize) -> Resolved {
        let Span { file, from: use_at, .. } = span;
        let all = &self.files[file];
        let Some(begin) = all[..use_at].iter().rposition(|token| *token == word("fn")) else {
            return Err(format!("{name} is in no function"));
        };
        let set = (begin..use_at).rev().find(|at| all[*at] == word("let") && all[at + 1] == word(name));
        if let Some(at) = set {
            let from = next(all, at, '=') + 1;
            return self.resolve(Span { file, from, to: next(all, from, ';') }, depth + 1);
        }
        let open = next_open(all, begin);
        let parameters = split(all, open + 1, closing(all, open));
        let is_method = parameters.first().is_some_and(|&(from, to)| all[from..to].contains(&word("self")));
        let parameters = parameters.iter().skip(usize::from(is_method));
        let Some(index) = parameters.clone().position(|&(from, _)| all[from] == word(name)) else {
            return Err(format!("{name} is neither set nor a parameter"));
        };
        self.arguments(&all[begin + 1], is_method, index, depth)
    }

    /// The argument at `index` in all calls of a function.
    fn arguments(&self, function: &Token, is_method: bool, index: usize, depth: usize) -> Resolved {
        let mut found = Vec::new();
        for (file, all) in &self.files {
            for at in 1..all.len().saturating_sub(1) {
                let is_call = all[at] == *function && all[at + 1].is('(') && all[at - 1] != word("fn");
                if !is_call || all[at - 1].is('.') != is_method {
                    continue;
                }
                let given = split(all, at + 2, closing(all, at + 1));
                let &(from, to) = given.get(index).ok_or("a call has fewer arguments")?;
                found.extend(self.resolve(Span { file, from, to }, depth + 1)?);
            }
        }
        if found.is_empty() { Err("nobody calls it".to_owned()) } else { Ok(found) }
    }

    /// A text in which `replace`, whose bracket is at `open`, has replaced something.
    fn replaced(&self, span: Span<'_>, open: usize, depth: usize) -> Resolved {
        let arguments = split(&self.files[span.file], open + 1, span.to - 1);
        let [old, new] = arguments[..] else { return Err("replace takes two".to_owned()) };
        let one = |(from, to)| self.resolve(Span { from, to, ..span }, depth + 1);
        let (whole, old, new) = (one((span.from, open - 2))?, one(old)?, one(new)?);
        Ok(whole.iter().map(|text| text.replace(&old[0], &new[0])).collect())
    }

    /// A text with all that its placeholders can be. Those that ask one value (`table.name()`, `table.rows()`), or are
    /// given, go along: the first of the one with the first of the other.
    fn format(&self, span: Span<'_>, depth: usize) -> Resolved {
        let all = &self.files[span.file];
        let mut arguments = split(all, span.from + 3, span.to - 1).into_iter();
        let &Token::Text(template) = &&all[span.from + 3] else { return Err("no literal".to_owned()) };
        arguments.next();
        self.used.borrow_mut().insert((span.file.to_owned(), span.from + 3));
        let (mut named, mut positional) = (BTreeMap::new(), Vec::new());
        for (from, to) in arguments {
            match &all[from..to] {
                [Token::Word(name), Token::Sign('='), ..] => drop(named.insert(name.clone(), (from + 2, to))),
                _ => positional.push((from, to)),
            }
        }
        let mut positional = positional.into_iter();
        // The variants so far: a text, and which value each group has in it.
        let mut variants = vec![(String::new(), BTreeMap::<String, usize>::new())];
        for (before, placeholder) in placeholders(template)? {
            variants.iter_mut().for_each(|(text, _)| text.push_str(&before));
            let Some(placeholder) = placeholder else { continue };
            let (from, to) = match placeholder.as_str() {
                "" => positional.next().ok_or("a placeholder without an argument")?,
                name => named.get(name).copied().unwrap_or((0, 0)),
            };
            let (texts, expression) = if to > 0 {
                let texts = self.resolve(Span { from, to, ..span }, depth + 1)?;
                (texts, written(&all[from..to]))
            } else {
                (self.name(span, &placeholder, depth)?, placeholder)
            };
            let is_given = self.given.iter().any(|one| one.file == span.file && one.expression == expression);
            let group = if is_given {
                Some(String::new())
            } else {
                expression.strip_suffix("()").and_then(|call| Some(call.split_once('.')?.0.to_owned()))
            };
            let group = group.filter(|_| texts.len() > 1);
            variants = variants
                .into_iter()
                .flat_map(|(text, chosen)| {
                    let fixed = group.as_ref().and_then(|group| chosen.get(group)).copied();
                    let texts: Vec<_> =
                        texts.iter().enumerate().map(|(at, end)| (at, format!("{text}{end}"))).collect();
                    let group = group.clone();
                    texts.into_iter().filter(move |(at, _)| fixed.is_none_or(|fixed| fixed == *at)).map(
                        move |(at, text)| {
                            let mut chosen = chosen.clone();
                            chosen.extend(group.clone().map(|group| (group, at)));
                            (text, chosen)
                        },
                    )
                })
                .collect();
        }
        Ok(variants.into_iter().map(|(text, _)| text).collect())
    }

    /// What `{name}` in a text stands for.
    fn name(&self, span: Span<'_>, name: &str, depth: usize) -> Resolved {
        if let Some(at) = self.given.iter().position(|one| one.file == span.file && one.expression == name) {
            self.needed.borrow_mut().insert(at);
            return Ok(self.given[at].values.clone());
        }
        let is_name = name.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
        match (is_name, is_constant(name)) {
            (true, true) => self.constant(span.file, None, name, depth),
            (true, false) => self.variable(span, name, depth),
            _ => Err(format!("{{{name}}} cannot be followed")),
        }
    }
}

fn is_constant(name: &str) -> bool {
    name.chars().all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_')
}
