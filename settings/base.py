"""Every setting of the hub, read from the environment; `.env.example` explains each of them."""

import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django_stubs_ext
from cryptography.fernet import Fernet
from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.urls import reverse_lazy

from settings import colours, env

# Django's forms and admin classes are generic for the type checker only.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
HUB_VERSION: str = tomllib.loads((BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))[
    "project"
]["version"]

# Who the hub is
HUB_PUBLIC_URL = env.url("HUB_PUBLIC_URL", schemes=("https", "http"))
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

# How long what is personal is kept (docs/privacy.md); 0: for ever
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
_HTTPS = HUB_PUBLIC_URL.startswith("https://")
HUB_CONSOLE_2FA = env.choice(
    "HUB_CONSOLE_2FA", "required" if _HTTPS else "optional", among=("optional", "required")
)
HUB_CONSOLE_HOURS = env.integer("HUB_CONSOLE_HOURS", 12, least=1)
HUB_CONSOLE_IDLE_MINUTES = env.integer("HUB_CONSOLE_IDLE_MINUTES", 30, least=1)
HUB_CONSOLE_URL = env.url("HUB_CONSOLE_URL", HUB_PUBLIC_URL, schemes=("https", "http"))
HUB_AUDIT_LOGIN_DAYS = env.integer("HUB_AUDIT_LOGIN_DAYS", 180, least=1)
HUB_LOGIN_FAILURES = env.integer("HUB_LOGIN_FAILURES", 10, least=1)
HUB_PROXIES = env.integer("HUB_PROXIES", 1 if _HTTPS else 0)

