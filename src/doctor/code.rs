//! The stable codes of all checks. Each has a section in `docs/doctor.md`; a test compares the two.

/// A group of checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeGroup {
    /// `.env`, folders, the key and the database.
    Files,
    /// The values of variables.
    Configuration,
    /// The bot, its guilds and its channels.
    Discord,
    /// The platform's API: its address, our key, our registration.
    XtSystems,
    /// How events reach nuncio: the port and the public address.
    Ingress,
    /// The offset of this machine's clock.
    Clock,
    /// Waiting and dead deliveries, events without a route, refused requests.
    Queue,
    /// What `--send` sent.
    Test,
}

impl CodeGroup {
    /// Every group, in the order of the output.
    pub const ALL: [Self; 8] = [
        Self::Files,
        Self::Configuration,
        Self::Discord,
        Self::XtSystems,
        Self::Ingress,
        Self::Clock,
        Self::Queue,
        Self::Test,
    ];

    /// The name in the output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Configuration => "configuration",
            Self::Discord => "discord",
            Self::XtSystems => "xtsystems",
            Self::Ingress => "ingress",
            Self::Clock => "clock",
            Self::Queue => "queue",
            Self::Test => "test",
        }
    }
}

macro_rules! codes {
    ($($group:ident { $($name:ident = $text:literal,)* })*) => {
        /// The stable code of a finding. Its text never changes: monitors may rely on it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code {
            $($(#[doc = $text] $name,)*)*
        }

        impl Code {
            /// Every code, group by group.
            pub const ALL: &'static [Self] = &[$($(Self::$name,)*)*];

            /// The text in the output and in the documentation.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($(Self::$name => $text,)*)*
                }
            }

            /// The group that shows it.
            #[must_use]
            pub const fn group(self) -> CodeGroup {
                match self {
                    $($(Self::$name => CodeGroup::$group,)*)*
                }
            }
        }
    };
}

