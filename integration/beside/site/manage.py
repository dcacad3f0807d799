"""Django's own commands, and "serve", which serves the site on a free port and prints where."""

import os
import socketserver
import sys
import wsgiref.simple_server

from django.core.management import execute_from_command_line


class Server(socketserver.ThreadingMixIn, wsgiref.simple_server.WSGIServer):
    daemon_threads = True


class Quiet(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *args):
        pass


def serve():
    import django
    from django.core.wsgi import get_wsgi_application

    django.setup()
    with wsgiref.simple_server.make_server("127.0.0.1", 0, get_wsgi_application(), Server, Quiet) as server:
        print(f"Django answers at http://127.0.0.1:{server.server_port}/", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "shared.settings"
    if sys.argv[1:] == ["serve"]:
        serve()
    else:
        execute_from_command_line(sys.argv)
