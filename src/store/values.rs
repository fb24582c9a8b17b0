//! Values of statements: arguments in, rows and their cells out, as every engine takes and returns them.

use std::borrow::Cow;
use std::sync::Arc;

use uuid::Uuid;

use crate::model::{
    ApiKeyId, CallState, ConsoleSessionId, DecisionId, DeliveryId, DestinationId, EventId, MessageId, MuteId,
    QuarantineId, RouteId, Slot, Snowflake, Status,
};
use crate::store::{Error, Result};

/// A statement with its arguments.
pub(super) struct Statement<'a> {
    pub(super) sql: Cow<'static, str>,
    pub(super) args: Vec<Arg<'a>>,
}

impl Statement<'_> {
    pub(super) fn into_owned(self) -> Statement<'static> {
        Statement { sql: self.sql, args: self.args.into_iter().map(Arg::into_owned).collect() }
    }
}

/// An argument of a statement.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Arg<'a> {
    Null,
    Bool(bool),
    Int(i64),
    /// Stored as 16 bytes.
    Id(Uuid),
    Text(Cow<'a, str>),
    Bytes(Cow<'a, [u8]>),
}

impl Arg<'_> {
    fn into_owned(self) -> Arg<'static> {
        match self {
            Self::Null => Arg::Null,
            Self::Bool(flag) => Arg::Bool(flag),
            Self::Int(number) => Arg::Int(number),
            Self::Id(id) => Arg::Id(id),
            Self::Text(text) => Arg::Text(Cow::Owned(text.into_owned())),
            Self::Bytes(bytes) => Arg::Bytes(Cow::Owned(bytes.into_owned())),
        }
    }
}

/// Implements the conversion of a type to an argument.
macro_rules! args {
    ($($from:ty => $value:ident $make:expr),+ $(,)?) => {$(
        impl<'a> From<$from> for Arg<'a> {
            fn from($value: $from) -> Self {
                $make
            }
        }
    )+};
}

args! {
    bool => flag Self::Bool(flag),
    i64 => number Self::Int(number),
    i32 => number Self::Int(number.into()),
    u32 => number Self::Int(number.into()),
    Uuid => id Self::Id(id),
    Snowflake => id id.to_stored().into(),
    Slot => slot Self::Text(slot.word()),
    Status => status status.as_str().into(),
    CallState => state state.as_str().into(),
    &'a str => text Self::Text(Cow::Borrowed(text)),
    String => text Self::Text(Cow::Owned(text)),
    &'a String => text Self::Text(Cow::Borrowed(text)),
    &'a [u8] => bytes Self::Bytes(Cow::Borrowed(bytes)),
    Vec<u8> => bytes Self::Bytes(Cow::Owned(bytes)),
    &'a Vec<u8> => bytes Self::Bytes(Cow::Borrowed(bytes)),
    &'a Option<String> => text text.as_deref().into(),
}

impl<'a, T: Into<Arg<'a>>> From<Option<T>> for Arg<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// One row of an answer.
#[derive(Debug)]
pub(super) struct Row {
    columns: Arc<[Box<str>]>,
    cells: Vec<Cell>,
}

impl Row {
    pub(super) fn new(columns: Arc<[Box<str>]>, cells: Vec<Cell>) -> Self {
        Self { columns, cells }
    }

    /// The value in the column `name`.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if it has another type, or is null where `T` cannot be.
    pub(super) fn try_get<T: FromCell>(&self, name: &str) -> Result<T> {
        let at = self.columns.iter().position(|column| **column == *name);
        let cell = at.and_then(|at| self.cells.get(at)).unwrap_or(&Cell::Null);
        T::from_cell(cell).ok_or_else(|| cell.unexpected(name))
    }

    /// The value in the column at `index`, counted from 0.
    pub(super) fn at<T: FromCell>(&self, index: usize) -> Result<T> {
        let cell = self.cells.get(index).unwrap_or(&Cell::Null);
        let name = || self.columns.get(index).map_or("?", |name| name);
        T::from_cell(cell).ok_or_else(|| cell.unexpected(name()))
    }

