"""Settings, read from the environment; `.env.example` names each one.

Without `DEBUG=1` this is production: it refuses to start while a secret or a server address is missing.
"""

import os
from decimal import Decimal, InvalidOperation
from pathlib import Path
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from config.logging import logging_config
from config.navigation import unfold_settings

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
if (BASE_DIR / ".env").is_file():
    env.read_env(BASE_DIR / ".env")

IS_TRIAL = env.bool("DEBUG", False)
# Django's own error pages show addresses, settings and code to whoever mistypes an address, also in a trial.
DEBUG = IS_TRIAL and env.bool("DEBUG_PAGES", False)
HELIOGRAPH_DATA = env.str("HELIOGRAPH_DATA", str(BASE_DIR / ".data"))

_REQUIRED = {
    "SECRET_KEY": "a long random text, for sessions and signed links",
    "CREDENTIAL_KEYS": "Fernet keys, newest first, which encrypt the Twilio credentials",
    "DATABASE_URL": "postgresql://… of the database",
    "REDIS_URL": "redis://… of Valkey or Redis",
    "PUBLIC_BASE_URL": "the https address at which Twilio and your members reach this installation",
}
_missing = [f"{name} ({meaning})" for name, meaning in _REQUIRED.items() if not env.str(name, "")]
if _missing:
    raise ImproperlyConfigured(
        "These settings are missing: "
        + "; ".join(_missing)
        + ". In production set them in the environment (see .env.example); for a trial start `make run`, "
        "whose servers this command then finds by itself."
    )

SECRET_KEY = env.str("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
CREDENTIAL_KEYS = env.list("CREDENTIAL_KEYS")
PUBLIC_BASE_URL = env.str("PUBLIC_BASE_URL").rstrip("/")

# ---- Twilio, the sandbox and the sending engine
TWILIO_BASE_URL = env.str("TWILIO_BASE_URL", "").rstrip("/")
TWILIO_TIMEOUT = env.float("TWILIO_TIMEOUT", 10.0)
SANDBOX_ENABLED = env.bool("SANDBOX_ENABLED", IS_TRIAL)
SANDBOX_URL = env.str("SANDBOX_URL", "http://127.0.0.1:9009").rstrip("/")
SANDBOX_SECRET = env.str("SANDBOX_SECRET", "")
if SANDBOX_ENABLED and not SANDBOX_SECRET:
    raise ImproperlyConfigured(
        "SANDBOX_ENABLED is set, but SANDBOX_SECRET is not: the web, the workers and the sandbox need one in common."
    )
# Hosts that organizations' outgoing webhooks may call although they lie in a private network, and by http.
OUTGOING_WEBHOOKS_ALLOW = frozenset(host.strip().lower() for host in env.list("OUTGOING_WEBHOOKS_ALLOW", default=[]))
CLAIM_LEASE = env.float("CLAIM_LEASE", 30.0)
POLL_AFTER = env.float("POLL_AFTER", 60.0)
RECONCILE_AFTER = env.float("RECONCILE_AFTER", 5.0)
RECONCILE_HORIZON = env.float("RECONCILE_HORIZON", 120.0)
SEND_WINDOW = env.int("SEND_WINDOW", 100)  # requests to Twilio in flight, for each drain of a connection and lane
API_RATE = env.int("API_RATE", 100)
CALLBACKS_KEPT_DAYS = env.int("CALLBACKS_KEPT_DAYS", 30)
OPEN_SIGNUP = env.bool("OPEN_SIGNUP", False)


# What platform SMS costs in credits where the operator sets no other price on the page of platform SMS.
def _price(name: str, raw: str) -> Decimal:
    try:
        price = Decimal(raw)
    except InvalidOperation:
        price = Decimal(-1)
    if not price.is_finite() or not 0 <= price < 1_000_000 or price != price.quantize(Decimal("0.0001")):
        raise ImproperlyConfigured(f"{name} is a price in credits: a number from 0 on with at most four decimals.")
    return price


PLATFORM_DOMESTIC_PRICE = _price("PLATFORM_DOMESTIC_PRICE", env.str("PLATFORM_DOMESTIC_PRICE", "1"))
PLATFORM_INTERNATIONAL_CODE_PRICE = _price(
    "PLATFORM_INTERNATIONAL_CODE_PRICE", env.str("PLATFORM_INTERNATIONAL_CODE_PRICE", "2.3")
)
UPLOAD_LIMIT = env.int("UPLOAD_LIMIT_MB", 50) * 1_000_000  # bytes of a file that members upload
UPLOAD_DAYS = env.int("UPLOAD_DAYS", 7)

# ---- Django
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]", urlsplit(PUBLIC_BASE_URL).hostname or "localhost"]
)
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[PUBLIC_BASE_URL])
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", 0)  # how many proxies of ours add to X-Forwarded-For

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "config.apps.MemberAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_htmx",
    "django_structlog",
    "django_prometheus",
    "ninja",
    "phonenumber_field",
    "integrations",
    "messaging",
    "portal",
]

