class Router:
    """Sessions in a database of their own."""

    def db_for_write(self, model, **hints):
        return "sessions" if model._meta.app_label == "sessions" else "default"

    db_for_read = db_for_write
