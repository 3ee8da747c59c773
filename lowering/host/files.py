"""What the vendor's SDK needs beside the CSL: run.py and the command scripts."""

from __future__ import annotations

from pathlib import Path

from lowering.emit.program import render
from lowering.mesh import Mesh
from lowering.target import TARGETS, Target


def host_files(mesh: Mesh, title: str) -> dict[str, str]:
    """run.py, its tiling.py, and a script per wafer that has room for the mesh."""
    files = {
        "run.py": render("run.py.j2", {"title": title}),
        "tiling.py": (Path(__file__).parent / "tiling.py").read_text("utf-8"),
    }
    for target in TARGETS.values():
        rows, cols = target.max_mesh
        if mesh.rows <= rows and mesh.cols <= cols:
            files[f"commands_{target.arch}.sh"] = _commands(mesh, target)
    return files


def _commands(mesh: Mesh, target: Target) -> str:
    width, height = target.fabric_dims(mesh.rows, mesh.cols)
    offset_x, offset_y = target.fabric_offset
    context = {
        "arch": target.arch,
        "fabric_dims": f"{width},{height}",
        "fabric_offsets": f"{offset_x},{offset_y}",
    }
    return render("commands.sh.j2", context)
