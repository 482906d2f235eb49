"""How much a run of the claims measures."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Profile:
    """Seeds, rows and learning rates: `full` decides, `quick` only shows that all parts work.

    `data` is written before every arm, `tuning` in its place where learning rates are chosen: on
    validation rows, under seeds of their own, without a look at the test rows. `time` is what it
    takes, roughly, of the time of the full profile.
    """

    name: str
    seeds: tuple[int, ...]
    tuning_seeds: tuple[int, ...]
    rates: tuple[float, ...]
    data: tuple[str, ...]
    tuning: tuple[str, ...]
    time: float = 1.0

    @property
    def full(self) -> bool:
        """Whether it measures enough to decide."""
        return self.name.startswith("full")

    @property
    def words(self) -> str:
        """What chooses it on the command line, behind a blank; nothing for the default."""
        name, _, seed = self.name.partition("_from_seed_")
        return (f" profile={name}" if name != "full" else "") + (f" seed={seed}" if seed else "")

    @property
    def held_out(self) -> float:
        """The share of the training rows on which learning rates are chosen."""
        (size,) = (word for word in self.tuning if word.startswith("data.val_size="))
        return float(size.partition("=")[2])

    def from_seed(self, first: int) -> "Profile":
        """The same with other seeds; a name of its own keeps its results apart."""
        if not first:
            return self
        seeds = tuple(seed + first for seed in self.seeds)
        tuning = tuple(seed + first for seed in self.tuning_seeds)
        return replace(
            self, name=f"{self.name}_from_seed_{first}", seeds=seeds, tuning_seeds=tuning
        )


FULL = Profile(
    "full",
    seeds=tuple(range(8)),
    tuning_seeds=(100, 101),
    rates=(0.002, 0.004, 0.008, 0.016, 0.032, 0.064),
    data=("data=fmnist", "data.csv=embedded", "data.val_size=0"),
    tuning=("data=fmnist", "data.csv=embedded", "data.val_size=0.2"),
)

QUICK = Profile(
    "quick",
    seeds=(0, 1),
    tuning_seeds=(100,),
    rates=(0.004,),
    data=("data=fmnist_small", "data.val_size=0", "debug.rows=128", "epochs=1"),
    tuning=("data=fmnist_small", "data.val_size=0.2", "debug.rows=128", "epochs=1"),
    time=0.01,
)

PROFILES = {profile.name: profile for profile in (FULL, QUICK)}
