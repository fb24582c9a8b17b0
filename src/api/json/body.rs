//! The body extractor.

use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use garde::Validate;
use http_body_util::LengthLimitError;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use crate::api::answer::claim;
use crate::api::json::schema::{BodySchema, UnknownFields};
use crate::api::json::{parse, pointer};
use crate::api::problem::{Code, Fault, ProblemDetails};
use crate::model::IdempotencyClaim;

/// Maximum length of a body.
const LARGEST: usize = 1024 * 1024;

/// A type that a request's body can be.
pub(in crate::api) trait ApiBody:
    DeserializeOwned + Validate<Context = ()> + ToSchema + Send + 'static
{
    /// What happens to fields that the type does not have.
    const UNKNOWN_FIELDS: UnknownFields = UnknownFields::Refused;
}

/// The body of a request, checked. An empty one counts as `{}`.
pub(in crate::api) struct ApiJson<T> {
    /// The value.
    pub(in crate::api) value: T,
    /// What was left out of it: never anything if unknown fields are refused.
    pub(in crate::api) warnings: Vec<Fault>,
    /// The claim of its `Idempotency-ApiKeyView`, if it has one.
    pub(in crate::api) once: Option<IdempotencyClaim>,
}

/// The body of a request that needs none: `{}`, or nothing at all.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({}))]
pub(in crate::api) struct NoBody {}

impl ApiBody for NoBody {}

impl<S: Sync, T: ApiBody> FromRequest<S> for ApiJson<T> {
    type Rejection = ProblemDetails;

    async fn from_request(request: Request, _: &S) -> Result<Self, ProblemDetails> {
        check_type(request.headers())?;
        let (head, body) = request.into_parts();
        let declared =
            head.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        if declared.is_some_and(|length: u64| length > LARGEST as u64) {
            return Err(too_large());
        }
        let bytes = to_bytes(body, LARGEST).await.map_err(|error| {
            if error.into_inner().is::<LengthLimitError>() {
                return too_large();
            }
            ProblemDetails::new(
                Code::Incomplete,
                "The connection ended, or was too slow, before the whole body was there.",
            )
        })?;
        let once = claim(&head, &bytes)?;
        read(&bytes).map(|(value, warnings)| Self { value, warnings, once })
    }
}

fn too_large() -> ProblemDetails {
    ProblemDetails::new(Code::TooLarge, "The body is longer than 1 MiB.")
}

/// A body may be without a type, but not of another one.
fn check_type(headers: &HeaderMap) -> Result<(), ProblemDetails> {
    if headers.contains_key(header::CONTENT_ENCODING) {
        return Err(ProblemDetails::new(
            Code::UnsupportedMediaType,
            "Send the body uncompressed, without Content-Encoding.",
        ));
    }
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let is_json = match (types.next(), types.next()) {
        (None, _) => true,
        (Some(only), None) => only.to_str().is_ok_and(|text| {
            let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            essence == "application/json" || essence.starts_with("application/") && essence.ends_with("+json")
        }),
        (Some(_), Some(_)) => false,
    };
    if is_json {
        return Ok(());
    }
    let detail = "Send the body with Content-Type: application/json. With curl: --json '…'.";
    Err(ProblemDetails::new(Code::UnsupportedMediaType, detail))
}

fn read<T: ApiBody>(bytes: &Bytes) -> Result<(T, Vec<Fault>), ProblemDetails> {
    let (mut json, mut faults) = parse::parse(bytes)?;
    let (found, warnings) = BodySchema::of::<T>().check(&mut json, T::UNKNOWN_FIELDS);
    faults.extend(found);
    match serde_path_to_error::deserialize::<_, T>(json) {
        Ok(value) => {
            if let Err(report) = value.validate() {
                let found = report.iter().map(|(path, error)| (pointer::of_garde(path), error.message()));
                faults.extend(found.map(|(at, message)| Fault::new(at, "invalid", message)));
            }
            if faults.is_empty() { Ok((value, warnings)) } else { Err(ProblemDetails::invalid_body(faults)) }
        }
        Err(error) => {
            // What the schema has found is worded for people, and serde's first fault is one of those.
            if faults.is_empty() {
                let at = pointer::of_serde(error.path());
                faults.push(Fault::new(at, "invalid", error.into_inner().to_string()));
            }
            Err(ProblemDetails::invalid_body(faults))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::api::rules;

    #[derive(Debug, Deserialize, Validate, ToSchema)]
    struct Thing {
        #[garde(custom(rules::name))]
        name: String,
        #[garde(range(min = 1, max = 5))]
        count: Option<u8>,
        #[garde(dive)]
        #[serde(default)]
        parts: Vec<Part>,
    }

    #[derive(Debug, Deserialize, Validate, ToSchema)]
    struct Part {
        #[garde(length(chars, max = 3))]
        label: String,
    }

    impl ApiBody for Thing {}

    fn faults(body: Value) -> Vec<String> {
        match read::<Thing>(&body.to_string().into()) {
            Ok(_) => Vec::new(),
            Err(problem) => {
                let written = format!("{problem:?}");
                written
                    .split("pointer: ")
                    .skip(1)
                    .map(|fault| fault.split('"').nth(1).unwrap().to_owned())
                    .collect()
            }
        }
    }

    #[test]
    fn rules_and_unknown_fields_are_told_together() {
        assert_eq!(
            faults(json!({"name": "x", "count": 3, "parts": [{"label": "abc"}]})),
            Vec::<String>::new()
        );
        let body = json!({"name": "", "count": 9, "parts": [{"label": "abcd"}], "more": 1});
        let mut found = faults(body);
        found.sort();
        assert_eq!(found, ["/count", "/more", "/name", "/parts/0/label"]);
        // A number that its type does not hold is serde's to find.
        assert_eq!(faults(json!({"name": "x", "count": 300})), ["/count"]);
    }
}
