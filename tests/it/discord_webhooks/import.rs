//! `nuncio discord-webhooks import`: from a file and from the old application's database.

use serde_json::{Value, json};

use super::{KEY, ROOT, call, harness};
use crate::harness::Harness;
use crate::portable::postgres::Postgres;
use crate::webhooks::{makes_webhook, url};

/// An address as it leads through somebody's proxy.
fn through_proxy(url: &str) -> String {
    format!("https://hooks.acme.example/discord{}", &url[url.find("/api/").unwrap()..])
}

/// Rows of every kind: two alive (one of them behind a proxy), one deleted, one twice, one that cannot be stored.
async fn rows(t: &Harness) -> Value {
    let (alive, behind, dead) =
        (url(t), makes_webhook(t, "assets").await, makes_webhook(t, "machines").await);
    let id = dead.rsplit('/').nth(1).unwrap().parse::<nuncio::sandbox::Snowflake>().unwrap();
    assert!(t.discord.delete_webhook(id));
    json!([
        {"id": "c1", "name": "Billing", "webhookUrl": alive, "type": "BILLING", "scope": "USER", "userId": "u-1",
         "enabled": false, "testSuccessAt": "2025-12-23T01:50:40.123", "avatarUrl": null},
        {"id": "c2", "name": "Ops", "webhookUrl": through_proxy(&behind), "type": "SYSTEM", "scope": "ADMIN", "userId": null,
         "enabled": true},
        {"id": "c3", "name": "Gone", "webhookUrl": dead, "type": "VPS", "scope": "ADMIN"},
        {"id": "c4", "name": "Billing again", "webhookUrl": alive, "type": "BILLING", "scope": "USER", "userId": "u-1"},
        {"id": "c5", "name": "Whose?", "webhookUrl": alive, "type": "VPS", "scope": "USER"},
    ])
}

async fn stored(t: &Harness) -> Vec<Value> {
    let (_, listed) = call(t, KEY, "GET", ROOT, None).await;
    listed.as_array().unwrap().clone()
}

#[tokio::test]
async fn a_dry_run_counts_and_the_import_stores_each_once() {
    let t = harness().await;
    let rows = rows(&t).await;
    let file = t.folder().join("old.json");
    std::fs::write(&file, rows.to_string()).unwrap();
    let import = [
        "discord-webhooks",
        "import",
        "--from",
        file.to_str().unwrap(),
        "--proxy-host",
        "hooks.acme.example",
    ];
    let summary = "2 alive, 1 deleted at Discord, 1 through your proxy: rewritten, 1 stored already, 1 that cannot be stored";
    let dry = t.runs(&import).await;
    assert_eq!((dry.code, dry.stdout.trim_end()), (1, summary), "{}", dry.stderr);
    assert!(dry.stderr.contains("row 5: it is of scope USER and has no owner"), "{}", dry.stderr);
    assert!(dry.stderr.contains("Nothing was stored"), "{}", dry.stderr);
    assert_eq!(stored(&t).await.len(), 0);
    let token = url(&t).rsplit('/').next().unwrap().to_owned();
    assert!(!dry.stderr.contains(&token) && !dry.stdout.contains(&token));

    let brand = ["--yes", "--brand", "Acme Hosting", "--brand-icon", "https://icons.example/a.png"];
    let ran = t.runs(&[&import[..], &brand].concat()).await;
    assert!(
        ran.stdout.starts_with(summary) && ran.stderr.contains("2 stored"),
        "{} {}",
        ran.stdout,
        ran.stderr
    );
    assert!(ran.stdout.contains("DISPATCH_NAME=") && ran.stdout.contains("Acme Hosting"), "{}", ran.stdout);
    let webhooks = stored(&t).await;
    assert_eq!(webhooks.len(), 2, "{webhooks:#?}");
    let billing = &webhooks[0];
    assert_eq!(
        (&billing["name"], &billing["user_id"], &billing["enabled"]),
        (&json!("Billing"), &json!("u-1"), &json!(false))
    );
    assert!(billing["test_success_at"].as_str().unwrap().starts_with("2025-12-23T01:50:40"), "{billing}");
    // The one behind the proxy leads to Discord itself.
    let ops = webhooks[1]["id"].as_str().unwrap();
    assert_eq!(
        call(&t, KEY, "POST", &format!("{ROOT}/{ops}/test"), Some(json!({}))).await.1["success"],
        true
    );
    t.channel("assets").next_message().await;
    // Nothing twice.
    let again = t.runs(&[&import[..], &["--yes"]].concat()).await;
    assert!(
        again.stdout.contains("3 stored already") && again.stderr.contains("0 stored"),
        "{} {}",
        again.stdout,
        again.stderr
    );
    assert_eq!(stored(&t).await.len(), 2);
    // Without the proxy's name, it is asked for; as CSV it reads the same.
    let csv = t.folder().join("old.csv");
    std::fs::write(
        &csv,
        format!("name,webhookUrl,type,scope\nOps,{},SYSTEM,ADMIN\n", through_proxy(&url(&t))),
    )
    .unwrap();
    let ran = t.runs(&["discord-webhooks", "import", "--from", csv.to_str().unwrap(), "--yes"]).await;
    assert!(ran.code == 1 && ran.stderr.contains("--proxy-host"), "{}", ran.stderr);
    let ran = t.runs(&["discord-webhooks", "import", "--from", "/nowhere.csv"]).await;
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    t.finish().await;
}

