"""All of Django's views for accounts, and a page that says whom it sees."""

from django.urls import include, path
from django.views.generic import TemplateView

urlpatterns = [
    path("", TemplateView.as_view(template_name="whoami.html")),
    path("accounts/", include("django.contrib.auth.urls")),
]
