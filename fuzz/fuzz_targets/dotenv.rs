//! Any `.env` is a configuration, or a report that holds no value of a variable.

#![no_main]

use libfuzzer_sys::fuzz_target;
use nuncio::config::{self, Config, Variables};

fuzz_target!(|input: &[u8]| {
    let variables = Variables::new(std::iter::empty(), Some(input));
    match Config::from_variables(&variables) {
        Ok(config) => {
            assert!(config.webhook.secret.is_some() || config.api_key.is_some());
            assert!(config.webhook.path.starts_with('/'));
            let shown = format!("{config:?}");
            for secret in [&config.webhook.secret, &config.api_key].into_iter().flatten() {
                assert!(secret.expose().len() >= 16);
                assert!(!shown.contains(secret.expose()) || secret.expose().len() < 24);
            }
            let _ = config::table(&config.routes);
        }
        Err(report) => assert!(!report.to_string().is_empty()),
    }
    // The map alone, as it stands in the variable.
    if let Ok(text) = std::str::from_utf8(input) {
        let names = ["DISCORD_WEBHOOK_CHANNELS", "PING", "RATE_LIMIT", "TRUSTED_PROXIES", "WEBHOOK_BODY_LIMIT"];
        for name in names {
            let _ = Config::from_variables(&Variables::from_map([
                ("WEBHOOK_SECRET", "0123456789abcdef0123456789abcdef"),
                (name, text),
            ]));
        }
    }
});
