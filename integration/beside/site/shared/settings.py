"""An existing site that logs people in by itself. What differs from one run to the next comes from the environment."""

import json
import os

ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
ROOT_URLCONF = "shared.urls"
LOGIN_REDIRECT_URL = "/"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"


def form(fields, button, action=""):
    return f"<main><form method=post action='{action}'>{{% csrf_token %}}{fields}<button>{button}</button></form></main>"


PAGES = {
    "who.html": "{% for m in messages %}<p class='{{ m.tags }}'>{{ m }}</p>{% endfor %}Django sees {{ user.username|default:'nobody' }}."
    + form("", "Log out", "/accounts/logout/"),
    "echo.html": "{% if text %}Django got {{ text }}.{% endif %}" + form("<input name=text>", "Send"),
    "registration/login.html": form("{{ form }}", "Log in"),
    "registration/logged_out.html": "Logged out",
    "registration/password_change_form.html": form("{{ form }}", "Change"),
    "registration/password_change_done.html": "The password is changed",
    "registration/password_reset_form.html": form("{{ form }}", "Send a link"),
    "registration/password_reset_done.html": "A link is sent",
    "registration/password_reset_email.html": "{{ protocol }}://{{ domain }}{% url 'password_reset_confirm' uidb64=uid token=token %}",
    "registration/password_reset_subject.txt": "A new password",
    "registration/password_reset_confirm.html": "{% if validlink %}" + form("{{ form }}", "Set") + "{% else %}This link does not work{% endif %}",
    "registration/password_reset_complete.html": "The new password is set",
}
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {
            "loaders": [("django.template.loaders.locmem.Loader", PAGES)],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# SECRET_KEY, DATABASES and all that a test wants to be another.
globals().update(json.loads(os.environ["SITE_SETTINGS"]))
