"""Fixtures for tests of claims that are measured by a command."""

from tests.cli.conftest import csvision_command as csvision_command
