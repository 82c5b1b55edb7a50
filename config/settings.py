"""Django settings, read from the environment (docs/operations.md lists every variable)."""

from __future__ import annotations

from pathlib import Path

from csp.constants import NONE, SELF

# Imported for its effect: web and commands queue tasks too, so the application is every process's default.
from config import celery as celery
from config import env
from config.databases import databases
from config.logs import logging_config

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = env.flag("MILLRACE_DEBUG")
TESTING = env.flag("MILLRACE_TESTING")
SECRET_KEY = env.text("MILLRACE_SECRET_KEY", "only-for-tests-and-trials" if DEBUG or TESTING else None)
PUBLIC_URL = env.web_address("MILLRACE_PUBLIC_URL", "http://127.0.0.1:8000")
ALLOWED_HOSTS = env.names("MILLRACE_ALLOWED_HOSTS", "127.0.0.1,localhost")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
TRIAL = env.flag("MILLRACE_TRIAL")
HOME = Path(env.text("MILLRACE_HOME", str(BASE_DIR / ".millrace")))

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "csp",
    "django_htmx",
    "guardian",
    "template_partials",
    "core",
    "accounts",
    "crm",
    "delivery",
    "content",
    "flows",
    "participants",
    "reporting",
    "trial",
]

# Opens and clicks of mails: no session, no account (core.short_way).
SHORT_WAYS = ("/m/o/", "/m/c/")
SHORT_MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "core.logs.RequestLogMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
MIDDLEWARE = [
    "core.short_way.ShortWayMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "core.logs.RequestLogMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.middleware.TenantMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

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
                "accounts.context.shell",
            ],
        },
    },
]

DATABASES = databases(pool_size=env.number("MILLRACE_DB_POOL", 0, most=200))
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env.text("REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        # One that is there and says nothing would else hold every page, and every form that is sent, for ever.
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 2},
    }
}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
# Permissions are read by EXISTS on direct tables (accounts.permissions), not through the backend.
SILENCED_SYSTEM_CHECKS = ["guardian.W001"]
GUARDIAN_MONKEY_PATCH_USER = False
ANONYMOUS_USER_NAME = None
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
# A stranger must not make us write to addresses that have no account.
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_SESSION_REMEMBER = True
MFA_TOTP_ISSUER = "Millrace"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEBUG or TESTING
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

LANGUAGE_CODE = "en-gb"
# What recipients read in their own language (core.texts); `make setup` compiles the catalogs.
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticroot"
STATICFILES_DIRS = [BASE_DIR / "static", BASE_DIR / "build"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or TESTING
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG or TESTING
WHITENOISE_AUTOREFRESH = DEBUG or TESTING
MEDIA_ROOT = HOME / "media"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
IMPORT_MAX_BYTES = env.number("MILLRACE_IMPORT_MAX_MIB", 500, least=1, most=10_000) * 1024 * 1024

SECURE = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = SECURE
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = SECURE
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}

