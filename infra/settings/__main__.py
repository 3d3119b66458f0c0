"""Prints the reference page of the settings: `python -m infra.settings`."""

import sys

from infra.settings.reference import page

sys.stdout.write(page())
