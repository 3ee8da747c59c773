"""The host side of a compiled program: program.json, tiling, run.py, scripts."""

from lowering.host.description import (
    Description,
    HostValue,
    MalformedProgramError,
    read_description,
)
from lowering.host.files import host_files
from lowering.host.program import program, program_text
from lowering.host.tiling import from_words, to_words

__all__ = [
    "Description",
    "HostValue",
    "MalformedProgramError",
    "from_words",
    "host_files",
    "program",
    "program_text",
    "read_description",
    "to_words",
]
