"""The migrations of edx-submissions with one of them mended, for tests on MariaDB.

Its 0006 converts the columns of three tables, two of which do not have them. MySQL, which the platform runs on, skips
it.
"""

from submissions import migrations

__path__ = [*__path__, *migrations.__path__]
