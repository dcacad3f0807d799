from django.contrib.auth.models import AbstractUser
from django.db import models


class Child(AbstractUser):
    """A user with other names for the tables beside it."""

    groups = models.ManyToManyField("auth.Group", related_name="children", db_table="child_circles")

    class Meta:
        db_table = "Children"
