"""Feature blocks: what a head sees of an article. Each turns rows into sparse features and can name every one of them.

To add a block: a class with the interface of `Block`, a line in `_KINDS`, its fitting in `training.blocks`, and a row in
docs/ARCHITECTURE.md. The `spec` (JSON) and `arrays` (.npy) of a block are all that an artifact holds of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from classifier.errors import ArtifactDamaged
from classifier.spec import Arrays, Spec
from classifier.text.blocks.base import Block, FewBlock, FieldSpan
from classifier.text.blocks.columns import CategoryBlock, NumericBlock
from classifier.text.blocks.cross import CrossBlock
from classifier.text.blocks.packing import pack_strings, unpack_strings
from classifier.text.blocks.publishing import (
    ClockBlock,
    DaypartBlock,
    HardDaypartBlock,
    ShapeBlock,
    TimeBlock,
)
from classifier.text.blocks.text import TextBlock, Weighting
from classifier.text.characters import Characters
from classifier.text.sparse import Floats

__all__ = [
    "Block",
    "CategoryBlock",
    "ClockBlock",
    "CrossBlock",
    "DaypartBlock",
    "FewBlock",
    "FieldSpan",
    "HardDaypartBlock",
    "NumericBlock",
    "ShapeBlock",
    "TextBlock",
    "TimeBlock",
    "Weighting",
    "load_block",
    "pack_strings",
    "unpack_strings",
]

_KINDS: dict[str, type[CategoryBlock | NumericBlock | ClockBlock | ShapeBlock]] = {
    kind.kind: kind
    for kind in (CategoryBlock, NumericBlock, TimeBlock, DaypartBlock, HardDaypartBlock, ShapeBlock)
}


def load_block(
    spec: Spec,
    arrays: Arrays,
    before: Sequence[Block] = (),
    characters: Characters | None = None,
    idf: Floats | None = None,
) -> Block:
    """The block that a manifest describes; only the kinds of this package can be made. `before` are the blocks that stand
    before it in the head: a cross is of one of them. `characters` and `idf` are a text block's (None before format 4).

    Raises:
        ArtifactDamaged: an unknown kind, or a description or array that does not fit it.
    """
    kind = spec.choice("kind", (*_KINDS, TextBlock.kind, CrossBlock.kind))
    if kind == TextBlock.kind:
        return TextBlock.load(spec, arrays, characters, idf)
    if kind != CrossBlock.kind:
        return _KINDS[kind].load(spec, arrays)
    inner = spec.get("inner", int)
    if not 0 <= inner < len(before) or isinstance(before[inner], CrossBlock):
        raise ArtifactDamaged('"inner" is no block before this one that can be crossed', where=spec.place)
    return CrossBlock.load(spec, arrays, before[inner])
