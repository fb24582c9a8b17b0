//! Everything that leaves a trace, after the operator saw it and agreed: channels on Discord, `.env`, the webhook in
//! XTSystems, a test.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tokio_util::sync::CancellationToken;

use crate::config::{Config, Edited, EncryptionKey, Variables, edit};
use crate::doctor;
use crate::model::{AuditEntry, AuditOutcome};
use crate::setup::database::open;
use crate::setup::draft::{MAP, WRITTEN};
use crate::setup::{NewChannel, Plan, Setup, SetupOutcome, SetupStop, final_test};
use crate::xtsystems::{Registrar, RegistrationRequest, XtSystemsClient};

/// The head of a new file.
const HEAD: &str = "# The configuration of nuncio, made by `nuncio setup`: run it again to check or change it.\n\
                    # docs/configuration.md names every variable. Keep this file to yourself: it holds secrets.\n\n";

/// `.env` as it was when setup began.
pub(super) struct EnvFile {
    path: PathBuf,
    before: Option<String>,
}

impl EnvFile {
    /// Reads the file, and makes sure that it can be written.
    ///
    /// # Errors
    /// If it cannot be read or replaced.
    pub(super) fn read(folder: &Path) -> Result<Self, SetupStop> {
        let named = std::path::absolute(folder.join(".env")).unwrap_or_else(|_| folder.join(".env"));
        // A symbolic link stays: the file that it leads to is replaced.
        let path = fs::canonicalize(&named).unwrap_or(named);
        let before = match fs::read_to_string(&path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => {
                let why = format!("cannot be read ({})", error.kind());
                return Err(SetupStop::File {
                    path,
                    why,
                    remedy: "make it a text file in UTF-8 that this user may read.".to_owned(),
                });
            }
        };
        doctor::files::writable(path.parent().unwrap_or(Path::new("/"))).map_err(|obstacle| {
            SetupStop::File {
                path: obstacle.at,
                why: obstacle.why,
                remedy: "let this user write there (chown, chmod u+rwx), or run setup in another folder."
                    .to_owned(),
            }
        })?;
        Ok(Self { path, before })
    }

    fn edited(&self, values: &[(&str, String)]) -> Result<Edited, SetupStop> {
        let text = self.before.as_deref().filter(|text| !text.is_empty()).unwrap_or(HEAD);
        edit(text, values).ok_or_else(|| SetupStop::File {
            path: self.path.clone(),
            why: "could not be changed without changing something else in it".to_owned(),
            remedy:
                "this is a fault of nuncio's: please report it, with a .env without secrets that shows it."
                    .to_owned(),
        })
    }

    /// Replaces the file atomically: a reader sees the old one or the new one.
    fn write(&self, text: &str) -> Result<(), SetupStop> {
        self.replace(text).map_err(|error| self.unwritable(&error))
    }

    fn unwritable(&self, error: &std::io::Error) -> SetupStop {
        SetupStop::File {
            path: self.path.clone(),
            why: format!("could not be written ({error})"),
            remedy: "fix that, then run nuncio setup again.".to_owned(),
        }
    }

