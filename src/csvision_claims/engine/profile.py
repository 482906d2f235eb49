"""Profiles: how much the claims measure."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Profile:
    """Seeds, data and learning rates; `full` decides, `quick` only checks that everything runs.

    `data` are overrides for the arms that are compared. `tuning_data` replaces them where
    learning rates are chosen: on validation rows and with separate seeds, never on test rows.
    """

    name: str
    seeds: tuple[int, ...]
    tuning_seeds: tuple[int, ...]
    lr_grid: tuple[float, ...]
    data: tuple[str, ...]
    tuning_data: tuple[str, ...]
    full: bool = False
    first_seed: int = 0

    @property
    def cli_args(self) -> str:
        """The arguments that select it, with a leading blank; empty for the default."""
        profile = "" if self.full else " profile=quick"
        return f"{profile} seed={self.first_seed}" if self.first_seed else profile

    @property
    def val_fraction(self) -> float:
        """The fraction of the training rows on which learning rates are chosen."""
        (size,) = (option for option in self.tuning_data if option.startswith("data.val_size="))
        return float(size.partition("=")[2])

    def shift_seeds(self, first: int) -> "Profile":
        """Return the profile with seeds from `first`, and a separate name for its results."""
        if not first:
            return self
        return replace(
            self,
            name=f"{self.name}_from_seed_{first}",
            first_seed=first,
            seeds=tuple(seed + first for seed in self.seeds),
            tuning_seeds=tuple(seed + first for seed in self.tuning_seeds),
        )


FULL = Profile(
    "full",
    seeds=tuple(range(8)),
    tuning_seeds=(100, 101),
    lr_grid=(0.002, 0.004, 0.008, 0.016, 0.032, 0.064),
    data=("data=fmnist", "data.csv=bundled", "data.val_size=0"),
    tuning_data=("data=fmnist", "data.csv=bundled", "data.val_size=0.2"),
    full=True,
)

QUICK = Profile(
    "quick",
    seeds=(0, 1),
    tuning_seeds=(100,),
    lr_grid=(0.004,),
    data=("data=fmnist_small", "data.val_size=0", "debug.limit_rows=128", "epochs=1"),
    tuning_data=("data=fmnist_small", "data.val_size=0.2", "debug.limit_rows=128", "epochs=1"),
)

PROFILES = {profile.name: profile for profile in (FULL, QUICK)}