// Prisma's table with its enums, and the older setting.
#[tokio::test]
async fn the_old_database_is_read_as_it_is() {
    let Some(server) = Postgres::start() else {
        println!("no PostgreSQL is installed: the import from one was not tried");
        return;
    };
    let t = harness().await;
    let rows = rows(&t).await;
    server.psql(
        "CREATE TYPE \"DiscordWebhookType\" AS ENUM ('GAME_SERVER','VPS','SYSTEM','BILLING','SECURITY','SUPPORT','CUSTOM');\n\
         CREATE TYPE \"DiscordWebhookScope\" AS ENUM ('ADMIN','USER','PUBLIC');\n\
         CREATE TABLE discord_webhooks (id TEXT PRIMARY KEY, name TEXT NOT NULL, \"webhookUrl\" TEXT NOT NULL,\n\
         type \"DiscordWebhookType\" NOT NULL, scope \"DiscordWebhookScope\" NOT NULL, enabled BOOLEAN NOT NULL DEFAULT TRUE,\n\
         \"testSuccessAt\" TIMESTAMP(3), \"avatarUrl\" TEXT, \"createdAt\" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,\n\
         \"userId\" TEXT);\n\
         CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT);",
        true,
    );
    let text = |value: &Value| value.as_str().map_or("NULL".to_owned(), |text| format!("'{text}'"));
    for row in rows.as_array().unwrap() {
        let enabled = row["enabled"].as_bool().unwrap_or(true);
        server.psql(
            &format!(
                "INSERT INTO discord_webhooks (id, name, \"webhookUrl\", type, scope, enabled, \"testSuccessAt\", \"userId\") \
                 VALUES ({}, {}, {}, {}, {}, {enabled}, {}, {});",
                text(&row["id"]),
                text(&row["name"]),
                text(&row["webhookUrl"]),
                text(&row["type"]),
                text(&row["scope"]),
                text(&row["testSuccessAt"]),
                text(&row["userId"]),
            ),
            true,
        );
    }
    let older = json!([{"name": "Older", "url": makes_webhook(&t, "alerts").await, "type": "SUPPORT"}]);
    server.psql(
        &format!("INSERT INTO settings VALUES ('discord_webhooks', '{older}'), ('theme', 'dark');"),
        true,
    );
    let from = format!(
        "postgres://nuncio@localhost/postgres?schema=public&sslmode=disable&host={}",
        server.socket()
    );
    let ran = t
        .runs(&["discord-webhooks", "import", "--from", &from, "--proxy-host", "hooks.acme.example", "--yes"])
        .await;
    assert!(
        ran.stdout.starts_with("3 alive, 1 deleted at Discord, 1 through your proxy: rewritten"),
        "{} {}",
        ran.stdout,
        ran.stderr
    );
    let names: Vec<String> = stored(&t)
        .await
        .iter()
        .map(|webhook| format!("{} {}", webhook["name"].as_str().unwrap(), webhook["type"]))
        .collect();
    assert_eq!(names, ["Billing \"BILLING\"", "Ops \"SYSTEM\"", "Older \"SUPPORT\""]);
    let nobody = t
        .runs(&[
            "discord-webhooks",
            "import",
            "--from",
            "postgres://nuncio:canary@127.0.0.1:9/x?sslmode=disable",
        ])
        .await;
    assert!(nobody.code == 1 && !nobody.stderr.contains("canary"), "{}", nobody.stderr);
    t.finish().await;
}
