from django.contrib.auth.hashers import BasePasswordHasher, PBKDF2PasswordHasher


class Cheaper(PBKDF2PasswordHasher):
    iterations = 320000


class Reversed(BasePasswordHasher):
    algorithm = "reversed"

    def encode(self, password, salt):
        return "reversed$" + salt + "$" + password[::-1]

    def decode(self, encoded):
        algorithm, salt, hash = encoded.split("$", 2)
        return {"algorithm": algorithm, "salt": salt, "hash": hash}

    def verify(self, password, encoded):
        return self.encode(password, self.decode(encoded)["salt"]) == encoded
