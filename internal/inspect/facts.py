"""Prints what Cardea has to know about a Django project, as one line of JSON.

    python manage.py shell < facts.py

It needs Django and nothing else, and changes nothing. What it prints holds the project's secret key and the password of its
database: keep it to yourself.
"""


def cardea_facts():
    import base64
    import datetime
    import json
    import os
    import platform
    from importlib import import_module

    import django
    from django.apps import apps
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.contrib.auth.hashers import get_hashers
    from django.core.cache import caches
    from django.db import connections, router
    from django.db.models import NOT_PROVIDED
    from django.shortcuts import resolve_url
    from django.urls import reverse
    from django.utils.module_loading import import_string

    def plain(value):
        """A value as JSON can hold it."""
        if value is None or isinstance(value, (bool, int, float)):
            return value
        if isinstance(value, bytes):
            try:
                return value.decode()
            except UnicodeDecodeError:
                return {"bytes": base64.b64encode(value).decode()}
        if isinstance(value, datetime.timedelta):
            return value.total_seconds()
        if isinstance(value, dict):
            return {str(k): plain(v) for k, v in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [plain(v) for v in value]
        if callable(value) and hasattr(value, "__qualname__"):
            return dotted(value)
        return str(value)  # texts, lazy ones too, and paths

    def dotted(thing):
        return thing.__module__ + "." + thing.__qualname__

    def lineage(cls):
        return [dotted(c) for c in cls.__mro__ if c is not object]

    def attempt(make):
        """What make returns, or why it could not."""
        try:
            return plain(make())
        except Exception as e:
            return {"error": type(e).__name__ + ": " + str(e)}

    def overridden(cls, names, module):
        """Which of these names a class changes that stands below the first class of Django's module."""
        changed = []
        for c in cls.__mro__:
            if c.__module__ == module:
                break
            changed += [n for n in names if n in vars(c)]
        return sorted(set(changed))

    def setting(name):
        return plain(getattr(settings, name, None))

    def database():
        user_alias = router.db_for_write(get_user_model())
        connection = connections[user_alias]
        d = connection.settings_dict
        options = {k: plain(v) for k, v in d.get("OPTIONS", {}).items()}
        for name in ("passfile", "sslcert", "sslkey", "sslrootcert", "read_default_file"):
            if isinstance(options.get(name), str):
                options[name] = os.path.abspath(options[name])
        name = str(d["NAME"] or "")
        if connection.vendor == "sqlite" and not name.startswith("file:") and name != ":memory:":
            name = os.path.abspath(name)
        facts = {
            "alias": user_alias,
            "engine": d["ENGINE"],
            "vendor": connection.vendor,
            "name": name,
            "host": str(d["HOST"] or ""),
            "port": str(d["PORT"] or ""),
            "user": str(d["USER"] or ""),
            "password": str(d["PASSWORD"] or ""),
            "options": options,
            "time_zone": d.get("TIME_ZONE"),
        }
        if apps.is_installed("django.contrib.sessions"):
            from django.contrib.sessions.models import Session

            facts["sessions_alias"] = router.db_for_write(Session)

        if connection.vendor == "mysql" and facts["host"] in ("", "localhost"):

            def socket():
                with connection.cursor() as cursor:
                    cursor.execute("SELECT @@socket")
                    return cursor.fetchone()[0]

            facts["socket"] = attempt(socket)
        return facts

    def column(model, name):
        field = model._meta.get_field(name)
        return {
            "name": field.name,
            "column": field.column,
            "type": field.get_internal_type(),
            "max_length": field.max_length,
            "unique": bool(field.unique),
            "null": bool(field.null),
        }

    def preset(field):
        """What Django puts into a column that nobody names, if that is always the same."""
        if field.has_default() and not callable(field.default) and isinstance(field.default, (str, int)):
            return plain(field.default)
        return "" if not field.has_default() and field.empty_strings_allowed and not field.primary_key else None

    def join(model, name):
        """The table between users and what a many-to-many field of theirs holds."""
        try:
            field = model._meta.get_field(name)
        except Exception:
            return None
        if not field.many_to_many:
            return None
        return {
            "to": field.remote_field.model._meta.label,
            "table": field.m2m_db_table(),
            "user_column": field.m2m_column_name(),
            "other_column": field.m2m_reverse_name(),
        }

    def user():
        model = get_user_model()
        meta = model._meta
        known = {f.name for f in meta.concrete_fields}
        email = model.get_email_field_name()
        own = ("get_session_auth_hash", "get_session_auth_fallback_hash", "check_password", "set_password", "has_perm", "has_module_perms", "natural_key")
        changed = set()
        for c in model.__mro__:
            if not c.__module__.startswith("django."):
                changed.update(n for n in own if n in vars(c))
        parents = [p._meta.db_table for p in meta.parents if p is not None]
        return {
            "model": settings.AUTH_USER_MODEL,
            "table": meta.db_table,
            "parents": parents,
            "pk": column(model, meta.pk.name),
            "username_field": column(model, model.USERNAME_FIELD),
            "email_field": column(model, email) if email in known else None,
            "columns": [
                dict(
                    column(model, f.name),
                    filled=f.null or getattr(f, "db_default", NOT_PROVIDED) is not NOT_PROVIDED,
                    default=preset(f),
                )
                for f in meta.concrete_fields
            ],
            "groups": join(model, "groups"),
            "permissions": join(model, "user_permissions"),
            "changed": sorted(changed),
            "lineage": lineage(model),
        }

    def hasher(path, h):
        facts = {"path": path, "class": dotted(type(h)), "algorithm": h.algorithm, "lineage": lineage(type(h))}
        methods = ("encode", "decode", "verify", "must_update", "salt", "salt_entropy", "digest", "params")
        facts["overridden"] = overridden(type(h), methods, "django.contrib.auth.hashers")
        for name in ("iterations", "rounds", "work_factor", "block_size", "parallelism", "memory_cost", "time_cost", "salt_entropy"):
            if isinstance(getattr(h, name, None), int):
                facts[name] = getattr(h, name)
        if hasattr(h, "params"):
            try:
                p = h.params()
                facts.update(hash_len=p.hash_len, memory_cost=p.memory_cost, time_cost=p.time_cost, parallelism=p.parallelism, argon2_type=p.type.name)
            except Exception as e:
                facts["error"] = type(e).__name__ + ": " + str(e)
        return facts

    def backend(path):
        facts = {"path": path}
        try:
            cls = import_string(path)
        except Exception as e:
            return dict(facts, error=type(e).__name__ + ": " + str(e))
        methods = ("authenticate", "user_can_authenticate", "get_user", "has_perm", "has_module_perms", "get_all_permissions", "get_user_permissions", "get_group_permissions")
        return dict(facts, lineage=lineage(cls), overridden=overridden(cls, methods, "django.contrib.auth.backends"))

    def middleware(path):
        try:
            thing = import_string(path)
        except Exception as e:
            return {"path": path, "error": type(e).__name__ + ": " + str(e)}
        return {"path": path, "lineage": lineage(thing) if isinstance(thing, type) else []}

    def session():
        store = import_module(settings.SESSION_ENGINE).SessionStore
        methods = ("encode", "decode", "key_salt", "_hash", "load", "save", "create", "exists", "delete", "create_model_instance", "get_model_class", "cache_key_prefix")
        facts = {"lineage": lineage(store), "salt": attempt(lambda: store().key_salt)}
        changed = []
        for c in store.__mro__:
            if c.__module__.startswith("django.contrib.sessions."):
                break
            changed += [n for n in methods if n in vars(c)]
        facts["overridden"] = sorted(set(changed))
        if hasattr(store, "get_model_class"):
            facts["table"] = attempt(lambda: store.get_model_class()._meta.db_table)
        return facts

    def cache():
        alias = settings.SESSION_CACHE_ALIAS
        configured = settings.CACHES.get(alias)
        if configured is None:
            return None
        facts = {"alias": alias, "location": plain(configured.get("LOCATION", "")), "options": plain(configured.get("OPTIONS", {}))}
        try:
            c = caches[alias]
            facts.update(lineage=lineage(type(c)), key_prefix=plain(c.key_prefix), version=plain(c.version), key_function=dotted(c.key_func))
        except Exception as e:
            facts["error"] = type(e).__name__ + ": " + str(e)
        return facts

    def urls():
        facts = {}
        for name in ("LOGIN_URL", "LOGIN_REDIRECT_URL", "LOGOUT_REDIRECT_URL"):
            value = getattr(settings, name)
            facts[name] = None if value is None else attempt(lambda: resolve_url(value))
        for name, args in (("login", []), ("logout", []), ("password_change", []), ("password_reset", []), ("password_reset_confirm", ["UID", "TOKEN"])):
            try:
                facts[name] = reverse(name, args=args)
            except Exception:
                facts[name] = None
        return facts

    def site():
        if not apps.is_installed("django.contrib.sites"):
            return None

        def current():
            from django.contrib.sites.models import Site

            found = Site.objects.get_current()
            return {"name": found.name, "domain": found.domain}

        return attempt(current)

    names = """
        SECRET_KEY SECRET_KEY_FALLBACKS SIGNING_BACKEND SIGNED_COOKIE_LEGACY_SALT_FALLBACK PASSWORD_HASHERS AUTH_PASSWORD_VALIDATORS
        PASSWORD_RESET_TIMEOUT AUTH_USER_MODEL AUTHENTICATION_BACKENDS LOGIN_URL LOGIN_REDIRECT_URL LOGOUT_REDIRECT_URL
        SESSION_ENGINE SESSION_SERIALIZER SESSION_CACHE_ALIAS SESSION_FILE_PATH SESSION_COOKIE_NAME SESSION_COOKIE_AGE
        SESSION_COOKIE_DOMAIN SESSION_COOKIE_PATH SESSION_COOKIE_SECURE SESSION_COOKIE_HTTPONLY SESSION_COOKIE_SAMESITE
        SESSION_SAVE_EVERY_REQUEST SESSION_EXPIRE_AT_BROWSER_CLOSE MESSAGE_STORAGE MESSAGE_LEVEL MESSAGE_TAGS
        CSRF_COOKIE_NAME CSRF_HEADER_NAME CSRF_COOKIE_AGE CSRF_COOKIE_DOMAIN CSRF_COOKIE_PATH CSRF_COOKIE_SECURE CSRF_COOKIE_HTTPONLY
        CSRF_COOKIE_SAMESITE CSRF_TRUSTED_ORIGINS CSRF_USE_SESSIONS CSRF_COOKIE_MASKED CSRF_FAILURE_VIEW ALLOWED_HOSTS USE_X_FORWARDED_HOST
        USE_X_FORWARDED_PORT SECURE_PROXY_SSL_HEADER DATA_UPLOAD_MAX_MEMORY_SIZE DATA_UPLOAD_MAX_NUMBER_FIELDS DEBUG
        FORCE_SCRIPT_NAME TIME_ZONE USE_TZ LANGUAGE_CODE ROOT_URLCONF SITE_ID DEFAULT_FROM_EMAIL EMAIL_BACKEND EMAIL_HOST EMAIL_PORT
        EMAIL_HOST_USER EMAIL_HOST_PASSWORD EMAIL_USE_TLS EMAIL_USE_SSL EMAIL_TIMEOUT EMAIL_FILE_PATH EMAIL_SSL_CERTFILE
        EMAIL_SSL_KEYFILE
    """.split()
    facts = {
        "cardea_facts": 1,
        "django": django.get_version(),
        "python": platform.python_version(),
        "settings_module": str(getattr(settings, "SETTINGS_MODULE", "") or ""),
        "settings": {name: setting(name) for name in names},
        "database": attempt(database),
        "user": attempt(user),
        "hashers": [hasher(path, h) for path, h in zip(settings.PASSWORD_HASHERS, get_hashers())],
        "backends": [backend(path) for path in settings.AUTHENTICATION_BACKENDS],
        "middleware": [middleware(path) for path in settings.MIDDLEWARE],
        "apps": [config.name for config in apps.get_app_configs()],
        "session": attempt(session),
        "cache": attempt(cache),
        "urls": urls(),
        "site": site(),
    }
    print(json.dumps(facts, separators=(",", ":")))


cardea_facts()
