"""A site in production, with nothing as startproject left it, and all of it to be had in Cardea."""

import datetime
import pathlib

from django.contrib.messages import constants
from django.utils.translation import gettext_lazy

from .startproject import *  # noqa: F403

SECRET_KEY = 'a key with "quotes", \\ and é, long enough'
SECRET_KEY_FALLBACKS = ["the key before this one, also long enough", b"a key in bytes, from the time before that"]
DEBUG = False
ALLOWED_HOSTS = ["example.com", ".example.org"]
INSTALLED_APPS = [*INSTALLED_APPS, "shop"]  # noqa: F405
ROOT_URLCONF = "shop.urls"
AUTH_USER_MODEL = "shop.Customer"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "my site",
        "USER": "s@ite",
        "PASSWORD": "p?a/s#s:w@rd%1",
        "HOST": "db.example.com",
        "PORT": 6432,
        "OPTIONS": {"sslmode": "verify-full", "sslrootcert": "/etc/ssl/db.pem", "connect_timeout": 3},
    }
}
PASSWORD_HASHERS = [
    "shop.hashers.Cheaper",
    "django.contrib.auth.hashers.BCryptSHA256PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "email"), "max_similarity": 0.5},
    },
]
AUTHENTICATION_BACKENDS = ["shop.backends.EmailBackend", "django.contrib.auth.backends.ModelBackend", "shop.backends.Tokens"]
PASSWORD_RESET_TIMEOUT = 60 * 60
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"
TIME_ZONE = "Europe/Berlin"
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
SESSION_CACHE_ALIAS = "sessions"
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "sessions": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": ["redis://:secret@cache.example.com:6379/3", "redis://replica.example.com:6379/3"],
        "KEY_PREFIX": "site",
        "VERSION": 2,
    },
}
SESSION_COOKIE_NAME = "sid"
SESSION_COOKIE_AGE = datetime.timedelta(days=7).total_seconds()
SESSION_COOKIE_DOMAIN = ".example.com"
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_SAMESITE = "None"
SESSION_SAVE_EVERY_REQUEST = True
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_COOKIE_NAME = "xsrf"
CSRF_HEADER_NAME = "HTTP_X_XSRF_TOKEN"
CSRF_COOKIE_AGE = None
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_SAMESITE = False
CSRF_TRUSTED_ORIGINS = ["https://shop.example.com"]
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
MESSAGE_LEVEL = constants.DEBUG
MESSAGE_TAGS = {constants.ERROR: "danger", constants.DEBUG: gettext_lazy("quiet")}
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_SCHEME", "https")
USE_X_FORWARDED_HOST = True
DEFAULT_FROM_EMAIL = gettext_lazy("Site <site@example.com>")
EMAIL_HOST = "smtp.example.com"
EMAIL_PORT = 587
EMAIL_HOST_USER = "site"
EMAIL_HOST_PASSWORD = "hush"
EMAIL_USE_TLS = True
EMAIL_TIMEOUT = 5
EMAIL_FILE_PATH = pathlib.Path("/nowhere")
