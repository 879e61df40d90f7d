"""A search's folder: its settings beside status, log and trials, like a run's."""

import hashlib
import json
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import quote

from core.errors import CheckpointError, ConfigError
from core.files import write_json
from core.paths import storage_password
from core.shapes import StudyFile
from core.stored import read_shaped
from core.training.config import RunConfig
from core.training.queue import Job, add_job
from core.training.run_folder import RunFolder
from core.training.tuning.space import (
    Space,
    check_networks,
    check_space,
    grid_size,
    space_from_json,
)

PASSWORD = re.compile(r"(//[^/@:]*):[^@]*@")  # in the address of a storage
Sampler = Literal["grid", "random", "tpe", "nsga2"]
Pruner = Literal["median", "hyperband", "none"]
Goal = Literal["valid_accuracy", "valid_macro_f1"]
OF_A_MACHINE = ("accelerator", "compile", "precision", "save_minutes")  # its own in each


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched, and how.

    Attributes:
        space: Settings that vary.
        base: All other settings.
        sampler: How the next values are chosen: every combination, at random, by a tree-structured
            Parzen estimator, or by the genetic algorithm NSGA-II.
        trials: Runs in all, over all machines.
        pruner: How hopeless trials are cut short.
        goal: What is made as large as possible, on the validation part; of each trial it is the
            kept weights' own, those of the epoch with the best accuracy.
        storage: Optuna storage URL, which several machines may share; "" for a file of its own.
        seed: Start of the sampler's random numbers.
    """

    space: Space
    base: RunConfig
    sampler: Sampler = "tpe"
    trials: int = 30
    pruner: Pruner = "median"
    goal: Goal = "valid_accuracy"
    storage: str = ""
    seed: int = 0

    def __post_init__(self) -> None:
        for name, choices in (
            ("sampler", get_args(Sampler)), ("pruner", get_args(Pruner)), ("goal", get_args(Goal)),
        ):  # fmt: skip
            found = getattr(self, name)
            if found not in choices:
                raise ConfigError(f"{name} is {found!r}; expected one of {', '.join(choices)}.")
        if not self.space:
            raise ConfigError(
                "Nothing varies: the space has no settings; expected one at least. Choose some, or "
                "leave out the --set that takes the last one away."
            )
        if not 1 <= self.trials <= 1_000_000:
            raise ConfigError(f"trials is {self.trials}; expected 1 to 1,000,000.")
        if self.base.devices * self.base.machines != 1:
            raise ConfigError(
                "A trial runs in one process. Set devices and machines to 1; several machines "
                "share a search through its storage."
            )
        if self.sampler == "grid" and grid_size(self.space) is None:
            raise ConfigError("A grid needs lists of values; this space has a range.")
        if PASSWORD.search(self.storage):
            raise ConfigError(
                "The address of the storage holds a password, which would be kept in the search's "
                "folder. Leave it out, user@host, and set GIMEFIVE_STORAGE_PASSWORD instead."
            )
        check_space(self.space, self.base)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "space": {name: one.to_json() for name, one in self.space.items()},
            "base": self.base.to_json(),
            "sampler": self.sampler,
            "trials": self.trials,
            "pruner": self.pruner,
            "goal": self.goal,
            "storage": self.storage,
            "seed": self.seed,
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Search":
        """Read what `to_json` wrote.

        Raises:
            ConfigError: A key is missing or unknown, or a value is out of range.
        """
        try:
            space = space_from_json(values["space"])
            base = RunConfig.from_json(values["base"])
            rest = {key: one for key, one in values.items() if key not in ("space", "base")}
            # Files of before kept the password; it is not written again.
            rest["storage"] = PASSWORD.sub(r"\1@", rest.get("storage", ""))
            return cls(space, base, **rest)
        except (KeyError, TypeError) as error:
            raise ConfigError(f"The search cannot be read: {error!r}.") from error

    def save(self, folder: RunFolder) -> None:
        """Make the folder and store the settings."""
        folder.path.mkdir(parents=True, exist_ok=True)
        write_json(folder.path / "study.json", self.to_json())

    @classmethod
    def load(cls, folder: RunFolder) -> "Search":
        """The search of a folder.

        Raises:
            CheckpointError: There is none, or it cannot be read.
        """
        try:
            return cls.from_json(read_shaped(folder.path / "study.json", StudyFile))
        except FileNotFoundError:
            raise CheckpointError(f"{folder.name} holds no search.") from None
        except (OSError, ValueError, ConfigError) as error:
            raise CheckpointError(f"study.json of {folder.name} cannot be read: {error}") from error

    @property
    def digest(self) -> str:
        """What tells it from other searches: space, base and goal, alike on all machines."""
        base = {key: one for key, one in self.base.to_json().items() if key not in OF_A_MACHINE}
        base["data"] = Path(self.base.data).name
        told = self.to_json() | {"base": base}
        text = json.dumps([told[key] for key in ("space", "base", "goal")], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def storage_url(self, folder: RunFolder) -> str:
        """Where Optuna keeps the trials, with the password of the environment."""
        if not self.storage:
            return f"sqlite:///{folder.path / 'study.db'}"
        password = quote(storage_password(), safe="")
        return (
            re.sub(r"(//[^/@:]+)@", rf"\1:{password}@", self.storage) if password else self.storage
        )

    @property
    def shown_storage(self) -> str:
        """The storage without user and password."""
        return re.sub(r"//[^/@]*@", "//", self.storage) or "a file in its folder"


def trial_folder(folder: RunFolder, number: int) -> RunFolder:
    """The run folder of a trial."""
    return RunFolder(folder.path / "trials" / f"{number:05d}")


def add_search(root: Path, name: str, search: Search) -> RunFolder:
    """Queue a new search.

    Raises:
        ConfigError: The name is taken or no folder name, or a network cannot be built.
    """
    check_networks(search.space, search.base)
    return add_job(root, name, Job(time.time(), evaluate=False), search.save)
