//! Just enough of Rust to read the store's statements: tokens, brackets, and what stands between them.

/// A token. Comments, whitespace and lifetimes' names are left out.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    /// An identifier, a keyword or a number.
    Word(String),
    /// A string literal, with its escapes resolved.
    Text(String),
    Sign(char),
}

impl Token {
    pub fn is(&self, sign: char) -> bool {
        *self == Self::Sign(sign)
    }

    pub fn word(&self) -> Option<&str> {
        if let Self::Word(word) = self { Some(word) } else { None }
    }
}

/// The token of an identifier or a keyword.
pub fn word(word: &str) -> Token {
    Token::Word(word.to_owned())
}

/// The tokens of a file, without its tests.
pub fn tokens(text: &str) -> Vec<Token> {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let letters: Vec<char> = text.chars().collect();
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(&letter) = letters.get(at) {
        let next = letters.get(at + 1).copied();
        match letter {
            '/' if next == Some('/') => at = after(&letters, at, "\n"),
            '/' if next == Some('*') => at = after(&letters, at + 2, "*/"),
            '"' => at = literal(&letters, at + 1, &mut found),
            'r' if matches!(next, Some('"' | '#')) && raw(&letters, at).is_some() => {
                let (end, text) = raw(&letters, at).unwrap_or_default();
                found.push(Token::Text(text));
                at = end;
            }
            '\'' => at = letter_or_lifetime(&letters, at),
            _ if letter.is_alphanumeric() || letter == '_' => {
                let length = letters[at..].iter().take_while(|part| part.is_alphanumeric() || **part == '_');
                let word: String = length.collect();
                at += word.chars().count();
                found.push(Token::Word(word));
            }
            _ => {
                found.extend((!letter.is_whitespace()).then_some(Token::Sign(letter)));
                at += 1;
            }
        }
    }
    found
}

/// The place after the next `mark`, from `at` on.
fn after(letters: &[char], at: usize, mark: &str) -> usize {
    let mark: Vec<char> = mark.chars().collect();
    let found = letters[at..].windows(mark.len()).position(|window| window == mark);
    found.map_or(letters.len(), |found| at + found + mark.len())
}

fn literal(letters: &[char], mut at: usize, found: &mut Vec<Token>) -> usize {
    let mut text = String::new();
    while let Some(&letter) = letters.get(at) {
        at += 1;
        match letter {
            '"' => break,
            '\\' => {
                let escaped = letters.get(at).copied().unwrap_or_default();
                at += 1;
                match escaped {
                    'n' => text.push('\n'),
                    't' => text.push('\t'),
                    '0' => text.push('\0'),
                    '\n' => at += letters[at..].iter().take_while(|letter| letter.is_whitespace()).count(),
                    other => text.push(other),
                }
            }
            other => text.push(other),
        }
    }
    found.push(Token::Text(text));
    at
}

/// The end and the content of the raw string at `at`; `None` if there is none (`r#type`).
fn raw(letters: &[char], at: usize) -> Option<(usize, String)> {
    let hashes = letters[at + 1..].iter().take_while(|letter| **letter == '#').count();
    let start = at + 1 + hashes;
    (letters.get(start) == Some(&'"')).then_some(())?;
    let end = after(letters, start + 1, &format!("\"{}", "#".repeat(hashes)));
    Some((end, letters[start + 1..end - 1 - hashes].iter().collect()))
}

fn letter_or_lifetime(letters: &[char], at: usize) -> usize {
    if letters.get(at + 1) == Some(&'\\') {
        return after(letters, at + 3, "'");
    }
    if letters.get(at + 2) == Some(&'\'') {
        return at + 3;
    }
    at + 1 + letters[at + 1..].iter().take_while(|letter| letter.is_alphanumeric() || **letter == '_').count()
}

/// The place of the bracket that closes the one at `open`.
pub fn closing(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token {
            Token::Sign('(' | '[' | '{') => depth += 1,
            Token::Sign(')' | ']' | '}') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    tokens.len()
}

/// The places of `from..to` at each comma that is in no bracket.
pub fn split(tokens: &[Token], from: usize, to: usize) -> Vec<(usize, usize)> {
    let (mut parts, mut start, mut at, mut angle) = (Vec::new(), from, from, 0_usize);
    while at < to {
        match tokens[at] {
            Token::Sign('(' | '[' | '{') => at = closing(tokens, at),
            Token::Sign('<') => angle += 1,
            Token::Sign('>') if at > 0 && !tokens[at - 1].is('-') => angle = angle.saturating_sub(1),
            Token::Sign(',') if angle == 0 => {
                parts.push((start, at));
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    parts.extend((start < to).then_some((start, to)));
    parts
}

/// The place of the next `sign` that is in no bracket, from `at` on.
pub fn next(tokens: &[Token], mut at: usize, sign: char) -> usize {
    while at < tokens.len() && !tokens[at].is(sign) {
        if matches!(tokens[at], Token::Sign('(' | '[' | '{')) {
            at = closing(tokens, at);
        }
        at += 1;
    }
    at
}

/// Tokens as they would be written, without blanks.
pub fn written(tokens: &[Token]) -> String {
    let one = |token: &Token| match token {
        Token::Word(word) => word.clone(),
        Token::Text(text) => format!("{text:?}"),
        Token::Sign(sign) => sign.to_string(),
    };
    tokens.iter().map(one).collect()
}
