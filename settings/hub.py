"""The hub's own settings, read from the environment; `.env.example` explains each of them."""

import tomllib
from pathlib import Path

from settings import env

BASE_DIR = Path(__file__).resolve().parent.parent
HUB_VERSION: str = tomllib.loads((BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))[
    "project"
]["version"]

# Who the hub is
HUB_PUBLIC_URL = env.url("HUB_PUBLIC_URL", schemes=("https", "http"))
HUB_IS_HTTPS = HUB_PUBLIC_URL.startswith("https://")
HUB_COUNTRY_CODE = env.text("HUB_COUNTRY_CODE").upper()
HUB_PARTY_ID = env.text("HUB_PARTY_ID").upper()
HUB_NAME = env.text("HUB_NAME", "OCPI roaming hub")
HUB_COLOUR = env.colour("HUB_COLOUR", "#0f766e")
HUB_WEBSITE = env.url("HUB_WEBSITE", HUB_PUBLIC_URL, schemes=("https", "http"))
HUB_LOGO_URL = env.url(
    "HUB_LOGO_URL", f"{HUB_PUBLIC_URL}/static/logo.png", schemes=("https", "http")
)
if len(HUB_COUNTRY_CODE) != 2 or len(HUB_PARTY_ID) != 3:  # noqa: PLR2004 - lengths of the specification
    sentence = "HUB_COUNTRY_CODE takes two characters, HUB_PARTY_ID three (see .env.example)"
    raise env.Misconfigured(sentence)

# Who may exchange data, and with which addresses the hub speaks
HUB_ACCESS = env.choice("HUB_ACCESS", "agreement", among=("agreement", "open"))
HUB_ALLOW_PRIVATE_ADDRESSES = env.boolean("HUB_ALLOW_PRIVATE_ADDRESSES", default=False)
HUB_ALLOW_HTTP_PEERS = env.boolean("HUB_ALLOW_HTTP_PEERS", default=False)
HUB_TOKEN_A_DAYS = env.integer("HUB_TOKEN_A_DAYS", 30, least=1)
HUB_ROTATION_GRACE_SECONDS = env.integer("HUB_ROTATION_GRACE_SECONDS", 600)

# How long and how much
HUB_CONNECT_TIMEOUT = env.number("HUB_CONNECT_TIMEOUT", 3, least=0.1)
HUB_REQUEST_TIMEOUT = env.number("HUB_REQUEST_TIMEOUT", 10, least=0.1)
HUB_REQUESTS_PER_PEER = env.integer("HUB_REQUESTS_PER_PEER", 16, least=1)
HUB_MAX_BODY_BYTES = env.integer("HUB_MAX_BODY_BYTES", 5_000_000, least=1_000)
HUB_LONG_BODIES_BYTES = env.integer("HUB_LONG_BODIES_BYTES", 64_000_000, least=1_000)
HUB_MAX_RESPONSE_BYTES = env.integer("HUB_MAX_RESPONSE_BYTES", 20_000_000, least=1_000)
HUB_PAGE_LIMIT = env.integer("HUB_PAGE_LIMIT", 1_000, least=1)
HUB_PAGE_LIMIT_DEFAULT = min(env.integer("HUB_PAGE_LIMIT_DEFAULT", 100, least=1), HUB_PAGE_LIMIT)

# How often
HUB_REQUESTS_PER_MINUTE = env.integer("HUB_REQUESTS_PER_MINUTE", 6_000)
HUB_STRANGER_REQUESTS_PER_MINUTE = env.integer("HUB_STRANGER_REQUESTS_PER_MINUTE", 120)
HUB_LOGIN_REQUESTS_PER_MINUTE = env.integer("HUB_LOGIN_REQUESTS_PER_MINUTE", 60)

