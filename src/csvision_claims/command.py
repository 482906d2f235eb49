"""The command `csvision claims`; the entry point `csvision.commands` adds it to csvision."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from csvision import ConfigError, load_config, log_to_console, option
from csvision.cli.commands import Command
from csvision_claims.engine.catalog import find_claims, load_claim, select_claims
from csvision_claims.engine.log import log
from csvision_claims.engine.profile import FULL, PROFILES

if TYPE_CHECKING:
    from csvision_claims.engine.record import ClaimRecord


class ProfileName(StrEnum):
    """Choices of `profile=`."""

    quick = "quick"
    full = "full"


@dataclass
class ClaimsConfig:
    """The configuration of conf/claims.yaml."""

    claim: Any = option("claims to run, such as A3 or [A3,B12]; []: all")
    profile: ProfileName = option(
        "full: measure enough to decide; quick: check in minutes that everything runs"
    )
    seed: int = option("first of the paired seeds", ge=0, le=10**9)
    num_workers: int = option("number of parallel processes, of one thread each", ge=1, le=1024)
    publish: bool = option("write the results of all claims into docs/")
    output_dir: str = option("folder for results and finished jobs")


COMMAND = Command(
    "claims",
    "Decide the claims of the course notes by measurement.",
    ClaimsConfig,
    "csvision_claims.command:run",
)


def option_errors(config: ClaimsConfig) -> Iterator[str]:
    """Yield an error for each invalid combination of options."""
    if not config.publish:
        return
    if config.profile is not ProfileName.full:
        yield f"publish=true: profile={config.profile} does not decide; use profile=full"
    if config.claim:
        yield "publish=true: all claims are published; leave out claim= (finished jobs are cached)"
    if config.seed:
        yield f"publish=true: seeds from 0 are published; leave out seed={config.seed}"


def run_overrides(overrides: Sequence[str]) -> "list[ClaimRecord]":
    """Run the claims that overrides select and return their records."""
    COMMAND.register()
    config: ClaimsConfig = load_config(COMMAND.config_name, overrides)
    return run(config)


def run(config: ClaimsConfig) -> "list[ClaimRecord]":
    """Run claims, write each record when it is decided, and write the page.

    Only the full profile writes the page, and only with its own seeds. Raises ConfigError before
    torch is imported.
    """
    if errors := list(option_errors(config)):
        raise ConfigError(errors)
    names = select_claims(config.claim)
    # These import torch.
    from csvision_claims.engine.run_claims import run_claims
    from csvision_claims.page import publish

    profile = PROFILES[config.profile].shift_seeds(config.seed)
    folder = publish.prepare_results_folder(Path(config.output_dir), profile)
    claims = [load_claim(name) for name in names]
    records = []
    with log_to_console():
        if not profile.full:
            log.info("profile=quick only checks that everything runs; its verdicts mean nothing")
        try:
            for record in run_claims(claims, profile, folder.with_name("jobs"), config.num_workers):
                publish.upsert(record, folder, list(find_claims()))
                records.append(record)
        except KeyboardInterrupt:
            log.warning("finished jobs are kept; run the same command again to resume")
            raise
        if config.publish:
            print(publish.publish(records, Path()))
        elif profile == FULL:
            print(publish.write_page(folder))
        else:
            print(folder / publish.RECORDS)
    return records