    /// Fails if the file is no longer what it was when setup began.
    fn is_unchanged(&self) -> std::io::Result<()> {
        let now = match fs::read_to_string(&self.path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        if now != self.before {
            return Err(std::io::Error::other("somebody else changed it meanwhile"));
        }
        Ok(())
    }

    fn replace(&self, text: &str) -> std::io::Result<()> {
        self.is_unchanged()?;
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        // Created with mode 0600, so that no other user can open it in between.
        let mut file = tempfile::Builder::new().prefix(".env-").tempfile_in(folder)?;
        file.as_file().set_permissions(fs::Permissions::from_mode(0o600))?;
        if let Ok(before) = fs::metadata(&self.path)
            && before.uid() != file.as_file().metadata()?.uid()
        {
            // root may set up for the user that nuncio runs as.
            std::os::unix::fs::fchown(file.as_file(), Some(before.uid()), Some(before.gid()))?;
        }
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(&self.path)?;
        fs::File::open(folder)?.sync_all()
    }
}

/// Shows the change, asks, and makes it.
pub(super) async fn all(
    setup: &mut Setup<'_>,
    file: &EnvFile,
    plan: Plan,
    stop: &CancellationToken,
) -> Result<SetupOutcome, SetupStop> {
    let mut values = wanted(setup, file);
    let edited = file.edited(&values)?;
    show(setup, file, &edited, &plan.new_channels);
    let config = setup.draft.config()?;
    let platform =
        XtSystemsClient::new(&config.xtsystems, setup.clock.clone()).filter(|_| !setup.options.no_register);
    let moved = match &platform {
        Some(platform) => Some(now_elsewhere(setup, &config, platform).await),
        None => None,
    };
    let steps = steps(setup, file, &edited, &plan, moved.as_ref());
    if !steps.is_empty() {
        setup.say(&format!("\nThis is done next:\n{}", steps.join("\n")));
        if !setup.prompt.confirm("Do it?", true)? {
            return Err(SetupStop::Aborted);
        }
    }
    // Before anything leaves a trace that `.env` would have to name.
    file.is_unchanged().map_err(|error| file.unwritable(&error))?;
    make_channels(setup, &plan, &mut values).await?;
    let edited = file.edited(&values)?;
    if !edited.changes.is_empty() {
        if let Err(stop) = file.write(&edited.text) {
            return Err(with_channels(stop, &plan));
        }
        setup.say(&format!("Wrote {} (mode 600).", file.path.display()));
    }
    let (config, mut is_well) = written(setup)?;
    let key = match &config.encryption {
        EncryptionKey::File { path, .. } if !path.exists() => Some(path.clone()),
        _ => None,
    };
    if let Some(platform) = &platform {
        is_well &= register(setup, &config, platform.clone()).await;
    }
    let tested = match setup.options.no_test {
        true => SetupOutcome { is_well: true, serves: false, is_running: false },
        false => final_test::run(setup, &config, &plan.servers, platform.as_ref(), stop).await,
    };
    if let Some(key) = key.filter(|key| key.exists()) {
        setup.say(&format!(
            "{} was made: it seals what nobody else may read. Keep a copy of it apart from the data.",
            key.display()
        ));
    }
    if !tested.serves && !tested.is_running {
        setup.say("Start it: nuncio (docs/running.md says how to keep it running).");
    }
    Ok(SetupOutcome { is_well: is_well && tested.is_well, ..tested })
}

/// The configuration that a start would load, with the values in force; true if those are the ones of `.env`.
fn written(setup: &mut Setup<'_>) -> Result<(Config, bool), SetupStop> {
    let mut variables = Variables::load(&setup.options.folder);
    let mut is_well = true;
    for name in WRITTEN {
        let Some(answer) = setup.draft.decided(name).map(str::to_owned) else { continue };
        if variables.value(name).unwrap_or_default() != answer {
            is_well = false;
            setup.say(&format!(
                "Attention: {name} is set to something else in the environment, which wins over .env. Take it out there \
                 before nuncio is started."
            ));
        }
        variables.set(name, Some(&answer));
    }
    Ok((Config::from_variables(&variables).map_err(SetupStop::Configuration)?, is_well))
}

/// What to write, in the order of the file: everything in the draft that the file lacks.
fn wanted(setup: &Setup<'_>, file: &EnvFile) -> Vec<(&'static str, String)> {
    let there = Variables::from_dotenv(file.before.as_deref().unwrap_or_default());
    let value = |name: &'static str| {
        let value = setup.draft.decided(name)?;
        let is_there = there.is_decided(name) && there.value(name).unwrap_or_default() == value;
        (!is_there).then(|| (name, value.to_owned()))
    };
    WRITTEN.into_iter().filter_map(value).collect()
}

fn show(setup: &mut Setup<'_>, file: &EnvFile, edited: &Edited, new: &[NewChannel]) {
    if edited.changes.is_empty() {
        setup.say(&format!("\n{}: nothing to change.", file.path.display()));
        return;
    }
    let is_new = if file.before.is_some() { "" } else { " (new)" };
    setup.say(&format!("\n{}{is_new}:", file.path.display()));
    for line in &edited.changes {
        if let Some(before) = &line.before {
            setup.say(&format!("  - {before}"));
        }
        let named = |text: String, channel: &NewChannel| {
            text.replace(&channel.placeholder.to_string(), &format!("the new #{}", channel.name))
        };
        setup.say(&format!("  + {}", new.iter().fold(line.after.clone(), named)));
    }
}

