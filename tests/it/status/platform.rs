//! XTSystems away, failing, or refusing the key: said before anybody decides something.

use std::time::Duration;

use tracing::Level;

use crate::harness::{Answering, Harness, Receiver};
use crate::limits::health_says;

// O-1. Control: without the probe nothing is said until somebody decides.
#[tokio::test]
async fn a_platform_that_is_away_is_a_problem_before_anybody_decides() {
    let t = Harness::with(|variables| {
        variables.insert("XTSYSTEMS_API_URL".to_owned(), "http://127.0.0.1:9".to_owned());
        variables.insert("XTSYSTEMS_API_KEY".to_owned(), "a-key-of-the-harness".to_owned());
    })
    .await;
    health_says(&t, "XTSystems (http://127.0.0.1:9) cannot be reached", true).await;
    t.finish().await;
}

#[tokio::test]
async fn what_is_wrong_with_the_platform_is_said_as_long_as_it_is() {
    let platform = Receiver::start().await;
    platform.answers_reads_in_turn();
    platform.next(1, &Answering::With(503, "down"));
    platform.next(1, &Answering::With(401, "no"));
    platform.next(9, &Answering::With(200, "[]"));
    let t = Harness::with(|variables| {
        variables.insert("XTSYSTEMS_API_URL".to_owned(), platform.url());
        variables.insert("XTSYSTEMS_API_KEY".to_owned(), "a-key-of-the-harness".to_owned());
    })
    .await;
    health_says(&t, "answers 503", true).await;
    t.clock.advance(Duration::from_secs(30));
    health_says(&t, "XTSystems refused XTSYSTEMS_API_KEY (401)", true).await;
    t.log.expect(Level::ERROR, "XTSystems refused XTSYSTEMS_API_KEY (401)");
    health_says(&t, "answers 503", false).await;
    t.clock.advance(Duration::from_secs(5 * 60));
    health_says(&t, "XTSYSTEMS_API_KEY", false).await;
    t.finish().await;
}
