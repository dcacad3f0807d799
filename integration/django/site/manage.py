"""Django's own commands, on the site of these tests."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = os.environ.get("SITE_SETTINGS", "shared.settings")
    execute_from_command_line(sys.argv)