MIDDLEWARE = [
    "messaging.api.safety_net.ProblemMiddleware",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "portal.accounts.middleware.OwnDomainMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "config.machine_door.MachineDoor",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "integrations.organizations.middleware.OrganizationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.access_log.PathOnlyRequestMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "integrations.organizations.context.shell",
            ],
        },
    }
]

DATABASES = {"default": env.db_url("DATABASE_URL")}
DATABASES["default"].update(
    CONN_MAX_AGE=env.int("CONN_MAX_AGE", 60),
    CONN_HEALTH_CHECKS=True,
    ATOMIC_REQUESTS=False,
    OPTIONS={
        **DATABASES["default"].get("OPTIONS", {}),
        # A statement that waits longer than this is a fault to be seen, not to be waited for.
        "options": "-c lock_timeout=10000 -c idle_in_transaction_session_timeout=60000 -c random_page_cost=1.1",
        "connect_timeout": 5,
    },
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The record is PostgreSQL: with Valkey down, sign-in and its rate limits must go on.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "django_cache"}}
REDIS_URL = env.str("REDIS_URL")

AUTH_USER_MODEL = "integrations.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_ADAPTER = "integrations.organizations.sign_in.AccountAdapter"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = "Heliograph: "
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Heliograph"
# Where only invited people get in, whoever made their account vouched for the address.
MFA_ALLOW_UNVERIFIED_EMAIL = not OPEN_SIGNUP
MFA_ADAPTER = "integrations.organizations.sign_in.MfaAdapter"

EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "Heliograph <heliograph@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
EMAIL_TIMEOUT = 10

LANGUAGE_CODE = "en"
# What visitors of public pages may read; members' pages are English. No middleware chooses: each public view does.
LANGUAGES = [
    ("en", "English"),
    ("zh-hans", "简体中文"),
    ("zh-hant", "繁體中文"),
    ("nl", "Nederlands"),
    ("de", "Deutsch"),
    ("es", "Español"),
    ("fr", "Français"),
    ("ar", "العربية"),
]
LOCALE_PATHS = [BASE_DIR / "config" / "locale"]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
USE_THOUSAND_SEPARATOR = True
PHONENUMBER_DB_FORMAT = "E164"
PHONENUMBER_DEFAULT_FORMAT = "INTERNATIONAL"

STATIC_URL = "/static/"
STATIC_ROOT = env.str("STATIC_ROOT", str(BASE_DIR / "static_collected"))
STATICFILES_DIRS = [BASE_DIR / "config" / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if IS_TRIAL
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = IS_TRIAL
WHITENOISE_AUTOREFRESH = False

# 1 MB for every body; the room that takes more says so itself.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000
FILE_UPLOAD_HANDLERS = ["config.uploads.RefuseFiles"]

# ---- Security
SESSION_COOKIE_NAME = "heliograph_member"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 14
CSRF_COOKIE_NAME = "heliograph_csrf"
CSRF_FAILURE_VIEW = "integrations.organizations.views.errors.csrf_failure"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
_https = PUBLIC_BASE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
if not IS_TRIAL:
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", True)
    SECURE_REDIRECT_EXEMPT = [r"^health/"]
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", 31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = env.bool("SECURE_HSTS_PRELOAD", True)
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    if TRUSTED_PROXIES:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

CONTENT_SECURITY_POLICY = {
    "EXCLUDE_URL_PREFIXES": (),
    "DIRECTIVES": {
        "default-src": ["'self'"],
        # The admin theme evaluates its Alpine expressions in the page; public pages take this away again.
        "script-src": ["'self'", "'unsafe-eval'", "'unsafe-inline'"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
        "base-uri": ["'self'"],
        "object-src": ["'none'"],
    },
}

METRICS_TOKEN = env.str("METRICS_TOKEN", "")
PROMETHEUS_EXPORT_MIGRATIONS = False

LOG_LEVEL = env.str("LOG_LEVEL", "INFO")
LOGGING = logging_config(level=LOG_LEVEL, as_json=not IS_TRIAL)
LOGGING_CONFIG = "logging.config.dictConfig"
DJANGO_STRUCTLOG_USER_ID_FIELD = "pk"

UNFOLD = unfold_settings()

os.environ.setdefault("TWILIO_REGION", "")
