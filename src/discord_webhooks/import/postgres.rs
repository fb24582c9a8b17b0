//! Rows of the old application's PostgreSQL: its table of webhooks, and the older setting. Nothing is written there.

use std::error::Error as _;
use std::time::Duration;

use postgres_native_tls::MakeTlsConnector;
use serde_json::Value;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};

use crate::clock::Clock;
use crate::discord_webhooks::import::{UnreadableSource, row};
use crate::outgoing;

/// How long everything may take.
const LIMIT: Duration = Duration::from_secs(60);
/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(10);

/// The tables of webhooks, by the names that Prisma gives them.
const TABLES: &str = "SELECT table_schema, table_name FROM information_schema.tables \
     WHERE table_name IN ('discord_webhooks', 'DiscordWebhook', 'discord_webhook', 'DiscordWebhooks') \
     AND table_type = 'BASE TABLE' ORDER BY table_schema, table_name";
/// Columns that are named like the older setting.
const COLUMNS: &str = "SELECT table_schema, table_name, column_name FROM information_schema.columns \
     WHERE column_name IN ('discord_webhooks', 'discordWebhooks') \
     AND table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2, 3";
/// Tables of settings: a name and a value in each row.
const SETTINGS: &str = "SELECT k.table_schema, k.table_name, k.column_name, v.column_name \
     FROM information_schema.columns AS k JOIN information_schema.columns AS v \
     ON v.table_schema = k.table_schema AND v.table_name = k.table_name \
     WHERE k.column_name IN ('key', 'name') AND v.column_name IN ('value', 'data') \
     AND k.table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2, 3, 4";

/// Reads webhooks from the database at `url`.
///
/// # Errors
/// If it cannot be read, or holds no webhooks. The error does not repeat `url`.
pub async fn read_postgres(url: &str, clock: &Clock) -> Result<Vec<Value>, UnreadableSource> {
    let reading = async {
        let client = connect(url).await?;
        client
            .batch_execute("SET default_transaction_read_only = on; SET statement_timeout = '30s'")
            .await
            .map_err(of)?;
        let mut found = Vec::new();
        for name in query(&client, TABLES).await? {
            found.extend(
                values(&client, &format!("SELECT to_jsonb(t)::text FROM {} AS t", place(&name))).await?,
            );
        }
        for name in query(&client, COLUMNS).await? {
            let [_, _, column] = name.as_slice() else { continue };
            let column = quoted(column);
            let sql = format!(
                "SELECT to_jsonb(t.{column})::text FROM {} AS t WHERE t.{column} IS NOT NULL",
                place(&name)
            );
            found.extend(values(&client, &sql).await?);
        }
        for name in query(&client, SETTINGS).await? {
            let [_, _, key, value] = name.as_slice() else { continue };
            let (key, value) = (quoted(key), quoted(value));
            let sql = format!(
                "SELECT to_jsonb(t.{value})::text FROM {} AS t WHERE t.{key}::text IN ('discord_webhooks', 'discordWebhooks') \
                 AND t.{value} IS NOT NULL",
                place(&name)
            );
            found.extend(values(&client, &sql).await?);
        }
        Ok(found)
    };
    let found = clock
        .within(LIMIT, reading)
        .await
        .unwrap_or_else(|| Err(UnreadableSource("no answer in time".to_owned())))?;
    let rows: Vec<Value> = found.into_iter().flat_map(row::rows).collect();
    match rows.is_empty() {
        true => Err(UnreadableSource(
            "it holds no webhooks in a table discord_webhooks or DiscordWebhook".to_owned(),
        )),
        false => Ok(rows),
    }
}

async fn connect(url: &str) -> Result<Client, UnreadableSource> {
    let mut config: Config = without_prismas_own(url).parse().map_err(|_| {
        UnreadableSource("the address is not postgres://USER:PASSWORD@HOST:PORT/DATABASE".to_owned())
    })?;
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT);
    }
    let tls = outgoing::tls().filter(|_| config.get_ssl_mode() != SslMode::Disable);
    // The task ends with the client.
    Ok(match tls {
        Some(tls) => {
            let (client, connection) = config.connect(MakeTlsConnector::new(tls)).await.map_err(of)?;
            tokio::spawn(async move { drop(connection.await) });
            client
        }
        None => {
            let (client, connection) = config.connect(NoTls).await.map_err(of)?;
            tokio::spawn(async move { drop(connection.await) });
            client
        }
    })
}

/// The address without parameters that only Prisma knows, such as `schema` and `connection_limit`.
fn without_prismas_own(url: &str) -> String {
    let Some((address, parameters)) = url.split_once('?') else { return url.to_owned() };
    let known =
        ["sslmode", "host", "hostaddr", "port", "user", "connect_timeout", "application_name", "options"];
    let is_known = |pair: &&str| known.contains(&pair.split('=').next().unwrap_or_default());
    let kept: Vec<&str> = parameters.split('&').filter(is_known).collect();
    format!("{address}?{}", kept.join("&"))
}

/// The rows of a query, as text.
async fn query(client: &Client, sql: &str) -> Result<Vec<Vec<String>>, UnreadableSource> {
    let messages = client.simple_query(sql).await.map_err(of)?;
    let rows = messages.into_iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    let texts = rows.map(|row| (0..row.len()).map(|at| row.get(at).unwrap_or_default().to_owned()).collect());
    Ok(texts.collect())
}

/// The rows of a query of JSON.
async fn values(client: &Client, sql: &str) -> Result<Vec<Value>, UnreadableSource> {
    let rows = query(client, sql).await?;
    Ok(rows.iter().filter_map(|row| serde_json::from_str(row.first()?).ok()).collect())
}

/// `"schema"."table"`.
fn place(name: &[String]) -> String {
    let parts: Vec<String> = name.iter().take(2).map(|part| quoted(part)).collect();
    parts.join(".")
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// What the database or the network says.
fn of(error: tokio_postgres::Error) -> UnreadableSource {
    let reason = match (error.as_db_error(), error.source()) {
        (Some(reason), _) => reason.message().to_owned(),
        (None, Some(source)) => source.to_string(),
        (None, None) => error.to_string(),
    };
    UnreadableSource(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prismas_parameters_are_left_out_and_names_are_quoted() {
        let url = "postgresql://u:p@h:5432/db?schema=public&sslmode=require&connection_limit=1";
        assert_eq!(without_prismas_own(url), "postgresql://u:p@h:5432/db?sslmode=require");
        assert!(without_prismas_own("postgres://u@h/db?schema=x").parse::<Config>().is_ok());
        assert_eq!(place(&["public".to_owned(), "a\"b".to_owned()]), "\"public\".\"a\"\"b\"");
    }
}
