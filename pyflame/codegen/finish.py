"""What options change in the files that the compiler wrote."""

from __future__ import annotations

import re
import shlex

from lowering.plan import Plan
from pyflame.codegen.options import CodeGenOptions

_LAUNCH = 'cs_python run.py --name out "$@"'
_COMMENT = re.compile(r'("(?:[^"\\]|\\.)*")|\s*//.*')


def finished(
    files: dict[str, str], plan: Plan, options: CodeGenOptions
) -> dict[str, str]:
    """The files as the options want them; their order is kept."""
    result = dict(files)
    for name in files:
        if name.endswith(".csl") and not options.emit_comments:
            result[name] = without_comments(files[name])
        if name.endswith(".sh") and options.runtime_address:
            result[name] = with_address(files[name], options.runtime_address)
    if options.generate_debug_info:
        result["debug_info.txt"] = debug_info(plan)
    return result


def without_comments(text: str) -> str:
    """CSL without `//` comments, and without the blank lines they leave at the top."""
    lines = []
    for line in text.splitlines():
        bare = _COMMENT.sub(lambda match: match[1] or "", line)
        if bare.strip() or not line.strip():
            lines.append(bare)
    return "\n".join(lines).lstrip("\n") + "\n"


def with_address(script: str, address: str) -> str:
    """The command script with the system that run.py connects to."""
    assert _LAUNCH in script, "the command scripts launch run.py"
    quoted = shlex.quote(address)
    return script.replace(
        _LAUNCH, f'cs_python run.py --name out --cmaddr {quoted} "$@"'
    )


def debug_info(plan: Plan) -> str:
    """A line per step: predicted cycles, bytes written, equation, the user's line."""
    rows = [f"{'cycles':>10} {'bytes':>8}  step"]
    for step in plan.cost.steps:
        at = f"    at {step.place}" if step.place else ""
        rows.append(f"{step.cycles:>10,} {step.size_bytes:>8,}  {step.equation}{at}")
    return "\n".join(rows) + "\n"
