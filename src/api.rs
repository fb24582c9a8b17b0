//! The HTTP API: `/v1`, its OpenAPI description (`/openapi.json`), and a page made from that (`/docs`).
//!
//! Every request below `/v1` passes the same layers (`router.rs`): request id and security headers, then the API key,
//! then the rate limit. A handler takes its role and its input as extractors, calls one use case of the
//! [`Hub`](crate::hub::Hub), and maps the result. Every failure is a `ProblemDetails` (RFC 9457), and nothing else is. This room
//! knows HTTP; it knows no SQL, and decides nothing that another entrance would decide again.
//!
//! # How a noun is added
//!
//! One file per noun, `api/things.rs`:
//!
//! ```ignore
//! /// A thing to make.
//! #[derive(Deserialize, Validate, ToSchema)]
//! #[schema(example = json!({"name": "a thing"}))]
//! pub(in crate::api) struct NewThing {
//!     /// Display name.
//!     #[garde(custom(rules::name))]
//!     name: String,
//! }
//!
//! impl ApiBody for NewThing {}
//!
//! /// Makes a thing.
//! #[utoipa::path(post, path = "/v1/things", tag = "things", security(("bearer" = ["sender"])),
//!     request_body = NewThing, responses((status = 201, body = Thing)))]
//! pub(in crate::api) async fn create(
//!     State(api): State<ApiState>,
//!     Sender(principal): Sender,
//!     body: ApiJson<NewThing>,
//! ) -> Result<Answer, Problem> {
//!     let once = body.once.map(|claim| Answer::keep(claim, StatusCode::CREATED, Thing::of));
//!     let done = api.hub.create_thing(body.value.into(), once, &By::key(&principal, "thing.create")).await?;
//!     Answer::of(done, StatusCode::CREATED, Thing::of)
//! }
//! ```
//!
//! - The role is the first extractor (`Admin`, `Sender`, `Reader`) and the same word in `security(…)`. A test compares the
//!   two for every route and role.
//! - Ids come from the path as `ApiPath<ThingId>`; one that is malformed or belongs to somebody else is 404. Queries are
//!   `ApiQuery<T>`, lists `Paging<Filters>`.
//! - `ApiJson<T>` is the only body extractor. It checks the JSON against the schema of `T`, then the rules of `garde`, and
//!   reports all faults at once. Unknown fields are refused. With `const UNKNOWN_FIELDS: UnknownFields = UnknownFields::Warned;`
//!   in `impl ApiBody for T` they are left out and named in `warnings`, and every field may be written in camelCase: for
//!   bodies of the seeds' routes.
//! - Closed sets of the model are `Word<Category>`, times are RFC 3339 text.
//! - A line for each handler in `router.rs`. The problems of a route, its second security scheme and its operation id
//!   are added to the document there, not in the attribute.
//! - `UPDATE_OPENAPI=1 cargo test --test it api` writes `docs/openapi.json`; a worked example goes into `docs/api.md`.

mod answer;
mod auth;
mod cursor;
mod discord_webhooks;
mod dispatch;
mod docs_page;
mod doctor;
mod document;
mod envelope;
mod json;
mod keys;
mod limits;
mod list;
mod path;
mod problem;
mod query;
mod role;
mod router;
mod rules;
mod state;
mod suggest;
mod word;

pub use router::{document, router};
pub use state::ApiState;
