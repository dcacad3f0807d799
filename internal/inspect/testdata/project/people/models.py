from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models


class Person(AbstractBaseUser):
    """A user who is known by an address, and of whom there is nothing else."""

    email = models.EmailField(unique=True, db_column="mail")
    is_active = models.BooleanField(default=True)
    born = models.DateField()
    USERNAME_FIELD = "email"

    def get_session_auth_hash(self):
        return "always the same"
