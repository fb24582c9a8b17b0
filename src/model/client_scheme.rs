//! Whether a request came by HTTPS, as far as nuncio can know.

/// The scheme of the client's request. Nuncio itself speaks plain HTTP: only a trusted proxy can say that the client
/// used HTTPS. An extension of every HTTP request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientScheme {
    /// Plain, or nobody who counts says anything else.
    Http,
    /// HTTPS up to the nearest trusted proxy.
    Https,
}
