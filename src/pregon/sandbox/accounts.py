"""The sandbox's own accounts. Every value is made up and opens nothing outside this machine."""

# ruff: noqa: S105 - none of these is a secret

SENDGRID_API_KEY = "SG.sandbox-key.not-a-real-key"

X_CONSUMER_KEY = "SandboxConsumerKey00000001"
X_CONSUMER_SECRET = "sandbox-consumer-secret"
X_USER_ID = "1000000000000000001"
X_USERNAME = "tidalcities"
X_ACCESS_TOKEN = f"{X_USER_ID}-SandboxAccessToken"
X_ACCESS_TOKEN_SECRET = "sandbox-access-token-secret"
X_CLIENT_ID = "sandbox-client-id"
X_CLIENT_SECRET = "sandbox-x-client-secret"
X_REFRESH_TOKEN = "sandbox-first-refresh-token"

BLUESKY_HANDLE = "tidalcities.example"
BLUESKY_PASSWORD = "sandbox-app-password"
DISCOURSE_KEY = "sandbox-forum-key"
DISCOURSE_USER = "secretariat"
MASTODON_TOKEN = "sandbox-mastodon-token"

YOUTUBE_CLIENT_ID = "sandbox.apps.example"
YOUTUBE_CLIENT_SECRET = "sandbox-client-secret"
YOUTUBE_REFRESH_TOKEN = "1//sandbox-refresh-token"
YOUTUBE_CHANNEL_ID = "UCsandbox-tidal-cities-0"
YOUTUBE_TITLE = "Tidal Cities Network"

# Playlist -> (title, the videos it starts with).
PLAYLISTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "PLtidal-en": ("Tidal Cities Network", ("tidalEn0001", "tidalEn0002")),
    "PLtidal-fr": ("Réseau des villes de marée", ("tidalFr0001", "tidalFr0002")),
    "PLtidal-es": ("Red de Ciudades de Marea", ("tidalEs0001",)),
}
