"""Django's session engines at work: reads one JSON request a line and answers each with one."""

import datetime
import json
import os
import sys
from importlib import import_module

import django
from django.conf import settings
from django.core.cache import cache

settings.configure(USE_TZ=True, INSTALLED_APPS=["django.contrib.sessions"], **json.loads(os.environ["ENGINE_SETTINGS"]))
django.setup()

SessionStore = import_module(settings.SESSION_ENGINE).SessionStore


def answer(op, key=None, data=None, name=None, value=None):
    session = SessionStore(key)
    if op == "version":
        return {"version": django.__version__}
    if op == "create":
        session.update(data)
        if value is not None:
            session.set_expiry(value)
        session.save()
    elif op == "expire_at":
        session.set_expiry(datetime.datetime.fromisoformat(value))
        session.save()
    elif op == "set":
        session[name] = value
        session.save()
    elif op == "set_date":
        session["date"] = datetime.date(2026, 1, 2)
        session.save()
    elif op == "cycle":
        dict(session.items())
        session.cycle_key()
        session.save()
    elif op == "flush":
        session.flush()
    elif op == "clear_expired":
        SessionStore.clear_expired()
        return {}
    elif op == "cache_get":
        value = cache.get(SessionStore.cache_key_prefix + key)
        return {"text": json.dumps(value, separators=(",", ":"))}
    elif op == "cache_set":
        cache.set(SessionStore.cache_key_prefix + key, data, value)
        return {}
    elif op == "delete_row":
        from django.contrib.sessions.models import Session

        Session.objects.filter(session_key=key).delete()
        return {}
    elif op != "load":
        raise ValueError(op)
    text = json.dumps(dict(session.items()), separators=(",", ":"), default=str)
    return {"key": session.session_key or "", "text": text, "age": session.get_expiry_age() if text != "{}" else 0}


for line in sys.stdin:
    print(json.dumps(answer(**json.loads(line))), flush=True)
