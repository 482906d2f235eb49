"""The logger of csvision, so that messages of claims appear on the same console."""

import logging

log = logging.getLogger("csvision")
