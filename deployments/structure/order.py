"""The order in which the blocks of a page are read, from their boxes alone.

A recursive XY-cut on boxes (Ha, Haralick and Phillips, "Recursive X-Y cut using bounding boxes of connected
components", ICDAR 1995). Rows come from the top, but rows that share a gutter are columns, and each of them
is read to its end: two columns of paragraphs have gaps in the same places now and then. Where no straight
line passes between the blocks, the widest one is taken out, the others are ordered, and it is put back before
what stands below it (as the masks of Liu et al., "XY-Cut++", 2025).
"""

from collections.abc import Sequence

from deployments.blocks import Box

# Columns stand beside each other for at least this share of the lower one's height, else they are rows.
_MIN_BESIDE = 0.3
# A column is at least this wide, in parts of all: the numbers beside formulas are none.
_MIN_WIDTH = 0.1
# A left column that begins below this share of the right one is read after it.
_LATE = 0.6
# What stands alone below columns ends one of them when it is as wide as this share of it.
_MIN_TAIL = 0.6


def order_blocks(boxes: Sequence[Box]) -> list[int]:
    """Indices of the boxes in reading order."""
    return _order(list(range(len(boxes))), [_shrink(box) for box in boxes])


def follow_places(order: Sequence[int], places: Sequence[int | None]) -> list[int]:
    """Indices in the order of their ``places``, where these are known.

    One without a place stays behind the one that it follows in ``order``.
    """
    if all(place is None for place in places):
        return list(order)
    groups: list[tuple[float, list[int]]] = []
    for index in order:
        place = places[index]
        if place is not None or not groups:
            groups.append((float("-inf") if place is None else place, []))
        groups[-1][1].append(index)
    return [index for _, group in sorted(groups, key=lambda item: item[0]) for index in group]


def _shrink(box: Box) -> Box:
    """A little smaller: boxes of neighbours overlap by a few pixels."""
    left, top, right, bottom = box
    dx, dy = min(0.02 * (right - left), 4.0), min(0.1 * (bottom - top), 4.0)
    return left + dx, top + dy, right - dx, bottom - dy


def _order(members: list[int], boxes: Sequence[Box]) -> list[int]:
    if len(members) < 2:
        return members
    columns = _find_columns(members, boxes)
    if columns is not None:
        return [index for column in columns for index in _order(column, boxes)]
    rows = _merge_columned(_split(members, boxes, axis=1), boxes)
    if len(rows) > 1:
        return [index for row in rows for index in _order(row, boxes)]
    strips = _split(members, boxes, axis=0)
    if len(strips) == len(members):
        return [index for strip in strips for index in strip]
    return _order_around_widest(members, boxes)


def _order_around_widest(members: Sequence[int], boxes: Sequence[Box]) -> list[int]:
    """The order of blocks that overlap: the widest one comes before what stands below it."""
    widest = max(members, key=lambda index: (boxes[index][2] - boxes[index][0], -index))
    left, top, right, bottom = boxes[widest]
    ordered = _order([index for index in members if index != widest], boxes)
    for place, index in enumerate(ordered):
        other = boxes[index]
        middle = (other[1] + other[3]) / 2
        beside = min(other[2], right) <= max(other[0], left)
        # A block beside it is read before it when it stands to the left, or higher.
        is_later = (left < other[0] and middle > top) if beside else middle > (top + bottom) / 2
        if is_later:
            return [*ordered[:place], widest, *ordered[place:]]
    return [*ordered, widest]


def _find_columns(members: Sequence[int], boxes: Sequence[Box]) -> list[list[int]] | None:
    """The members on both sides of a gutter in reading order, None where no gutter parts columns."""
    strips = _split(members, boxes, axis=0)
    for cut in range(1, len(strips)):
        left = [index for strip in strips[:cut] for index in strip]
        right = [index for strip in strips[cut:] for index in strip]
        if _stand_beside(left, right, boxes):
            return [right, left] if _begins_late(left, right, boxes) else [left, right]
    return None


def _begins_late(left: Sequence[int], right: Sequence[int], boxes: Sequence[Box]) -> bool:
    """Whether the left column begins where the right one is nearly at its end: people begin at the top."""
    _, top, _, bottom = _surround(right, boxes)
    return _surround(left, boxes)[1] > top + _LATE * (bottom - top)


def _stand_beside(left: Sequence[int], right: Sequence[int], boxes: Sequence[Box]) -> bool:
    extents = [_surround(side, boxes) for side in (left, right)]
    width = extents[1][2] - extents[0][0]
    several = len(left) > 1 or len(right) > 1
    if several and any(side[2] - side[0] < _MIN_WIDTH * width for side in extents):
        return False
    (_, top_left, _, bottom_left), (_, top_right, _, bottom_right) = extents
    shared = min(bottom_left, bottom_right) - max(top_left, top_right)
    return shared > _MIN_BESIDE * min(bottom_left - top_left, bottom_right - top_right)


def _split(members: Sequence[int], boxes: Sequence[Box], axis: int) -> list[list[int]]:
    """The members in groups between which a straight line passes; axis 0 cuts along x, 1 along y."""
    groups: list[list[int]] = []
    reached = float("-inf")
    for index in sorted(members, key=lambda member: boxes[member][axis]):
        if boxes[index][axis] >= reached or not groups:
            groups.append([])
        groups[-1].append(index)
        reached = max(reached, boxes[index][axis + 2])
    return groups


def _merge_columned(rows: Sequence[list[int]], boxes: Sequence[Box]) -> list[list[int]]:
    """Rows below each other that have a gutter in common, joined."""
    merged: list[list[int]] = []
    for number, row in enumerate(rows):
        if merged:
            together = [*merged[-1], *row]
            following = rows[number + 1] if number + 1 < len(rows) else []
            if _has_columns(row, boxes):
                if _find_columns(together, boxes) is not None:
                    merged[-1] = together
                    continue
            elif _ends_column(row, merged[-1], following, boxes):
                merged[-1] = together
                continue
        merged.append(row)
    return merged


def _has_columns(row: Sequence[int], boxes: Sequence[Box]) -> bool:
    return len(_split(row, boxes, axis=0)) > 1


def _ends_column(
    row: Sequence[int], above: Sequence[int], following: Sequence[int], boxes: Sequence[Box]
) -> bool:
    """Whether a row belongs to one of the columns above it, which is longer than the others.

    It is as wide as its column, close to what stands above it there, and what follows is no wider.
    """
    box = _surround(row, boxes)
    column = _find_column(box, above, boxes)
    if column is None:
        return False
    left, _, right, reached = _surround(column, boxes)
    if box[2] - box[0] < _MIN_TAIL * (right - left) or box[1] - reached > box[3] - box[1]:
        return False
    return not following or _find_columns([*above, *row, *following], boxes) is not None


def _find_column(box: Box, members: Sequence[int], boxes: Sequence[Box]) -> list[int] | None:
    """The narrowest of the columns of some members in which a box fits."""
    for column in _find_columns(members, boxes) or ():
        left, _, right, _ = _surround(column, boxes)
        tolerance = 0.05 * (right - left)
        if left - tolerance <= box[0] and box[2] <= right + tolerance:
            return _find_column(box, column, boxes) or column
    return None


def _surround(members: Sequence[int], boxes: Sequence[Box]) -> Box:
    lefts, tops, rights, bottoms = zip(*(boxes[index] for index in members), strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)
