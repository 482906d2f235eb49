"""Run `python -m csvision COMMAND ...`."""

from csvision.cli.main import main

if __name__ == "__main__":
    main()
