use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::sandbox::discord::{Discord, Setup};
use crate::sandbox::serve;

/// Reads the stream up to the next event named `name`, and returns its data.
async fn next_event(stream: &mut reqwest::Response, name: &str) -> Value {
    let mut text = String::new();
    loop {
        while let Some((event, rest)) = text.split_once("\n\n") {
            let data = event.lines().find_map(|line| line.strip_prefix("data: "));
            let event: Value = data.map_or(Value::Null, |data| serde_json::from_str(data).unwrap());
            text = rest.to_owned();
            if event["t"] == name {
                return event["d"].clone();
            }
        }
        text.push_str(std::str::from_utf8(&stream.chunk().await.unwrap().unwrap()).unwrap());
    }
}

#[tokio::test]
async fn the_page_has_its_state_and_hears_what_happens() {
    let discord = Discord::new(Clock::system(), Setup::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let stop = CancellationToken::new();
    let serving = tokio::spawn(serve(discord.clone(), listener, stop.clone()));
    let client = reqwest::Client::new();

    for (path, kind) in [("/", "text/html"), ("/style.css", "text/css"), ("/app.js", "text/javascript")] {
        let answer = client.get(format!("{base}{path}")).send().await.unwrap();
        assert!(answer.headers()["content-type"].to_str().unwrap().starts_with(kind));
        let policy = answer.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"));
    }

    let mut stream = client.get(format!("{base}/sandbox/stream")).send().await.unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let tickets = discord.channel_id("tickets").unwrap();
    let made = client
        .post(format!("{base}/api/channels/{tickets}/messages"))
        .header("Authorization", format!("Bot {}", discord.bot_token().expose()))
        .json(&json!({"content": "hello"}))
        .send()
        .await
        .unwrap();
    assert_eq!(made.status(), 200);
    assert_eq!(next_event(&mut stream, "MESSAGE_CREATE").await["content"], "hello");
    discord.delete_channel(discord.channel_id("general").unwrap());
    assert_eq!(next_event(&mut stream, "CHANNEL_DELETE").await["name"], "general");

    let state: Value =
        client.get(format!("{base}/sandbox/state")).send().await.unwrap().json().await.unwrap();
    let names: Vec<_> = state["guilds"][0]["channels"]
        .as_array()
        .unwrap()
        .iter()
        .map(|channel| channel["name"].clone())
        .collect();
    assert_eq!(names, ["tickets", "machines", "assets", "alerts", "ideas"]);
    assert_eq!(state["messages"][tickets.to_string()][0]["content"], "hello");
    assert_eq!((&state["me"]["username"], &state["counts"]["sent"]), (&json!("alice"), &json!(1)));
    assert!(!state.to_string().contains(discord.bot_token().expose()));
    let alice = &state["people"][0];
    assert_eq!((&alice["username"], &alice["name"]), (&json!("alice"), &json!("Alice")));
    assert_eq!(alice["token"], discord.user_token().expose());

    let again = client.get(format!("{base}/sandbox/stream")).header("Last-Event-ID", "1").send().await;
    assert_eq!(next_event(&mut again.unwrap(), "SANDBOX_RELOAD").await, Value::Null);

    stop.cancel();
    while stream.chunk().await.is_ok_and(|chunk| chunk.is_some()) {}
    drop(client);
    serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_page_learns_what_became_of_a_click_but_not_the_token_to_answer_it() {
    let discord = Discord::new(Clock::system(), Setup::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let stop = CancellationToken::new();
    let serving = tokio::spawn(serve(discord.clone(), listener, stop.clone()));
    let client = reqwest::Client::new();
    let ask = |token: String, path: String, body: Value| {
        client.post(format!("{base}/api{path}")).header("Authorization", token).json(&body).send()
    };
    let bot = format!("Bot {}", discord.bot_token().expose());
    let commands =
        format!("/applications/{}/guilds/{}/commands", discord.application_id(), discord.guild_id());
    ask(bot, commands, json!({"name": "ping", "description": "p"})).await.unwrap();
    let mut stream = client.get(format!("{base}/sandbox/stream")).send().await.unwrap();
    let mut events = discord.dispatches();
    let used = json!({"type": 2, "channel_id": discord.channel_id("general"), "nonce": "7",
        "data": {"name": "ping"}});
    let alice = discord.user_token().expose().to_owned();
    assert_eq!(ask(alice, "/interactions".to_owned(), used).await.unwrap().status(), 204);
    let sent = loop {
        let dispatch = events.recv().await.unwrap();
        if dispatch.t == "INTERACTION_CREATE" {
            break dispatch.d.clone();
        }
    };
    let (id, token) = (sent["id"].as_str().unwrap(), sent["token"].as_str().unwrap());
    let answer = json!({"type": 4, "data": {"content": "pong", "flags": 64}});
    let path = format!("/interactions/{id}/{token}/callback");
    assert_eq!(ask(String::new(), path, answer).await.unwrap().status(), 204);

    // Everything up to the event with the answer.
    let mut text = String::new();
    while !text.contains("\"answered\"") {
        text.push_str(std::str::from_utf8(&stream.chunk().await.unwrap().unwrap()).unwrap());
    }
    assert!(text.contains("\"state\":\"opened\"") && text.contains("SANDBOX_EPHEMERAL"), "{text}");
    assert!(!text.contains(token) && !text.contains("INTERACTION_CREATE"), "{text}");

    let state: Value =
        client.get(format!("{base}/sandbox/state")).send().await.unwrap().json().await.unwrap();
    assert_eq!(state["commands"][0]["name"], "ping");
    assert_eq!(state["ephemeral"][0]["message"]["content"], "pong");
    assert_eq!(state["ephemeral"][0]["user_id"], json!(discord.user_id("alice")));
    drop(stream);
    drop(client);
    stop.cancel();
    serving.await.unwrap().unwrap();
}

/// The page before any script runs, and what a screen reader needs. Checked with axe-core and Chromium, light and
/// dark, wide and narrow: no violation.
#[test]
fn the_page_says_what_it_is_without_a_script_and_names_what_it_holds() {
    let html = include_str!("../../page/index.html");
    assert!(html.starts_with("<!doctype html>\n<html lang=\"en\">"));
    assert_eq!(html.matches("<h1").count(), 1, "one heading says what this is");
    for part in [
        "<noscript>",
        "<h1 id=\"about-title\">",
        "<p id=\"about-text\">",
        "<title>",
        "<a class=\"skip\" href=\"#messages\">",
        // Changes are announced to screen readers.
        "<p id=\"announcer\" class=\"sr-only\" aria-live=\"polite\">",
        "id=\"banner\" class=\"banner\" role=\"status\"",
        "id=\"note\" class=\"note\" role=\"status\"",
        // The counts are labeled with their owner.
        "aria-labelledby=\"demo-owner\"",
        "aria-labelledby=\"counts-owner\"",
        ">Events through nuncio:<",
        ">Requests to this Discord:<",
        "<ol id=\"messages\" tabindex=\"-1\" aria-label=\"Messages\">",
    ] {
        assert!(html.contains(part), "{part}");
    }
    // Every referenced element exists, with a unique id.
    let named = |attribute: &str| -> Vec<String> {
        let begin = format!(" {attribute}=\"");
        html.split(&begin).skip(1).map(|part| part.split('"').next().unwrap().to_owned()).collect()
    };
    let ids = named("id");
    for attribute in ["aria-labelledby", "aria-controls"] {
        assert!(named(attribute).iter().all(|id| ids.contains(id)), "{attribute}");
    }
    let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len(), "an id twice");
    // Every button has a name: its text, or one for screen readers only.
    for button in html.split("<button ").skip(1) {
        let inside = button.split("</button>").next().unwrap().split_once('>').unwrap().1;
        let text: String =
            inside.split('<').map(|part| part.split_once('>').map_or(part, |it| it.1)).collect();
        assert!(!text.trim().is_empty(), "a button without a name: {button}");
    }
    // The pressed button keeps the focus: `disabled` would take it away.
    let demo = include_str!("../../page/demo.js");
    assert!(!demo.contains(".disabled") && demo.contains("aria-disabled"), "the button loses the focus");
}
