"""Django's settings, put together from the hub's own (`settings/hub.py`) and the environment."""

from typing import Any
from urllib.parse import urlsplit

import django_stubs_ext
from cryptography.fernet import Fernet
from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.urls import reverse_lazy

from settings import colours, env
from settings.hub import *  # noqa: F403 - all of them are settings too
from settings.hub import (
    BASE_DIR,
    HUB_COLOUR,
    HUB_CONSOLE_HOURS,
    HUB_CONSOLE_URL,
    HUB_COUNTRY_CODE,
    HUB_DATABASE_CONNECTIONS,
    HUB_IS_HTTPS,
    HUB_MAP_TILES,
    HUB_MAX_BODY_BYTES,
    HUB_NAME,
    HUB_OIDC_ISSUER,
    HUB_OIDC_LOGOUT,
    HUB_PARTY_ID,
    HUB_PUBLIC_URL,
)
from settings.message_log import socket_path

# Django's forms and admin classes are generic for the type checker only.
django_stubs_ext.monkeypatch()

# Secrets and services
SECRET_KEY = env.secret("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.secrets("SECRET_KEY_FALLBACKS")
# `secret` demands that it is set and long enough, `words` takes the keys apart.
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
    # Only statements that ask for it are prepared (database.sql); with None psycopg would prepare
    # none at all, not even those.
    "prepare_threshold": 1_000_000,
    # Seconds of silence before a probe, and milliseconds until an answer to it: a server that is
    # gone without a word is noticed before the leases of those who wait for it end.
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
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HUB_IS_HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = HUB_CONSOLE_HOURS * 3_600
if HUB_IS_HTTPS:  # a browser takes these names only from this very host, over TLS
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HUB_IS_HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if HUB_IS_HTTPS else 0  # a year
SECURE_CONTENT_TYPE_NOSNIFF = True
SILENCED_SYSTEM_CHECKS = [
    "security.W005",  # whether the hub speaks for subdomains of its host is their owner's decision
    "security.W008",  # plain http is refused where TLS ends: at the proxy
    "security.W021",  # the same decision as W005
]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Log-ins without a `next` page, or with one on another host, lead to the start page.
LOGIN_URL, LOGIN_REDIRECT_URL = reverse_lazy("admin:login"), reverse_lazy("admin:index")
DATA_UPLOAD_MAX_MEMORY_SIZE = HUB_MAX_BODY_BYTES + 1

# The theme's Alpine.js compiles expressions in its templates, hence unsafe-eval; no inline script
# ever runs. Styles are inline in the theme's pages and in its charts.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, UNSAFE_EVAL],
        "style-src": [SELF, UNSAFE_INLINE],
        "img-src": [SELF, "data:", *env.origin(HUB_MAP_TILES)],
        "font-src": [SELF],
        "connect-src": [SELF],
        # Browsers check redirects of a form too: logging out ends at the identity provider.
        "form-action": [SELF, *(env.origin(HUB_OIDC_ISSUER) if HUB_OIDC_LOGOUT else [])],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

REST_FRAMEWORK: dict[str, Any] = {
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_THROTTLE_CLASSES": ["parties.view_authentication.PlatformRate"],
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
HUB_MESSAGE_LOG_SOCKET = socket_path()
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
    # Its warnings name the path of every refused request, and paths contain uids of tokens.
    "loggers": {"django.request": {"level": "ERROR"}},
}
