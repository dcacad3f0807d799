"""A site that is run: its database and its model of users come from the environment."""

import os

from .startproject import *  # noqa: F403

SECRET_KEY = "a key that is long enough for everybody"
INSTALLED_APPS.remove("django.contrib.admin")  # noqa: F405
AUTH_USER_MODEL = os.environ["SITE_USER_MODEL"]
if AUTH_USER_MODEL != "auth.User":
    INSTALLED_APPS.append(AUTH_USER_MODEL.split(".")[0])  # noqa: F405
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["SITE_DATABASE"]}}
TIME_ZONE = "Asia/Kolkata"
PASSWORD_HASHERS = ["shop.hashers.Cheaper"]
