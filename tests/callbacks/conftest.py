"""Fixtures for tests of callbacks in a run that is started by a command."""

from tests.cli.conftest import csvision_command as csvision_command
