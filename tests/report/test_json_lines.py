"""Files that several processes append to, any of which may be killed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from gitops_e2e.report import json_lines

_WRITER = """
import json, sys
from pathlib import Path
from gitops_e2e.report import json_lines
for number in range(50):
    json_lines.append(Path(sys.argv[1]), [json.dumps({"writer": sys.argv[2], "number": number, "text": "x" * 20_000})])
"""


def test_what_is_appended_is_read(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    json_lines.append(file, ['{"a": 1}', '{"a": 2}'])
    json_lines.append(file, [])
    json_lines.append(file, ['{"a": 3}'])

    assert [line["a"] for line in json_lines.read(file)] == [1, 2, 3]


def test_a_file_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    assert list(json_lines.read(tmp_path / "lines")) == []


def test_writers_side_by_side_lose_nothing(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    writers = [subprocess.Popen([sys.executable, "-c", _WRITER, file, str(number)]) for number in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]

    told = [(line["writer"], line["number"]) for line in json_lines.read(file)]
    assert sorted(told) == sorted((str(writer), number) for writer in range(3) for number in range(50))


def test_a_line_that_a_killed_writer_left_spoils_no_other(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    json_lines.append(file, ['{"a": 1}'])
    with file.open("a") as torn:
        torn.write('{"a": 2, "text": "was being writ')
    json_lines.append(file, [json.dumps({"a": 3})])

    assert [line["a"] for line in json_lines.read(file)] == [1, 3]
