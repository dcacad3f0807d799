"""A site with which hardly anything can be shared."""

from .startproject import *  # noqa: F403

SECRET_KEY = "short"
ALLOWED_HOSTS = ["*.example.com", "https://example.com", "", "example.com:8000", "example.com"]
SIGNING_BACKEND = "shop.signing.Signer"
INSTALLED_APPS = [*INSTALLED_APPS, "people"]  # noqa: F405
MIDDLEWARE = [
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
]
AUTH_USER_MODEL = "people.Person"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.mysql",
        "NAME": "site",
        "USER": "site",
        "HOST": "127.0.0.1",
        "OPTIONS": {"read_default_file": "/etc/site.cnf"},
        "TIME_ZONE": "Asia/Kolkata",
    },
    "sessions": {"ENGINE": "django.db.backends.sqlite3", "NAME": "sessions.sqlite3"},
}
DATABASE_ROUTERS = ["shop.routers.Router"]
PASSWORD_HASHERS = ["shop.hashers.Reversed", "django.contrib.auth.hashers.PBKDF2PasswordHasher", "django.contrib.auth.hashers.MD5PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [{"NAME": "shop.validators.Shouted"}]
AUTHENTICATION_BACKENDS = ["shop.backends.Proxy", "django.contrib.auth.backends.RemoteUserBackend", "shop.backends.Everybody", "shop.gone.Backend"]
LOGIN_URL = "no_such_name"
TIME_ZONE = "Europe/Berlin"
USE_TZ = False
LANGUAGE_CODE = "de"
SESSION_ENGINE = "shop.marked"
SESSION_SERIALIZER = "shop.sessions.Serializer"
MESSAGE_STORAGE = "shop.storage.Loud"
CSRF_FAILURE_VIEW = "shop.views.refused"
EMAIL_BACKEND = "shop.mail.Backend"
FORCE_SCRIPT_NAME = "/app"