# Log-in by an identity provider
HUB_OIDC_ISSUER = (
    env.url("HUB_OIDC_ISSUER", schemes=("https",) if _HTTPS else ("https", "http"))
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

# Secrets and services
SECRET_KEY = env.secret("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.secrets("SECRET_KEY_FALLBACKS")
CREDENTIALS_KEYS = env.words("CREDENTIALS_KEYS", env.secret("CREDENTIALS_KEYS"))
for position, key in enumerate(CREDENTIALS_KEYS, start=1):
    try:
        Fernet(key)
    except ValueError:
        sentence = f"CREDENTIALS_KEYS: key {position} is no Fernet key (see .env.example)"
        raise env.Misconfigured(sentence) from None
REDIS_URL = env.url("REDIS_URL", schemes=("redis", "rediss", "unix"))
_DATABASE = env.database("DATABASE_URL")

DEBUG = env.boolean("DEBUG", default=False)
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", urlsplit(HUB_PUBLIC_URL).hostname or "")
CSRF_TRUSTED_ORIGINS = sorted({HUB_PUBLIC_URL, HUB_CONSOLE_URL})

# Where `python -m settings.serve` listens, and with how many hands
HUB_BIND_HOST = env.text("HUB_BIND_HOST", "127.0.0.1")
HUB_BIND_PORT = env.integer("HUB_BIND_PORT", 8000, least=1)
HUB_WEB_WORKERS = env.integer("HUB_WEB_WORKERS", 2, least=1)
HUB_WEB_THREADS = env.integer("HUB_WEB_THREADS", 16, least=1)
HUB_WEB_CONNECTIONS = env.integer("HUB_WEB_CONNECTIONS", 1_024, least=16)
HUB_DATABASE_CONNECTIONS = env.integer("HUB_DATABASE_CONNECTIONS", 16, least=1)

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "csp",
    "rest_framework",
    "parties",
    "hub",
    "console",
    "operators",  # last: it gives groups the permissions of all before it
]
# The console's middleware costs a tenth of a peer's request: OCPI paths leave the chain early.
MIDDLEWARE = [
    "settings.middleware.secured",
    "settings.middleware.bounded_url",
    "settings.middleware.ocpi_first",
    "settings.middleware.in_utf8",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "operators.middleware.log_in_rate",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "operators.middleware.console",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "settings.urls"
WSGI_APPLICATION = "settings.wsgi.application"
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES: dict[str, dict[str, Any]] = {"default": _DATABASE}
DATABASES["default"]["OPTIONS"] |= {
    # Prepared is what asks for it (database.sql); without a threshold psycopg ignores that too.
    "prepare_threshold": 1_000_000,
    # A server that is gone without a word is noticed before the leases of who waits for it end.
    "keepalives_idle": 30,
    "tcp_user_timeout": 30_000,
    "pool": {"min_size": 1, "max_size": HUB_DATABASE_CONNECTIONS, "timeout": 10},
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    *(["operators.oidc.Backend"] if HUB_OIDC_ISSUER else []),
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "operators.passwords.LengthValidator"},
]

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "static-collected"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

# Safe by default where the public URL is https
SESSION_ENGINE = "operators.sessions"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = HUB_CONSOLE_HOURS * 3_600
if _HTTPS:  # a browser takes these names only from this very host, over TLS
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if _HTTPS else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SILENCED_SYSTEM_CHECKS = [
    "security.W005",  # whether the hub speaks for subdomains of its host is their owner's decision
    "security.W008",  # plain http is refused where TLS ends: at the proxy
    "security.W021",  # the same decision as W005
]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Whoever logs in without a page to go to, or with one that is elsewhere, begins at the start page.
LOGIN_URL, LOGIN_REDIRECT_URL = reverse_lazy("admin:login"), reverse_lazy("admin:index")
DATA_UPLOAD_MAX_MEMORY_SIZE = HUB_MAX_BODY_BYTES + 1

# The theme's Alpine compiles what its templates say, hence unsafe-eval; nothing inline ever runs.
# Styles are inline in the theme's pages and in its charts.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, UNSAFE_EVAL],
        "style-src": [SELF, UNSAFE_INLINE],
        "img-src": [SELF, "data:", *env.origin(HUB_MAP_TILES)],
        "font-src": [SELF],
        "connect-src": [SELF],
        # Browsers look at where a form leads to in the end: logging out leads to the provider.
        "form-action": [SELF, *(env.origin(HUB_OIDC_ISSUER) if HUB_OIDC_LOGOUT else [])],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

REST_FRAMEWORK: dict[str, Any] = {
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_THROTTLE_CLASSES": ["parties.rate_limits.PlatformRate"],
    "EXCEPTION_HANDLER": "ocpi.server.exception_handler.answer",
}

_SHADES = colours.shades(HUB_COLOUR)
_LOGO = colours.painted(BASE_DIR / "console" / "static" / "logo.svg", _SHADES["600"])
UNFOLD = {
    "SITE_TITLE": HUB_NAME,
    "SITE_HEADER": HUB_NAME,
    "SITE_SUBHEADER": f"{HUB_COUNTRY_CODE}-{HUB_PARTY_ID}",
    "SITE_ICON": _LOGO,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _LOGO}],
    "SITE_URL": None,
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": [f"{STATIC_URL}console.css"],
    "LOGIN": {"form": "operators.forms.LoginForm"},
    "ACCOUNT": {
        "navigation": [
            {"title": "Change password", "link": reverse_lazy("admin:password_change")},
            {"title": "Two-factor log-in", "link": reverse_lazy("two_factor:two_factor")},
            {
                "title": "Where you are logged in",
                "link": reverse_lazy("admin:operators_consolesession_changelist"),
            },
        ]
    },
    "SIDEBAR": {"navigation": "console.navigation.sidebar"},
    "DASHBOARD_CALLBACK": "console.dashboard.fill",
    "GLOBAL_CALLBACK": "console.navigation.frame",
    "COLORS": {"primary": _SHADES},
}

LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", among=("DEBUG", "INFO", "WARNING", "ERROR"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "settings.log_lines.Line",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        }
    },
    "filters": {"flood": {"()": "settings.log_lines.Flood"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["flood"]}
    },
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    # It names the path of every refused request, and paths have the uids of tokens.
    "loggers": {"django.request": {"level": "ERROR"}},
}
