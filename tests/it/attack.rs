//! The door under attack. Every case of the threat model's table for ingress is here as data, by its number.
//!
//! # Controls
//!
//! Each protection was taken away by hand, and the test named beside it went red; without that a test proves nothing.
//! Names without a path are in this module, `lib` marks unit tests.
//!
//! | protection | taken away by | red |
//! | --- | --- | --- |
//! | the MAC decides | `check_signature` answers Ok | `signatures::what_is_not_signed…` |
//! | 64 hex digits | no check of the length | lib `signature::xtsystems` |
//! | exactly ten digits | nine to eleven are taken | `signatures::what_is_not_signed…` |
//! | the body begins with `{` | anything is taken | lib `no_other_split_of_what_was_signed_passes` |
//! | each header once | the first of two counts | `signatures::what_is_not_signed…` |
//! | ± 300 s | ten times as much | `signatures::the_window…` |
//! | … by the time of the headers | by the time of the body | `slow::a_slow_body_does_not_stretch…` |
//! | the previous secret only while it is set | one is always accepted | `signatures::the_previous_secret…` |
//! | one event per dedupe key | a plain insert | `replay::a_hundred_copies…` |
//! | a body with its own time is its key | the timestamp is part of it | `replay::a_retry_signed_anew…` |
//! | the rate limit | it never refuses | `limits::a_flood_is_refused…` |
//! | … is asked after verification | before | `limits::a_flood_is_refused…` |
//! | strangers do not choose their address | every peer is a proxy | `limits::a_stranger_cannot…` |
//! | only hops behind a proxy of ours count | the first hop counts | `limits::behind_a_trusted_proxy…` |
//! | IPv6 by /64 | by address | `limits::behind_a_trusted_proxy…` |
//! | `Retry-After` is never 0 | whole seconds, rounded down | lib `ingress::limiter` |
//! | buckets are bounded, and forgotten | no sharing; no sweep | lib `buckets_are_bounded_and_forgotten` |
//! | `/health*` is exempt; `all` counts all | neither | `limits::with_scope_all…` |
//! | lengths said twice, bare line feeds, other codings | hyper's word is taken | `wire_format::what_can_be_read…` |
//! | a refused connection ends | it goes on | `wire_format::what_can_be_read…` |
//! | a length that is too large is refused unread | it is read | `wire_format::the_limit…` |
//! | what is read is limited | it is not | `wire_format::the_limit…`, `bad_chunks…` |
//! | a body is kept in one piece | in the pieces it comes in | `memory::a_body_in_the_smallest…` |
//! | large bodies share their room | room without end | `memory::many_large_bodies…` |
//! | … who holds the most gives way | first come, first served | `room::unsigned_bodies…` |
//! | … whoever that is, not the oldest of all | the oldest gives way | `room::nor_a_slow_one…` |
//! | no `Content-Encoding` | it is ignored | `wire_format::encoded_bodies…` |
//! | JSON only | any content type | `wire_format::json_is…` |
//! | keys that decide stand once | the last one counts | `bodies::whatever_was_signed…` |
//! | kinds are plain words | the sender's word | `bodies::whatever_was_signed…` |
//! | 10 s for a head | 10,000 s | `slow::a_slow_head…` |
//! | 15 s for a request | 15,000 s | `slow::a_slow_body_is_refused…` |
//! | … from its first byte | from the end of the head | `slow::head_and_body…` |
//! | 60 s between requests | 60,000 s; 10 s | `slow::an_idle_connection…` |
//! | the longest wait makes room | newcomers wait | `crowd::the_one_that…` |
//! | files are left for the rest | connections take all | `crowd::the_one_that…` |
//! | a flood is told once a minute | every time | `limits::a_flood_is_refused…` |
//! | quarantine once | a plain insert | `ingress::signed_but_unreadable…` |
//! | one way to write a path | any name is the source | `signatures::other_addresses…` |
//! | tags are compared in constant time | until one byte differs | I-17, `examples/timing.rs`: \|t\| 101 (a machine of its own) |

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on must fail")]

mod bodies;
mod corpus;
mod crowd;
mod limits;
mod memory;
mod replay;
mod room;
mod sender;
mod signatures;
mod slow;
mod why;
mod wire;
mod wire_format;
