import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models


class Customer(AbstractUser):
    """A user with a key, a table and a column of its own."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    company = models.CharField(max_length=80, blank=True)

    class Meta:
        db_table = "customers"
