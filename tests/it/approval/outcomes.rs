//! What the platform answers, and what its own events say.
