//! While the channel takes nothing, worse alerts come: what was chosen for cards is chosen again.

use std::time::Duration;

use nuncio::sandbox::discord::Fault;

use super::{alert, all_at_once, assert_all_named, critical, embeds, is_digest};
use crate::limits::{recorded, until_posted};
use crate::storms::{one_channel, read_all, settle_in_time};

// Control: without `choose_worst_again` the digests name them.
#[tokio::test]
async fn what_is_worse_and_comes_while_the_channel_takes_nothing_has_cards_too() {
    let t = one_channel().await;
    all_at_once(&t, (0..300).map(|number| alert(number, "error")).collect()).await;
    until_posted(&t, 1).await;
    recorded(&t).await;
    t.discord.faults().next_on("POST", 1, Fault::rate_limited(Duration::from_secs(30), "user"));
    t.clock.advance(Duration::from_secs(31));
    until_posted(&t, 2).await;
    for number in 300..350 {
        t.sends_body(critical(number)).await;
    }
    settle_in_time(&t).await;
    let messages = read_all(&t).await;
    assert_all_named(&messages, 350);
    let cards = messages.iter().take_while(|message| !is_digest(message)).flat_map(embeds);
    let critical = cards.filter(|card| card["title"].as_str().unwrap().contains("CRITICAL")).count();
    assert_eq!(critical, 50);
    t.finish().await;
}
