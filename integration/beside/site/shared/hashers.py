"""What a project does that wants its passwords to cost something of its own choice."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class Quick(PBKDF2PasswordHasher):
    iterations = 1_000
