"""The site with a user model of its own: SITE_USER_MODEL, such as shop.Customer."""

import os

from shared.settings import *  # noqa: F403

AUTH_USER_MODEL = os.environ["SITE_USER_MODEL"]
INSTALLED_APPS = [*INSTALLED_APPS, AUTH_USER_MODEL.partition(".")[0]]  # noqa: F405
ROOT_URLCONF = "shared.own_urls"
TEMPLATES[0]["OPTIONS"]["loaders"][0][1].update(  # noqa: F405
    {
        "whoami.html": "<form method=post action=/accounts/logout/>{% csrf_token %}"
        "Django sees {{ user.get_username|default:'nobody' }} {{ user.pk }}.<button>Log out</button></form>",
        "registration/password_reset_confirm.html": "<form method=post>{% csrf_token %}{{ form }}<button>Change</button></form>",
        "registration/password_reset_complete.html": "The password is changed",
    }
)
