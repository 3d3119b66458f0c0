"""Prints the reference page of the settings: `python -m event_store_infra.settings`."""

import sys

from event_store_infra.settings.reference import page

sys.stdout.write(page())
