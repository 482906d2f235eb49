"""Fixtures for tests of runs that are started by a command."""

from tests.cli.conftest import csvision_command as csvision_command