codes! {
    Files {
        EnvFile = "env-file",
        EnvFileOpen = "env-file-open",
        User = "user",
        UserIsRoot = "user-is-root",
        DataFolder = "data-folder",
        DataFolderUnwritable = "data-folder-unwritable",
        DataFolderReadOnly = "data-folder-read-only",
        NetworkFileSystem = "network-file-system",
        DiskNearlyFull = "disk-nearly-full",
        LogFolder = "log-folder",
        LogFolderUnwritable = "log-folder-unwritable",
        KeyFile = "key-file",
        KeyFileOpen = "key-file-open",
        KeyFileUnusable = "key-file-unusable",
        KeyFileMissing = "key-file-missing",
        KeyDoesNotFit = "key-does-not-fit",
        Database = "database",
        DatabaseOpen = "database-open",
        DatabaseUnusable = "database-unusable",
        DatabaseDamaged = "database-damaged",
        Retention = "retention",
        NuncioRunning = "nuncio-running",
    }
    Configuration {
        Configuration = "configuration",
        ConfigurationRefused = "configuration-refused",
        ConfigurationNote = "configuration-note",
        EnvFileUnreadable = "env-file-unreadable",
        QuotesTakenLiterally = "quotes-taken-literally",
        SecretMissing = "secret-missing",
        SecretTooShort = "secret-too-short",
        SecretWeak = "secret-weak",
        DiscordTokenMalformed = "discord-token-malformed",
        MapEmpty = "map-empty",
        MapKindUnknown = "map-kind-unknown",
    }
    Discord {
        DiscordToken = "discord-token",
        DiscordTokenMissing = "discord-token-missing",
        DiscordTokenRefused = "discord-token-refused",
        DiscordUnreachable = "discord-unreachable",
        DiscordLoginsLow = "discord-logins-low",
        DiscordTokenShared = "discord-token-shared",
        BotOffline = "bot-offline",
        DiscordApplication = "discord-application",
        DiscordApplicationDiffers = "discord-application-differs",
        DiscordInteractionsEndpoint = "discord-interactions-endpoint",
        DiscordServers = "discord-servers",
        DiscordServersUnread = "discord-servers-unread",
        DiscordNoServer = "discord-no-server",
        DiscordServerUnknown = "discord-server-unknown",
        BotTimedOut = "bot-timed-out",
        RoleUnknown = "role-unknown",
        RoleIsEveryone = "role-is-everyone",
        PingRoleUnknown = "ping-role-unknown",
        PingReachesNobody = "ping-reaches-nobody",
        Channel = "channel",
        ChannelUnknown = "channel-unknown",
        ChannelUnfit = "channel-unfit",
        ChannelPermissionMissing = "channel-permission-missing",
        Commands = "commands",
        CommandsOutdated = "commands-outdated",
        CommandsForeign = "commands-foreign",
        CommandsScopeMissing = "commands-scope-missing",
        Webhook = "webhook",
        WebhookGone = "webhook-gone",
        WebhookTokenRefused = "webhook-token-refused",
        WebhookClosed = "webhook-closed",
        WebhooksUnread = "webhooks-unread",
        WebhookUnknown = "webhook-unknown",
    }
    XtSystems {
        Xtsystems = "xtsystems",
        XtsystemsUnreachable = "xtsystems-unreachable",
        XtsystemsKeyRefused = "xtsystems-key-refused",
        XtsystemsWrongAddress = "xtsystems-wrong-address",
        XtsystemsFailing = "xtsystems-failing",
        XtsystemsNotRegistered = "xtsystems-not-registered",
        XtsystemsRegisteredElsewhere = "xtsystems-registered-elsewhere",
        XtsystemsRegistrationInactive = "xtsystems-registration-inactive",
        XtsystemsOutOfReach = "xtsystems-out-of-reach",
        XtsystemsCalls = "xtsystems-calls",
        XtsystemsCallsUnknown = "xtsystems-calls-unknown",
        XtsystemsCallMissing = "xtsystems-call-missing",
    }
    Ingress {
        Port = "port",
        PortTaken = "port-taken",
        AddressUnusable = "address-unusable",
        OtherNuncio = "other-nuncio",
        PortNotServed = "port-not-served",
        SecretStale = "secret-stale",
        PublicUrl = "public-url",
        PublicUrlUntried = "public-url-untried",
        PublicUrlUnreachable = "public-url-unreachable",
        PublicUrlCertificate = "public-url-certificate",
        PublicUrlRedirects = "public-url-redirects",
        PublicUrlElsewhere = "public-url-elsewhere",
        PublicUrlOtherNuncio = "public-url-other-nuncio",
        PublicUrlPath = "public-url-path",
        PublicUrlHeaders = "public-url-headers",
        PublicUrlBody = "public-url-body",
        ProxyNotTrusted = "proxy-not-trusted",
        ProxyBelievesSenders = "proxy-believes-senders",
        ProxyHidesSender = "proxy-hides-sender",
    }
    Clock {
        Clock = "clock",
        ClockSkewed = "clock-skewed",
    }
    Queue {
        Queue = "queue",
        DeadLetters = "dead-letters",
        DeliveriesWaiting = "deliveries-waiting",
        EventsUnrouted = "events-unrouted",
        CallsHeld = "calls-held",
        Lane = "lane",
        LaneInTrouble = "lane-in-trouble",
        RefusedLately = "refused-lately",
    }
    Test {
        TestSkipped = "test-skipped",
        TestEvent = "test-event",
        TestEventRefused = "test-event-refused",
        TestCard = "test-card",
        TestCardWaits = "test-card-waits",
        TestCardFailed = "test-card-failed",
        TestFromXtsystems = "test-from-xtsystems",
        TestFromXtsystemsFailed = "test-from-xtsystems-failed",
        XtsystemsSecretDiffers = "xtsystems-secret-differs",
        XtsystemsSecretPrevious = "xtsystems-secret-previous",
    }
}
