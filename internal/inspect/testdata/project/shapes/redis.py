"""Sessions in Redis, with what Cardea cannot be told about it; a file engine's folder and a mail server of its own."""

from .startproject import *  # noqa: F403

SECRET_KEY = "a key that is long enough for everybody"
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "site", "HOST": "/run/postgresql", "PORT": "5433", "USER": "site"}}
SESSION_ENGINE = "django.contrib.sessions.backends.cache"
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": "redis://127.0.0.1:6379",
        "KEY_FUNCTION": "shop.routers.Router",
        "OPTIONS": {"db": 4},
    }
}
EMAIL_HOST = "mail.example.com"
SIGNED_COOKIE_LEGACY_SALT_FALLBACK = False
