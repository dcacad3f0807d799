from django.contrib.sessions.backends.db import SessionStore as DBStore


class MarkedStore(DBStore):
    pass


SessionStore = MarkedStore
