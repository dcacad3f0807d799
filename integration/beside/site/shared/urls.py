"""Django's own views below /dj/, and a few pages by which a person or a test sees what Django knows."""

from django.urls import include, path

from . import tools, views

urlpatterns = [
    path("dj/", views.who),
    path("dj/accounts/", include("django.contrib.auth.urls")),
    path("dj/message/", views.message),
    path("dj/echo/", views.echo),
    path("dj/may/", views.may),
    path("dj/slow/", views.slow),
    path("do/<str:what>/", tools.do),  # behind the site's back: not below /dj/, so no visitor gets there
]
