from django.contrib.messages.storage.cookie import CookieStorage


class Loud(CookieStorage):
    pass
