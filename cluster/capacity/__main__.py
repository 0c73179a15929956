"""`make capacity`: simulate the scenarios of plan.yaml, write tables and picture of docs/capacity.md."""

import argparse
import os
import sys
from pathlib import Path

from capacity.parameters import HERE, load_node, load_plan
from capacity.report import draw, fill, make_assumptions, make_checks, make_results
from capacity.results import run_all
from capacity.validation import validate

_DOCS = HERE.parent.parent / "docs"


def main() -> int:
    """Write everything; 1 when the simulation is too far from what was measured."""
    parser = argparse.ArgumentParser(prog="capacity", description=__doc__)
    parser.add_argument("--plan", type=Path, default=HERE / "plan.yaml", help="another file of scenarios")
    parser.add_argument("--hours", type=float, default=24.0, help="only so much of the day")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="scenarios at a time")
    parser.add_argument("--dry-run", action="store_true", help="print the tables, write nothing")
    args = parser.parse_args()
    plan = load_plan(args.plan)
    checks = validate()
    tables = {
        "validation": make_checks(checks),
        "assumptions": make_assumptions(load_node(plan.node), plan),
    }
    results = run_all(plan, round(args.hours * 3600), processes=args.processes)
    tables["results"] = make_results(results)
    print("\n".join(tables.values()))
    if not args.dry_run:
        fill(_DOCS / "capacity.md", tables)
        draw([result for result in results if result.scenario.drawn], _DOCS / "images" / "capacity.png")
    far_off = [check for check in checks if not check.holds]
    for check in far_off:
        print(f"too far from what was measured: {check}", file=sys.stderr)
    return int(bool(far_off))


if __name__ == "__main__":
    sys.exit(main())
