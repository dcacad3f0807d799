"""A site as Django's startproject makes it, cut down to logging in. Where its database is comes from the environment."""

import json
import os

SECRET_KEY = os.environ["SITE_SECRET_KEY"]
DATABASES = {"default": json.loads(os.environ["SITE_DATABASE"])}
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {
            "loaders": [
                (
                    "django.template.loaders.locmem.Loader",
                    {
                        "registration/login.html": "<form method=post>{% csrf_token %}{{ form }}<button>Log in</button></form>",
                        "registration/logged_out.html": "Logged out",
                        "whoami.html": "<form method=post action=/accounts/logout/>{% csrf_token %}"
                        "Django sees {{ user.username|default:'nobody' }}.<button>Log out</button></form>",
                    },
                )
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
            ],
        },
    }
]
ROOT_URLCONF = "shared.urls"
LOGIN_REDIRECT_URL = "/"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
