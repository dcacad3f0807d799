from django.http import HttpResponse
from django.urls import include, path

urlpatterns = [
    path("", lambda request: HttpResponse("home"), name="home"),
    path("members/", include("django.contrib.auth.urls")),
]
