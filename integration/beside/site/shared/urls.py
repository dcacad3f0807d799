"""Django's own views, and a few pages by which a person or a test sees what Django knows."""

from django.urls import include, path

from . import tools, views

urlpatterns = [
    path("", views.who),
    path("accounts/", include("django.contrib.auth.urls")),
    path("message/", views.message),
    path("echo/", views.echo),
    path("may/", views.may),
    path("slow/", views.slow),
    path("do/<str:what>/", tools.do),  # behind the site's back
]
