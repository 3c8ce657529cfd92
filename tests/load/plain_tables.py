"""Make the tables of the plain Django project; in a process of its own, because it has other settings than ours."""

from django.db import connection

from tests.load.plain_django import TABLES

if __name__ == "__main__":
    with connection.schema_editor() as editor:
        for table in TABLES:
            editor.create_model(table)
