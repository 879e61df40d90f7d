"""Speed measured as ratios within one run; see docs/benchmarks.md for what came out."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from core.bench.timing import Comparison
from core.registry import Registry

BENCHES: Registry[Callable[[Path], Comparison]] = Registry("bench")


def _late(module: str, function: str = "bench") -> Callable[[Path], Comparison]:
    """A bench whose imports wait until it runs."""

    def run(folder: Path) -> Comparison:
        chosen: Callable[[Path], Comparison] = getattr(import_module(module), function)
        return chosen(folder)

    return run


BENCHES.register("classify")(_late("core.bench.classify"))
BENCHES.register("classify_growth")(_late("core.bench.classify", "growth"))
BENCHES.register("classify_ray")(_late("core.bench.classify", "cluster"))
BENCHES.register("peers")(_late("core.bench.peers"))
BENCHES.register("film")(_late("core.bench.classify", "film"))
BENCHES.register("train")(_late("core.bench.training"))
BENCHES.register("explain")(_late("core.bench.live", "maps"))
BENCHES.register("explain_whole")(_late("core.bench.live", "explanation"))
BENCHES.register("live")(_late("core.bench.live", "median"))
BENCHES.register("live_p95")(_late("core.bench.live", "p95"))
BENCHES.register("live_four_faces")(_late("core.bench.live", "four_faces"))
BENCHES.register("prepare")(_late("core.bench.training", "preparing"))

__all__ = ["BENCHES", "Comparison"]
