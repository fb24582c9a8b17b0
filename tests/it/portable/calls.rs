//! Calls that take a statement, and what else is told from the tokens alone.

use std::collections::BTreeSet;

use super::rust::{Token, closing, next, word, written};

/// Functions of the seam that take a statement.
const SEAM: [&str; 3] = ["query", "query_scalar", "query_as"];
/// Methods that take one: of the seam's transaction, and of the driver.
const METHODS: [&str; 4] = ["batch", "execute_batch", "prepare", "prepare_cached"];

/// The first round bracket after `at`: that of a function's parameters.
pub fn next_open(tokens: &[Token], at: usize) -> usize {
    (at..tokens.len()).find(|at| tokens[*at].is('(')).unwrap_or(tokens.len())
}

/// The bracket of `.replace(…)`, if that is the last thing in `from..to`.
pub fn replaces(tokens: &[Token], from: usize, to: usize) -> Option<usize> {
    let is_last = |open: &usize| tokens[*open].is('(') && closing(tokens, *open) + 1 == to;
    let open = (from + 2..to).find(is_last)?;
    (tokens[open - 1] == word("replace") && tokens[open - 2].is('.')).then_some(open)
}

/// The places of the calls that take a statement: of the name, and of the bracket that opens.
pub fn calls(tokens: &[Token]) -> Vec<(usize, usize)> {
    let call = |at: usize| {
        let name = tokens[at].word()?;
        let before = at.checked_sub(1).map(|before| &tokens[before]);
        let is_method = before.is_some_and(|before| before.is('.'));
        let is_ours = if is_method { METHODS.contains(&name) } else { SEAM.contains(&name) };
        (is_ours && before != Some(&word("fn"))).then_some(())?;
        let mut open = at + 1;
        if tokens[open..].starts_with(&[Token::Sign(':'), Token::Sign(':'), Token::Sign('<')]) {
            open = next_open_after_angles(tokens, open + 2);
        }
        tokens.get(open).is_some_and(|token| token.is('(')).then_some((at, open))
    };
    (0..tokens.len()).filter_map(call).collect()
}

fn next_open_after_angles(tokens: &[Token], from: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(from) {
        match token {
            Token::Sign('<') => depth += 1,
            Token::Sign('>') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

/// The type in `let name: TYPE = query_scalar(…)` or `query_scalar::<TYPE>(…)`.
pub fn declared(tokens: &[Token], call: usize) -> Option<String> {
    if tokens[call] == word("query") {
        return None;
    }
    if tokens[call + 1].is(':') {
        return Some(written(&tokens[call + 4..next_open_after_angles(tokens, call + 3) - 1]));
    }
    tokens[..call].last().filter(|token| token.is('='))?;
    let begin = tokens[..call].iter().rposition(|token| *token == word("let"))?;
    let colon = (begin..call).find(|at| tokens[*at].is(':'))?;
    tokens[begin..call].iter().all(|token| !token.is(';')).then(|| written(&tokens[colon + 1..call - 1]))
}

/// All words in the `use` statements that name `name`.
pub fn imports<'a>(tokens: &'a [Token], name: &str) -> BTreeSet<&'a str> {
    let uses = (0..tokens.len()).filter(|at| tokens[*at] == word("use"));
    let statements = uses.map(|at| &tokens[at..next(tokens, at, ';')]);
    statements.filter(|tokens| tokens.contains(&word(name))).flatten().filter_map(Token::word).collect()
}

/// The parts of a `format!` text: what stands before each placeholder, and its name; at the end the rest.
pub fn placeholders(text: &str) -> Result<Vec<(String, Option<String>)>, String> {
    let (mut found, mut before, mut rest) = (Vec::new(), String::new(), text);
    while let Some(at) = rest.find(['{', '}']) {
        before.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(doubled) = rest.strip_prefix(brace) {
            before.push_str(brace);
            rest = doubled;
        } else {
            let (name, after) = rest.split_once('}').ok_or("a brace without an end")?;
            found.push((std::mem::take(&mut before), Some(name.to_owned())));
            rest = after;
        }
    }
    found.push((before + rest, None));
    Ok(found)
}
