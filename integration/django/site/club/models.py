"""Members of a club: Django's own model with a bigint for its key and a field more."""

from django.contrib.auth.models import AbstractUser
from django.db import models


class Member(AbstractUser):
    nickname = models.CharField(max_length=40, blank=True, default="")
