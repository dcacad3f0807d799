from django.contrib.auth.backends import AllowAllUsersModelBackend, BaseBackend, ModelBackend, RemoteUserBackend


class EmailBackend(ModelBackend):
    def authenticate(self, request, username=None, password=None, **kwargs):
        return super().authenticate(request, username=(username or "").lower(), password=password, **kwargs)


class Everybody(AllowAllUsersModelBackend):
    pass


class Proxy(RemoteUserBackend):
    pass


class Tokens(BaseBackend):
    def authenticate(self, request, token=None):
        return None
