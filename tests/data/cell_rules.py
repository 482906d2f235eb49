"""What cells mean, written independently of csvision, for oracles."""

from decimal import Decimal


def has_integer_labels(texts: list[str]) -> bool:
    """Return whether labels are integers: all but missing ones, fractions and a few typos."""
    others = [text for text in texts if not is_whole(text) or has_leading_zero(text)]
    if all(is_missing(text) or is_number(text) for text in others) and not any(
        map(has_leading_zero, others)
    ):
        whole = len(others) < len(texts) or any(map(is_number, others))
        return whole or not others
    typos = len(set(others)) == len(others) <= 5 and len(texts) - len(others) > len(others)
    return typos and not any(map(has_leading_zero, others))


def has_leading_zero(text: str) -> bool:
    digits = text.lstrip("+-")
    return len(digits) > 1 and digits[0] == "0" and is_integer(digits)


def is_whole(text: str) -> bool:
    """Return whether a label is an integer, such as 6, 6.0 or 6e0."""
    if not is_number(text):
        return False
    number = Decimal(text)
    exponent = "e" in text.lower() or text.startswith((".", "+.", "-."))
    return number == number.to_integral_value() and (not exponent or abs(number) < 2**53)


def is_boolean(cell: str) -> bool:
    return cell.strip().lower() in ("true", "false")


def is_pixel(cell: str) -> bool:
    return is_boolean(cell) or is_number(cell)


def pixel_value(cell: str) -> float:
    return float(cell.strip().lower() == "true") if is_boolean(cell) else float(cell)


def is_missing(cell: str) -> bool:
    return cell.strip().lower() in ("", "nan", "na", "null", "none")


def is_number(cell: str) -> bool:
    """Return whether a cell is a decimal number in ASCII characters."""
    text = cell.strip(" \t")
    if not set(text) <= set("0123456789+-.eE"):
        return False
    try:
        Decimal(text)
    except ArithmeticError:
        return False
    return True


def is_integer(cell: str) -> bool:
    text = cell.strip(" \t")
    digits = text[1:] if text[:1] in ("+", "-") else text
    return digits != "" and set(digits) <= set("0123456789")