# Delivery
HUB_DELIVERY_BATCH = env.integer("HUB_DELIVERY_BATCH", 500, least=1)
HUB_DELIVERY_THREADS = env.integer("HUB_DELIVERY_THREADS", 16, least=1)
HUB_DELIVERY_LEASE_SECONDS = env.integer("HUB_DELIVERY_LEASE_SECONDS", 60, least=5)
HUB_CALLBACK_HOURS = env.integer("HUB_CALLBACK_HOURS", 48, least=1)
HUB_RESERVATION_DAYS = env.integer("HUB_RESERVATION_DAYS", 30, least=1)
HUB_CALLBACKS_PER_PLATFORM = env.integer("HUB_CALLBACKS_PER_PLATFORM", 50_000, least=1)
HUB_PROFILE_SECONDS = env.number("HUB_PROFILE_SECONDS", 0)
HUB_AUTHORIZE_UNKNOWN = env.choice("HUB_AUTHORIZE_UNKNOWN", "refuse", among=("refuse", "ask"))
HUB_AUTHORIZE_TIMEOUT = env.number("HUB_AUTHORIZE_TIMEOUT", 3, least=0.1)
HUB_DELIVERY_EXPIRY_DAYS = env.integer("HUB_DELIVERY_EXPIRY_DAYS", 7, least=1)
HUB_FEED_DAYS = env.integer("HUB_FEED_DAYS", 14, least=1)
HUB_CLIENT_INFO_SECONDS = env.number("HUB_CLIENT_INFO_SECONDS", 30, least=0)
HUB_RENEWAL_DAYS = env.integer("HUB_RENEWAL_DAYS", 30, least=1)
HUB_IDLE_SECONDS = env.number("HUB_IDLE_SECONDS", 300, least=1)
HUB_DISPATCH_SECONDS = env.number("HUB_DISPATCH_SECONDS", 3, least=0.5)

# Message log
HUB_MESSAGE_LOG_DAYS = env.integer("HUB_MESSAGE_LOG_DAYS", 14)
HUB_MESSAGE_LOG_BODY_BYTES = env.integer("HUB_MESSAGE_LOG_BODY_BYTES", 10_000)
HUB_MESSAGE_LOG_BUFFER_BYTES = env.integer("HUB_MESSAGE_LOG_BUFFER_BYTES", 32_000_000, least=10_000)
HUB_STRANGER_ROWS_PER_MINUTE = env.integer("HUB_STRANGER_ROWS_PER_MINUTE", 30)
HUB_FIGURES_DAYS = env.integer("HUB_FIGURES_DAYS", 90, least=2)

# How many days personal data is kept (docs/privacy.md); 0: for ever
HUB_TOKEN_DAYS = env.integer("HUB_TOKEN_DAYS", 90)
HUB_SESSION_DAYS = env.integer("HUB_SESSION_DAYS", 180)
HUB_DRIVER_DAYS = env.integer("HUB_DRIVER_DAYS", 400)
HUB_CDR_DAYS = env.integer("HUB_CDR_DAYS", 3_650)
HUB_DEAD_LETTER_DAYS = env.integer("HUB_DEAD_LETTER_DAYS", 90)
HUB_QUARANTINE_DAYS = env.integer("HUB_QUARANTINE_DAYS", 90)
HUB_AUDIT_DAYS = env.integer("HUB_AUDIT_DAYS", 1_095)

# The console's map
HUB_MAP_TILES = env.text("HUB_MAP_TILES", "")
HUB_MAP_CREDITS = env.text("HUB_MAP_CREDITS", "")
if HUB_MAP_TILES and not (
    HUB_MAP_TILES.startswith(("https://", "http://", "/"))
    and all(part in HUB_MAP_TILES for part in ("{z}", "{x}", "{y}"))
):
    sentence = "HUB_MAP_TILES is a URL with {z}, {x} and {y}, or empty (see .env.example)"
    raise env.Misconfigured(sentence)

# Pull
HUB_PULL_HOURS = env.number("HUB_PULL_HOURS", 4, least=0.01)
HUB_PULL_FULL_DAYS = env.number("HUB_PULL_FULL_DAYS", 7, least=0.01)
HUB_PULL_OVERLAP_MINUTES = env.number("HUB_PULL_OVERLAP_MINUTES", 120, least=0)
HUB_PULL_PAGE_LIMIT = env.integer("HUB_PULL_PAGE_LIMIT", 100, least=1)
HUB_PULL_PAUSE = env.number("HUB_PULL_PAUSE", 0.5, least=0)
HUB_PULL_PLATFORMS = env.integer("HUB_PULL_PLATFORMS", 4, least=1)

