//! Bodies: JSON that is read strictly, checked whole, and refused with all its faults at once.
//!
//! `parse` reads the text (duplicate keys, depth), `schema` compares it with the schema that the OpenAPI document shows
//! for the same type, then serde makes the value and `garde` checks it. So the document cannot promise what a route
//! does not take.

mod body;
mod parse;
mod pointer;
mod schema;

pub(in crate::api) use body::{ApiBody, ApiJson, NoBody};
pub(in crate::api) use schema::UnknownFields;
