"""For the benchmarks: every measurement in a process of its own, its time and memory beside those of no other."""

import json
import os
import platform
import resource
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "tests" / "benchmarks" / "results"
LIBRARIES = ("numpy", "pandas", "scipy", "statsmodels", "duckdb", "narwhals")


def measure(script: str, measurements: Mapping[str, Callable[[], dict]]) -> dict[str, dict]:
    """Numbers of every measurement and the peak memory of its process; in the child, run one and end."""
    if len(sys.argv) > 1:
        numbers = measurements[sys.argv[1]]()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)
        print(json.dumps(numbers | {"peak_mb": round(peak, 1)}))
        sys.exit()
    return {name: _alone(script, name) for name in measurements}


def keep(name: str, measured: dict, ratios: Mapping[str, float], note: str = "") -> None:
    """Print the ratios, and keep them with the numbers, the command and the versions that made them."""
    for told, value in ratios.items():
        print(f"{told}: {value:,.4g}")
    made = {
        "command": f"python tests/benchmarks/{name}.py",
        "note": note,
        "ratios": ratios,
        "measured": measured,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "versions": {library: version(library) for library in LIBRARIES},
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(made, indent=1) + "\n")


def _alone(script: str, name: str) -> dict:
    quiet = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, script, name]
    done = subprocess.run(command, env=os.environ | quiet, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])
