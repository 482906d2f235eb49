"""Fixtures for tests that run the command."""

from tests.cli.conftest import csvision_command as csvision_command
