//! Declares closed sets: enums that know all their values.

/// An enum without data, and `ALL`, which cannot miss a value.
macro_rules! closed_set {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$each])* $variant,)+
        }

        impl $name {
            /// All values.
            pub const ALL: [Self; [$($name::$variant),+].len()] = [$(Self::$variant),+];
        }
    };
}

/// A closed set whose values have words: in requests, answers, the database and on the command line.
macro_rules! word_set {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident = $word:literal,)+ }) => {
        $crate::model::closed_set::closed_set! {
            $(#[$doc])*
            $name { $($(#[$each])* $variant,)+ }
        }

        impl $name {
            /// The words of all values.
            pub const WORDS: [&'static str; [$($word),+].len()] = [$($word),+];

            /// The word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// Parses the word.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|one| one.as_str() == word)
            }
        }
    };
}

pub(super) use {closed_set, word_set};