EMAIL_HOST = env.text("MILLRACE_SMTP_HOST", "127.0.0.1")
EMAIL_PORT = env.number("MILLRACE_SMTP_PORT", 25, least=1, most=65535)
EMAIL_HOST_USER = env.text("MILLRACE_SMTP_USER", "") if env.flag("MILLRACE_SMTP_AUTH") else ""
EMAIL_HOST_PASSWORD = env.text("MILLRACE_SMTP_PASSWORD", "") if EMAIL_HOST_USER else ""
EMAIL_USE_TLS = env.flag("MILLRACE_SMTP_STARTTLS")
# Certificates that vouch for the mail server where the system does not know its authority.
EMAIL_CA_FILE = env.text("MILLRACE_SMTP_CA_FILE", "")
EMAIL_TIMEOUT = 20
# Whether messages may only come from domains whose DNS was checked; a trial's mails never leave the machine.
VERIFY_SENDERS = env.flag("MILLRACE_VERIFY_SENDERS", not (TRIAL or TESTING))
# What a tenant's SPF record must name so that our mail servers may send, such as include:spf.example.com.
SPF_MECHANISM = env.text("MILLRACE_SPF", "")
# Name servers to ask instead of the system's, as host or host:port.
DNS_SERVERS = env.names("MILLRACE_DNS")
DEFAULT_FROM_EMAIL = env.text("MILLRACE_FROM_EMAIL", "millrace@localhost")
# Where Twilio is, for tests and trials alone: an account's token must not be sent anywhere else.
SMS_API_URL = env.web_address("MILLRACE_SMS_API_URL", "http://127.0.0.1") if TRIAL or TESTING else ""
# The same for email providers. A trial reaches none: its people are made up.
EMAIL_API_URL = env.web_address("MILLRACE_EMAIL_API_URL", "http://127.0.0.1") if TRIAL or TESTING else ""
# Which ports a tenant's webhooks may call; loopback is open to trials and tests alone.
WEBHOOK_PORTS = frozenset(int(port) for port in env.names("MILLRACE_WEBHOOK_PORTS", "80,443,8443"))
WEBHOOK_ALLOW_LOOPBACK = (TRIAL or TESTING) and env.flag("MILLRACE_WEBHOOK_LOOPBACK", TRIAL)
CSRF_FAILURE_VIEW = "accounts.views.errors.csrf_failure"
# Kinds of long work (core.jobs), named here because core imports no room above it.
JOB_KINDS = [
    "crm.importing.job.IMPORT_CONTACTS",
    "crm.operations.bulk_add.ADD_TO_SELECTION",
    "crm.handover.HAND_OVER_CONTACTS",
    "participants.operations.adding.ADD_TO_FLOW",
    "participants.operations.many.ACT_ON_MANY",
    "content.jobs.PROCESS_SUBMISSION",
    "content.jobs.LINK_ACTIONS",
    "content.jobs.CONTACT_SCRIPT",
    "content.jobs.COLLECT_FILES",
    "content.jobs.REBRAND_EMAILS",
    "participants.operations.lifecycle.CANCEL_PARTICIPANTS",
    "participants.operations.striking.STRIKE_TRIGGER",
    "participants.operations.striking.JUDGE_DAILY",
    "participants.operations.judging_success.JUDGE_SUCCESS",
]
# Where personal values lie, room by room (core.erasure): every text and JSON column stands in one of these tables.
ERASURE = [
    "participants.erasure.ERASURE",
    "flows.erasure.ERASURE",
    "content.erasure.ERASURE",
    "delivery.erasure.ERASURE",
    "crm.erasure.ERASURE",
    "accounts.erasure.ERASURE",
    "core.erasure.ERASURE",
]
# What each app moves when two contacts are merged.
MERGING = [
    "participants.merging.MERGING",
    "content.merging.MERGING",
    "delivery.merging.MERGING",
    "crm.merging.MERGING",
    "core.merging.MERGING",
]
# What of each app goes to who takes over when a member leaves (core.handover).
HANDOVER = ["flows.handover.HANDOVER", "crm.handover.HANDOVER"]
# What each app lays into a new tenant (lists, purposes …): functions called with tenant_id and now in its scope.
TENANT_SEEDS = ["crm.operations.setup.set_up_tenant", "crm.operations.setup_desk.set_up_desk"]
# Where bounces go: "bounces@mail.example.com" makes one address per message, "" leaves it to the sender's own.
BOUNCE_ADDRESS = env.text("MILLRACE_BOUNCE_ADDRESS", "")
# The rooms below must not import the rooms above: what they need from there is named here.
FLOWS_OCCUPANCY = "participants.occupancy.step_occupancy"
FLOWS_INSIDE = "participants.occupancy.people_inside"
FLOWS_EXCLUDED = "participants.occupancy.excluded_inside"
FLOWS_RESETTLE = "participants.operations.resettling.resettle"
USES_OF = "crm.operations.usage.uses_of"
DELIVERY_WEBHOOKS = "content.webhook_rendering.render_webhooks"
DELIVERY_RENDERER = "content.rendering.render_batch"
DELIVERY_EMAIL_OF = "content.queries.email_of_version"
TENANT_CLOCK = "accounts.queries.tenant_now"
CONTENT_FLOWS = "flows.visibility.visible_flows"
CONTENT_REPEATS = "flows.repeating.repeats_in_flows"
# What criteria may name of the rooms above crm, each a crm.criteria.sources.Source. The keys are kinds of Reference.
CRITERIA_SOURCES = {
    "email": "content.criteria_sources.EMAILS",
    "form": "content.criteria_sources.FORMS",
    "link": "content.criteria_sources.LINKS",
    "flow": "flows.criteria_sources.FLOWS",
}

CELERY_BROKER_URL = REDIS_URL
PAGE_LOCK_TIMEOUT = "2s"
PAGE_STATEMENT_TIMEOUT = "10s"
CELERY_QUEUE = "millrace"
TICK_SECONDS = 1
# Sections of the home page, in order: functions (member, now) -> list of accounts.home.HomePart.
HOME_PARTS = ["reporting.home.home_parts", "content.home.home_parts"]
# Numbers that rooms above core add to /health/ready and /health/metrics.
HEALTH_PROBES = {"oldest_due_seconds": "participants.health.oldest_due_seconds"}
# Requests a minute that one API key may make.
API_RATE = env.number("MILLRACE_API_RATE", 600, least=1, most=1_000_000)
ENGINE_BATCH = env.number("MILLRACE_ENGINE_BATCH", 2_000, least=1, most=50_000)
# Threads of one worker that send side by side, each with a connection to the mail server and to the database.
SEND_THREADS = env.number("MILLRACE_SEND_THREADS", 4, least=1, most=8)
# An open or click so few seconds after the hand-over is a machine's; 0: none is too soon.
MACHINE_SECONDS = env.number("MILLRACE_MACHINE_SECONDS", 2, least=0, most=60)
# Workers that take slices of one large job at the same time (core.lanes); 1 cuts none.
JOB_WORKERS = env.number("MILLRACE_JOB_WORKERS", 2, least=1, most=64)

LOGGING = logging_config(json=env.flag("MILLRACE_LOG_JSON"), level=env.text("MILLRACE_LOG_LEVEL", "INFO"))
