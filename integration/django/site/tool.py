"""What the tests ask of a real Django, beyond its own commands.

tool.py version                the versions of Django, Python and the database driver
tool.py make NAME PASSWORD     makes a user, as a program does
tool.py check NAME PASSWORD    whether authenticate() lets the user in
tool.py session KEY            whom SessionStore and get_user() find in a session
tool.py reset NAME              the path of a link that sets a new password
tool.py admit NAME GROUP        makes a group, which may look at sessions, and the user a member
tool.py delete NAME             deletes a user
tool.py serve                  serves the site on a free port and prints where
"""

import os
import platform
import sys
from wsgiref.simple_server import make_server

os.environ["DJANGO_SETTINGS_MODULE"] = os.environ.get("SITE_SETTINGS", "shared.settings")

import django  # noqa: E402

django.setup()

from django.contrib.auth import authenticate, get_user, get_user_model  # noqa: E402
from django.contrib.auth.models import Group, Permission  # noqa: E402
from django.contrib.auth.tokens import default_token_generator  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connection  # noqa: E402
from django.http import HttpRequest  # noqa: E402
from django.utils.encoding import force_bytes  # noqa: E402
from django.utils.http import urlsafe_base64_encode  # noqa: E402


def version():
    driver = connection.Database
    print("Django", django.__version__, "Python", platform.python_version(), driver.__name__, driver.__version__ if hasattr(driver, "__version__") else driver.sqlite_version)


def make(name, password):
    user = get_user_model().objects.create_user(name, f"{name}@example.com", password)
    print(user.password.partition("$")[0])


def check(name, password):
    user = authenticate(HttpRequest(), username=name, password=password)
    print(user.get_username() if user else "nobody")


def session(key):
    request = HttpRequest()
    request.session = SessionStore(key)
    print(get_user(request).get_username() or "nobody")


def reset(name):
    user = get_user_model().objects.get_by_natural_key(name)
    print(f"/accounts/reset/{urlsafe_base64_encode(force_bytes(user.pk))}/{default_token_generator.make_token(user)}/")


def admit(name, group):
    made, _ = Group.objects.get_or_create(name=group)
    made.permissions.add(Permission.objects.get(codename="view_session"))
    get_user_model().objects.get_by_natural_key(name).groups.add(made)


def delete(name):
    get_user_model().objects.get_by_natural_key(name).delete()


def serve():
    server = make_server("127.0.0.1", 0, get_wsgi_application())
    print(f"Django answers at http://127.0.0.1:{server.server_port}/", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    commands = [version, make, check, session, reset, admit, delete, serve]
    {c.__name__: c for c in commands}[sys.argv[1]](*sys.argv[2:])
