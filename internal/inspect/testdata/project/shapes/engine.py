"""A session engine that does a little more than Django's, the local socket of PostgreSQL, and Redis with more than it can be told."""

from .startproject import *  # noqa: F403

SECRET_KEY = "a key that is long enough for everybody"
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "site", "OPTIONS": {"assume_role": "site_owner"}}}
SESSION_ENGINE = "shop.sessions"