    /// The text in the column at `index`, counted from 0, without copying it.
    pub(super) fn text(&self, index: usize) -> Result<&str> {
        let cell = self.cells.get(index).unwrap_or(&Cell::Null);
        let text = if let Cell::Text(bytes) = cell { std::str::from_utf8(bytes).ok() } else { None };
        text.ok_or_else(|| cell.unexpected(self.columns.get(index).map_or("?", |name| name)))
    }

    /// The content of the column `name` as bytes, whatever its type; empty if it has none.
    pub(super) fn raw(&self, name: &str) -> Vec<u8> {
        let at = self.columns.iter().position(|column| **column == *name);
        match at.and_then(|at| self.cells.get(at)) {
            None | Some(Cell::Null) => Vec::new(),
            Some(Cell::Int(number)) => number.to_string().into_bytes(),
            Some(Cell::Real(number)) => number.to_string().into_bytes(),
            Some(Cell::Text(bytes) | Cell::Bytes(bytes)) => bytes.clone(),
        }
    }
}

/// A value of a row, as the engine returned it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Null,
    Int(i64),
    Real(f64),
    /// Text in UTF-8, unless the row is corrupt.
    Text(Vec<u8>),
    Bytes(Vec<u8>),
}

impl Cell {
    fn unexpected(&self, column: &str) -> Error {
        let found = match self {
            Self::Null => "null",
            Self::Int(_) => "an integer",
            Self::Real(_) => "a number with a fraction",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
        };
        Error::Corrupt(format!("column \"{column}\" unexpectedly holds {found}"))
    }
}

/// A type that a cell can be read as.
pub(super) trait FromCell: Sized {
    /// `None` if the cell has another type.
    fn from_cell(cell: &Cell) -> Option<Self>;
}

impl FromCell for i64 {
    fn from_cell(cell: &Cell) -> Option<Self> {
        if let Cell::Int(number) = cell { Some(*number) } else { None }
    }
}

impl FromCell for bool {
    fn from_cell(cell: &Cell) -> Option<Self> {
        if let Cell::Int(number) = cell { Some(*number != 0) } else { None }
    }
}

impl FromCell for String {
    fn from_cell(cell: &Cell) -> Option<Self> {
        if let Cell::Text(bytes) = cell { Self::from_utf8(bytes.clone()).ok() } else { None }
    }
}

impl FromCell for Vec<u8> {
    fn from_cell(cell: &Cell) -> Option<Self> {
        if let Cell::Bytes(bytes) | Cell::Text(bytes) = cell { Some(bytes.clone()) } else { None }
    }
}

impl<T: FromCell> FromCell for Option<T> {
    fn from_cell(cell: &Cell) -> Option<Self> {
        if *cell == Cell::Null { Some(None) } else { T::from_cell(cell).map(Some) }
    }
}

impl FromCell for Uuid {
    fn from_cell(cell: &Cell) -> Option<Self> {
        if let Cell::Bytes(bytes) = cell { Self::from_slice(bytes).ok() } else { None }
    }
}

impl FromCell for Snowflake {
    fn from_cell(cell: &Cell) -> Option<Self> {
        Self::stored(i64::from_cell(cell))
    }
}

macro_rules! ids {
    ($($id:ty),+ $(,)?) => {$(
        impl From<$id> for Arg<'_> {
            fn from(id: $id) -> Self {
                Self::Id(id.into())
            }
        }

        impl FromCell for $id {
            fn from_cell(cell: &Cell) -> Option<Self> {
                Uuid::from_cell(cell).map(Self::from)
            }
        }
    )+};
}

ids!(
    ApiKeyId,
    ConsoleSessionId,
    EventId,
    DeliveryId,
    MessageId,
    DestinationId,
    DecisionId,
    MuteId,
    RouteId,
    QuarantineId
);

/// A row as a tuple of its columns, in their order.
pub(super) trait FromRow: Sized {
    fn from_row(row: &Row) -> Result<Self>;
}

macro_rules! tuples {
    ($($($name:ident $index:literal)+;)+) => {$(
        impl<$($name: FromCell),+> FromRow for ($($name,)+) {
            fn from_row(row: &Row) -> Result<Self> {
                Ok(($(row.at::<$name>($index)?,)+))
            }
        }
    )+};
}

tuples! {
    A 0;
    A 0 B 1;
    A 0 B 1 C 2;
    A 0 B 1 C 2 D 3;
}
