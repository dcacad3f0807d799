"""What a project does that wants its passwords to cost something of its own choice."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class Costlier(PBKDF2PasswordHasher):
    iterations = PBKDF2PasswordHasher.iterations + 100_000