# The operators' console
HUB_CONSOLE_2FA = env.choice(
    "HUB_CONSOLE_2FA", "required" if HUB_IS_HTTPS else "optional", among=("optional", "required")
)
HUB_CONSOLE_HOURS = env.integer("HUB_CONSOLE_HOURS", 12, least=1)
HUB_CONSOLE_IDLE_MINUTES = env.integer("HUB_CONSOLE_IDLE_MINUTES", 30, least=1)
HUB_CONSOLE_URL = env.url("HUB_CONSOLE_URL", HUB_PUBLIC_URL, schemes=("https", "http"))
HUB_AUDIT_LOGIN_DAYS = env.integer("HUB_AUDIT_LOGIN_DAYS", 180, least=1)
HUB_LOGIN_FAILURES = env.integer("HUB_LOGIN_FAILURES", 10, least=1)
HUB_PROXIES = env.integer("HUB_PROXIES", 1 if HUB_IS_HTTPS else 0)

# Log-in by an identity provider
HUB_OIDC_ISSUER = (
    env.url("HUB_OIDC_ISSUER", schemes=("https",) if HUB_IS_HTTPS else ("https", "http"))
    if env.text("HUB_OIDC_ISSUER", "")
    else ""
)
HUB_OIDC_CLIENT_ID = env.text("HUB_OIDC_CLIENT_ID", None if HUB_OIDC_ISSUER else "")
HUB_OIDC_CLIENT_SECRET = env.text("HUB_OIDC_CLIENT_SECRET", None if HUB_OIDC_ISSUER else "")
HUB_OIDC_SCOPES = env.text("HUB_OIDC_SCOPES", "openid email profile")
HUB_OIDC_ALGORITHM = env.choice(
    "HUB_OIDC_ALGORITHM", "RS256", among=("RS256", "RS384", "RS512", "ES256", "ES384", "ES512")
)
HUB_OIDC_CREATE = env.boolean("HUB_OIDC_CREATE", default=False)
HUB_OIDC_DOMAINS = [domain.lower() for domain in env.words("HUB_OIDC_DOMAINS")]
HUB_OIDC_TRUST_EMAIL = env.boolean("HUB_OIDC_TRUST_EMAIL", default=False)
HUB_OIDC_GROUPS = env.pairs(
    "HUB_OIDC_GROUPS", among=("viewer", "support", "operator", "administrator")
)
HUB_OIDC_GROUPS_CLAIM = env.text("HUB_OIDC_GROUPS_CLAIM", "groups")
HUB_OIDC_AMR = env.words("HUB_OIDC_AMR")
HUB_OIDC_ACR = env.words("HUB_OIDC_ACR")
HUB_OIDC_LOGOUT = env.boolean("HUB_OIDC_LOGOUT", default=False)
HUB_OIDC_ONLY = env.boolean("HUB_OIDC_ONLY", default=False)
if HUB_OIDC_ONLY and not HUB_OIDC_ISSUER:
    sentence = "HUB_OIDC_ONLY needs HUB_OIDC_ISSUER: nobody could log in (see .env.example)"
    raise env.Misconfigured(sentence)

# Where `python -m settings.serve` listens; its processes, threads and connections
HUB_BIND_HOST = env.text("HUB_BIND_HOST", "127.0.0.1")
HUB_BIND_PORT = env.integer("HUB_BIND_PORT", 8000, least=1)
HUB_WEB_WORKERS = env.integer("HUB_WEB_WORKERS", 2, least=1)
HUB_WEB_THREADS = env.integer("HUB_WEB_THREADS", 16, least=1)
HUB_WEB_CONNECTIONS = env.integer("HUB_WEB_CONNECTIONS", 1_024, least=16)
HUB_DATABASE_CONNECTIONS = env.integer("HUB_DATABASE_CONNECTIONS", 16, least=1)
