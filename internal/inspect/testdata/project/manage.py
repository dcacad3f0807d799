"""Django's own commands, on the projects in shapes."""

import sys

from django.core.management import execute_from_command_line

execute_from_command_line(sys.argv)
