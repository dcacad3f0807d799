from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models


class Person(AbstractBaseUser):
    """A user who is known by an address, and of whom there is nothing else."""

    email = models.EmailField(unique=True, db_column="mail")
    is_active = models.BooleanField(default=True)
    born = models.DateField()
    USERNAME_FIELD = "email"

    def get_session_auth_hash(self):
        return "always the same"


class Members(BaseUserManager):
    def create_superuser(self, mail, password):
        member = self.model(mail=mail)
        member.set_password(password)
        member.save()
        return member


class Member(AbstractBaseUser):
    """A user who is known by an address, in a column of another name, and who is of a kind."""

    number = models.BigAutoField(primary_key=True)
    mail = models.EmailField(unique=True)
    secret = models.CharField(max_length=10, default="none")
    paying = models.BooleanField(default=True)
    visits = models.IntegerField(default=3)
    USERNAME_FIELD = EMAIL_FIELD = "mail"
    objects = Members()