/// The next steps, a line each.
fn steps(
    setup: &Setup<'_>,
    file: &EnvFile,
    edited: &Edited,
    plan: &Plan,
    moved: Option<&Option<String>>,
) -> Vec<String> {
    let mut steps: Vec<String> = plan
        .new_channels
        .iter()
        .map(|channel| format!("  · make the channel #{} in {}", channel.name, plan.servers.home.name))
        .collect();
    if !edited.changes.is_empty() {
        steps.push(format!("  · write {}, readable by this user alone", file.path.display()));
    }
    if let Some(elsewhere) = moved {
        let instead = elsewhere.as_ref().map(|url| format!(", and no longer to {url}")).unwrap_or_default();
        steps.push(format!("  · have XTSystems send its events here, signed with the secret{instead}"));
    }
    if !setup.options.no_test {
        steps.push("  · send a test event, and wait until its card is in the channel".to_owned());
    }
    steps
}

/// Where our webhook in XTSystems sends now, if that is another address: someone may rely on it.
async fn now_elsewhere(setup: &mut Setup<'_>, config: &Config, platform: &XtSystemsClient) -> Option<String> {
    let url = config.webhook.url(config.webhook.port);
    setup.prompt.wait_for(Some("Reading the webhooks of XTSystems"));
    let found = setup.clock.within(doctor::LIMIT, platform.registration(&url)).await;
    setup.prompt.wait_for(None);
    let webhook = found?.ok()??;
    let same = |one: &str, other: &str| one.trim_end_matches('/') == other.trim_end_matches('/');
    (!same(&webhook.url, &url)).then_some(webhook.url)
}

/// Creates the channels, and replaces their placeholder ids.
async fn make_channels(
    setup: &mut Setup<'_>,
    plan: &Plan,
    values: &mut [(&'static str, String)],
) -> Result<(), SetupStop> {
    let server = &plan.servers.home;
    for (at, channel) in plan.new_channels.iter().enumerate() {
        let pass = plan.client.circuit_breaker().acquire().await;
        let id = plan.client.make_channel(pass, server.id, &channel.name).await.map_err(|failure| {
            let before = made(&plan.new_channels[..at], &server.name);
            SetupStop::Wrong {
                found: format!("Discord did not make #{} ({failure}).{before}", channel.name),
                remedy: "Run setup again and choose a channel that is there.".to_owned(),
            }
        })?;
        setup.say(&format!("Made the channel #{} in {}.", channel.name, server.name));
        for (_, value) in values.iter_mut().filter(|(name, _)| *name == MAP) {
            *value = value.replace(&channel.placeholder.to_string(), &id.to_string());
            setup.draft.set(MAP, value);
        }
    }
    Ok(())
}

/// What stays at Discord though a later step failed; empty if nothing does.
fn made(channels: &[NewChannel], server: &str) -> String {
    if channels.is_empty() {
        return String::new();
    }
    let names: Vec<String> = channels.iter().map(|channel| format!("#{}", channel.name)).collect();
    format!(
        " In {server}, setup already made {}: the next run uses it if you give the same name.",
        names.join(", ")
    )
}

fn with_channels(stop: SetupStop, plan: &Plan) -> SetupStop {
    match stop {
        SetupStop::File { path, why, remedy } => {
            let made = made(&plan.new_channels, &plan.servers.home.name);
            SetupStop::File { path, why, remedy: format!("{remedy}{made}") }
        }
        stop => stop,
    }
}

/// Registers the webhook as `nuncio webhooks register` does, and records it in the audit log. True if it worked.
async fn register(setup: &mut Setup<'_>, config: &Config, platform: XtSystemsClient) -> bool {
    let url = config.webhook.url(config.webhook.port);
    let store = match open(setup, config).await {
        Ok(store) => store,
        Err(why) => {
            setup.say(&format!(
                "Not registered: nothing is changed that cannot be noted in the database ({why})."
            ));
            return false;
        }
    };
    let registrar = Registrar::new(Some(platform), url, config.webhook.secret.clone());
    setup.prompt.wait_for(Some("Registering the webhook in XTSystems"));
    let done = registrar.register(&RegistrationRequest::default()).await;
    setup.prompt.wait_for(None);
    let entry = AuditEntry::new(setup.options.actor.clone(), "command.register-webhook", "webhook");
    let entry = match &done {
        Ok(_) => entry,
        Err(why) => AuditEntry { outcome: AuditOutcome::Failed, detail: why.to_string(), ..entry },
    };
    if let Err(error) = store.audit(entry).await {
        setup.say(&format!("This is not in the audit log, which could not be written: {error}"));
    }
    store.close().await;
    match &done {
        Ok(registration) => {
            setup.say(&format!("XTSystems sends its events to {}, signed.", registration.url));
            true
        }
        Err(why) => {
            setup.say(&format!("{why} Then: nuncio webhooks register"));
            false
        }
    }
}
