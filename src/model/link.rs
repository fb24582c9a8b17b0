//! Web addresses of the platform's things.

/// An address with `{id}` in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkTemplate(String);

impl LinkTemplate {
    /// Reads a template.
    ///
    /// # Errors
    /// If it is no http(s) address with `{id}`, as the end of a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        if !(text.starts_with("https://") || text.starts_with("http://")) {
            return Err("it must start with https:// or http://".to_owned());
        }
        if !text.contains("{id}") {
            return Err("it needs {id} where the id belongs".to_owned());
        }
        Ok(Self(text.to_owned()))
    }
}

/// The templates by what they lead to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// Tickets.
    pub ticket: Option<LinkTemplate>,
    /// Assets.
    pub asset: Option<LinkTemplate>,
    /// Machines.
    pub machine: Option<LinkTemplate>,
}
