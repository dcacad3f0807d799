"""Pages for visitors."""

import urllib.parse
import urllib.request

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render


def who(request):
    return render(request, "who.html")


def message(request):
    """Adds a message and leads to where it is told, without showing it."""
    messages.success(request, request.GET["text"])
    return HttpResponse("added")


def echo(request):
    return render(request, "echo.html", {"text": request.POST.get("text")})


def may(request):
    """Whether the visitor has a permission, and the visitor's groups."""
    groups = ",".join(sorted(group.name for group in request.user.groups.all())) or "none"
    return HttpResponse(f"Django: {request.GET['perm']} {'yes' if request.user.has_perm(request.GET['perm']) else 'no'}, groups {groups}.")


def slow(request):
    """Loads the session, waits until the test says so, and changes the session."""
    request.session.get("late")
    gate = request.GET["gate"] + "?" + urllib.parse.urlencode({"hold": request.GET["hold"]})
    with urllib.request.urlopen(gate, timeout=60) as answer:
        answer.read()
    request.session["late"] = request.GET["value"]
    return HttpResponse("done")
