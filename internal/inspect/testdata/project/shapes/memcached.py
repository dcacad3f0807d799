"""Sessions in a cache that Cardea cannot look into; Argon2; a database by its socket."""

from .startproject import *  # noqa: F403

SECRET_KEY = "a key that is long enough for everybody"
DATABASES = {
    "default": {"ENGINE": "django.db.backends.mysql", "NAME": "site", "USER": "site", "PASSWORD": "p?w", "HOST": "/run/mysqld/mysqld.sock"}
}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher", "django.contrib.auth.hashers.PBKDF2PasswordHasher", "shop.hashers.Reversed"]
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.AllowAllUsersModelBackend"]
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "here"}}
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = "/var/mail/site"
