"""The command line: `csvision COMMAND [KEY=VALUE ...]`."""
