//! Who reads names, and who reads codes.

use serde_json::{Value, json};
use tracing::Level;

use crate::harness::{Harness, http};
use crate::limits::{health_says, ticket};

/// `/health` and the start page, as somebody with these headers sees them.
async fn seen(t: &Harness, headers: &[(&str, &str)]) -> (Value, String) {
    let mut bodies = Vec::new();
    for path in ["/health", "/"] {
        let mut request = http().get(t.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        bodies.push(request.send().await.unwrap().text().await.unwrap());
    }
    (serde_json::from_str(&bodies[0]).unwrap(), bodies[1].clone())
}

// Control: with `is_insider` always true.
#[tokio::test]
async fn strangers_read_codes_and_no_names() {
    const KEY: &str = "an-api-key-of-the-harness";
    let t = Harness::with(|variables| {
        let map = variables.get_mut("DISCORD_WEBHOOK_CHANNELS").unwrap();
        *map = json!({"ticket.*": ["1200000000000000099"]}).to_string();
        variables.insert("NUNCIO_API_KEY".to_owned(), KEY.to_owned());
    })
    .await;
    t.sends_body(ticket(1)).await;
    t.log.seen(Level::ERROR, "is closed").await;
    t.log.expect(Level::ERROR, "is closed");
    health_says(&t, "is closed", true).await;
    let bearer = format!("Bearer {KEY}");
    for insider in [&[][..], &[("x-forwarded-for", "192.0.2.7"), ("authorization", &bearer)]] {
        let (health, page) = seen(&t, insider).await;
        assert_eq!(health["status"], "degraded");
        let problems = health["problems"].to_string();
        assert!(problems.contains("1200000000000000099"), "{problems}");
        assert!(page.contains("1200000000000000099"), "{page}");
    }
    for stranger in [("x-forwarded-for", "192.0.2.7"), ("forwarded", "for=192.0.2.7"), ("via", "1.1 proxy")] {
        let (health, page) = seen(&t, &[stranger]).await;
        assert_eq!(health["status"], "degraded");
        assert_eq!(health["problems"], json!(["destination_closed"]), "{stranger:?}");
        assert!(page.contains("destination_closed") && !page.contains("1200000000000000099"), "{page}");
    }
    t.finish_with_backlog(1).await;
}
