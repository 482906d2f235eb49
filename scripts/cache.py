"""Show or clear the cache of parsed tables: python scripts/cache.py [--clear]"""

import argparse
from pathlib import Path

from csvision.data.cache import clear, default_folder, entries


def main() -> None:
    """Say where the cache is, what is in it and how large it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clear", action="store_true", help="take all entries away")
    parser.add_argument("--folder", type=Path, default=default_folder(), help="as data.cache")
    arguments = parser.parse_args()
    if arguments.clear:
        print(f"{clear(arguments.folder) / 1e6:.1f} MB freed in {arguments.folder}")
        return
    found = entries(arguments.folder)
    for source, size in found:
        print(f"{size / 1e6:10.1f} MB  {source}")
    total = sum(size for _, size in found)
    print(f"{total / 1e6:10.1f} MB in {len(found)} entries of {arguments.folder}")


if __name__ == "__main__":
    main()
