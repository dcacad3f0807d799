"""What a project's own code, its administration or a shell does to users."""

import datetime
import platform
from importlib import import_module

import django
from django.conf import settings
from django.contrib.auth import get_user, get_user_model
from django.contrib.auth.models import Group, Permission
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode


def do(request, what):
    """Does what it is called, on the user that ?user= names."""
    return HttpResponse(ACTIONS[what](request.GET) or "done")


def version(get):
    driver = connection.Database
    number = getattr(driver, "__version__", None) or driver.sqlite_version
    return f"Django {django.__version__}, Python {platform.python_version()}, {driver.__name__} {number}"


def user(get):
    return get_user_model().objects.get(username=get["user"])


def make(get):
    return get_user_model().objects.create_user(get["user"], get["email"], get["password"]).password


def deactivate(get):
    someone = user(get)
    someone.is_active = False
    someone.save()


def activate(get):
    someone = user(get)
    someone.is_active = True
    someone.save()


def delete(get):
    user(get).delete()


def permission(name):
    app, _, codename = name.partition(".")
    return Permission.objects.get(content_type__app_label=app, codename=codename)


def grant(get):
    user(get).user_permissions.add(permission(get["perm"]))


def revoke(get):
    user(get).user_permissions.remove(permission(get["perm"]))


def join(get):
    """Makes a group that has a permission, with the user as its member."""
    group = Group.objects.create(name=get["group"])
    group.permissions.add(permission(get["perm"]))
    user(get).groups.add(group)


def leave(get):
    user(get).groups.remove(Group.objects.get(name=get["group"]))


def link(get):
    """The link of a reset mail as this Django made it some seconds ago."""

    class Earlier(PasswordResetTokenGenerator):
        def _now(self):
            return super()._now() - datetime.timedelta(seconds=int(get["ago"]))

    someone = user(get)
    uid = urlsafe_base64_encode(force_bytes(someone.pk))
    return reverse("password_reset_confirm", kwargs={"uidb64": uid, "token": Earlier().make_token(someone)})


def session(get):
    """Whose session that is, as Django's own engine and get_user() find it."""
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(get["key"])
    return get_user(request).get_username() or "nobody"


ACTIONS = {f.__name__: f for f in (version, make, deactivate, activate, delete, grant, revoke, join, leave, link, session)}
