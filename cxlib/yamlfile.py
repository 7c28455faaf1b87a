"""YAML as people write it: plain texts, each with its line. No types, no aliases, no key twice, nothing constructed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from .errors import CxError, ending, refuse, shortened
from .paths import is_file

LARGEST = 1_000_000  # bytes; one written by a person is far smaller
Lines = Mapping[tuple[str | int, ...], int]


class PlainLoader(yaml.BaseLoader):
    """YAML without types and without aliases: a few nested aliases can stand for gigabytes."""

    def compose_node(self, parent, index):
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError(f"aliases are not allowed (line {self.peek_event().start_mark.line + 1})")
        return super().compose_node(parent, index)


def read_yaml(path: str | Path, kind: str) -> tuple[Any, Lines]:
    """Content of a YAML file, scalars as text, and the line of each key and item; CxError with all that is wrong."""
    where = f"{kind} '{ending(path)}'"
    try:
        # A pipe would be waited for, and a device read, for ever.
        if Path(path).exists() and not is_file(path):
            raise CxError(f"{where} must be a file, it is a folder or a device; name the file")
        if Path(path).stat().st_size > LARGEST:
            raise CxError(f"{where} must be under {LARGEST:,} bytes")
        text = Path(path).read_text(encoding="utf-8-sig")
        node = yaml.compose(text, Loader=PlainLoader)
    except OSError as error:
        raise CxError(f"{where} cannot be read: {error.strerror}") from None
    except CxError:
        raise
    except (yaml.YAMLError, ValueError) as error:  # a name with a sign that none can have is a ValueError
        raise CxError(f"{where} is not YAML: {shortened(error, 200)}") from None
    except RecursionError:
        raise CxError(f"{where} is not YAML: nested too deeply") from None
    lines: dict[tuple[str | int, ...], int] = {}
    faults: list[str] = []
    content = _plain(node, (), lines, faults)
    refuse(f"{where}, {fault}" for fault in faults)
    return content, lines


def line_of(lines: Lines, keys: tuple[str | int, ...]) -> int:
    """The line of a key, or of the nearest place around it that was written."""
    return next((lines[keys[:end]] for end in range(len(keys), 0, -1) if keys[:end] in lines), 1)


def _plain(node: Any, keys: tuple[str | int, ...], lines: dict, faults: list[str]) -> Any:
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            lines[*keys, number] = item.start_mark.line + 1
        return [_plain(item, (*keys, number), lines, faults) for number, item in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        return node.value if node else None
    found = {}
    for key, value in node.value:
        line, name = key.start_mark.line + 1, key.value
        if not isinstance(name, str):
            faults.append(f"line {line}: a key must be one word, not a list or a mapping")
        elif name in found:
            faults.append(f"line {line}: '{shortened(name)}' is there twice, first on line {lines[*keys, name]}")
        else:
            lines[*keys, name] = line
            found[name] = _plain(value, (*keys, name), lines, faults)
    return found
