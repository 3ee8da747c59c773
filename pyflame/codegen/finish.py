"""What options change in the files that the compiler wrote."""

from __future__ import annotations

import re
import shlex

from lowering.plan import Plan
from pyflame.codegen.debug_info import debug_info
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
        text = files["pe.csl"]
        result["debug_info.txt"] = debug_info(plan, text, _line_numbers(text, options))
    return result


def without_comments(text: str) -> str:
    """CSL without `//` comments, and without the blank lines they leave at the top."""
    return "".join(f"{line}\n" for _, line in _bare_lines(text)) or "\n"


def _bare_lines(text: str) -> list[tuple[int, str]]:
    """The lines that are left without comments, with their numbers from 1 on."""
    lines: list[tuple[int, str]] = []
    for number, line in enumerate(text.splitlines(), 1):
        bare = _COMMENT.sub(lambda match: match[1] or "", line)
        is_left = bool(bare.strip()) or not line.strip()
        if is_left and (lines or bare):
            lines.append((number, bare))
    return lines


def _line_numbers(text: str, options: CodeGenOptions) -> dict[int, int]:
    """The numbers of lines in the file that is written, by those in `text`."""
    if options.emit_comments:
        return {number: number for number in range(1, text.count("\n") + 2)}
    return {old: new for new, (old, _) in enumerate(_bare_lines(text), 1)}


def with_address(script: str, address: str) -> str:
    """The command script with the system that run.py connects to."""
    assert _LAUNCH in script, "the command scripts launch run.py"
    quoted = shlex.quote(address)
    return script.replace(
        _LAUNCH, f'cs_python run.py --name out --cmaddr {quoted} "$@"'
    )
