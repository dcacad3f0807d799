from django.contrib.sessions.backends.db import SessionStore as DBStore
from django.contrib.sessions.serializers import JSONSerializer


class SessionStore(DBStore):
    """Sessions that notice who made them."""

    def create_model_instance(self, data):
        return super().create_model_instance(data)


class Serializer(JSONSerializer):
    pass
