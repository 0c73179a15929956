"""The size at which a page is looked at (PaddleX `DetResizeForTest`, resize type 0)."""

from deployments.document import LimitType

# The detector's feature pyramid halves the page five times.
STRIDE_PX = 32
# Below this sum of sides PaddleX pads a page before resizing it.
_TINY_SIDES_PX = 64


def choose_detection_size(
    height: int, width: int, limit_side_len: int, limit_type: LimitType, max_side_len: int
) -> tuple[int, int]:
    """Height and width in pixels, multiples of 32, for a page of ``height`` x ``width`` pixels.

    ``max`` shrinks a page whose longer side exceeds ``limit_side_len``; ``min`` enlarges one whose shorter
    side falls below it; neither result exceeds ``max_side_len``.
    """
    ratio = 1.0
    if limit_type == "max" and max(height, width) > limit_side_len:
        ratio = limit_side_len / max(height, width)
    elif limit_type == "min" and min(height, width) < limit_side_len:
        ratio = limit_side_len / min(height, width)
    new_height, new_width = int(height * ratio), int(width * ratio)
    if max(new_height, new_width) > max_side_len:
        ratio = max_side_len / max(new_height, new_width)
        new_height, new_width = int(new_height * ratio), int(new_width * ratio)
    return _round_to_stride(new_height), _round_to_stride(new_width)


def choose_padding(height: int, width: int) -> tuple[int, int]:
    """Height and width to which a tiny page is padded with black before it is resized."""
    if height + width >= _TINY_SIDES_PX:
        return height, width
    return max(STRIDE_PX, height), max(STRIDE_PX, width)


def _round_to_stride(side_px: int) -> int:
    return max(round(side_px / STRIDE_PX) * STRIDE_PX, STRIDE_PX)
