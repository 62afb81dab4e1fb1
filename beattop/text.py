"""Hostile text made safe where it enters, and human units where it leaves."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence

# C0 but tab, DEL, C1, zero-width and bidirectional controls, line and paragraph
# separators, the byte-order mark: none of them may reach a terminal from a process's text.
_CONTROLS = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]"
)
# A whole escape sequence goes, so that its letters do not stay behind as noise (ECMA-48):
# CSI ... final, OSC/DCS/SOS/PM/APC ... ST or BEL, two-byte escapes.
_ESCAPES = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]"
    "|(?:\x1b[\\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c)?"
    "|\x1b[ -/]*[0-~]"
)
_SURROGATES = re.compile("[\ud800-\udfff]")

_BLANK = re.compile(r"\s")
# What separates URLs in a list or a query; after a colon or a letter it is a password's text.
_BEFORE_SCHEME = re.compile(r"[;,|=&'\"(\[](?=[A-Za-z][A-Za-z0-9+.-]{0,31}://)")
# What opens the quotes around a URL, whose password may hold blanks.
_QUOTE = re.compile(r"['\"](?=[A-Za-z][A-Za-z0-9+.-]{0,31}$)")
_URL = re.compile(r"(?:--?[\w-]{1,64}=)?[A-Za-z][A-Za-z0-9+.-]{0,31}://")
_HOST_AND_PATH = re.compile(r"[\w.\[\]-]+(?::\d*)?/")
_KEY = re.compile(r"[0-9a-f]{16,}@", re.I)
_PORT = re.compile(r"\d*(?![^/?#])")
_SECRET = (
    r"(?:passw(?:or)?d|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key"
    r"|private[_-]?key|credentials?|basic[_-]?auth|auth[_-]?key|sentry[_-]?dsn|cookie"
    # MYSQL_PWD, RABBITMQ_DEFAULT_PASS, REDISCLI_AUTH, FERNET_KEY, and Pwd= of ODBC; but not
    # routing_key, PWD=/srv and OLDPWD.
    r"|(?<=[a-z0-9])[_-](?:pwd|pass|auth)(?![a-z])|(?-i:(?<=[A-Z0-9])_KEY(?![A-Z]))"
    r"|(?<![a-z])pwd(?=\s?=\s?[^\s/.]))"
)
# The counts are bounded, so that no line however long is searched twice. The name may be quoted, as
# in JSON and in a Python dict; a quoted value may hold blanks.
_SECRET_PAIR = re.compile(
    rf"(?P<head>{_SECRET}[\w.-]{{0,64}}(?:\\?['\"])?\s{{0,8}}(?:=|:\s?)\s{{0,8}})"
    r"(?:[bru]{0,2}(?P<quote>\\?['\"])(?:(?!(?P=quote)).){1,512}(?P=quote)"
    r"|(?P<open>\\?['\"]?)[^\s'\",;&]+)",
    re.I,
)
# One of these is in every name that _SECRET matches; most lines hold none of them.
_HINTS = ("pass", "secret", "token", "key", "cred", "auth", "dsn", "cookie", "pwd")
_SECRET_OPTION = re.compile(rf"--?[\w.-]*{_SECRET}[\w.-]*", re.I)
_LONGEST_OPTION = 128
_BEARER = re.compile(r"(?P<head>\b(?:bearer|basic)\s+)(?P<secret>[\w.~+/=-]{6,})", re.I)
MASK = "**"


def clean(text: str) -> str:
    """`text` on one line, without anything that a terminal would obey."""
    if text.isprintable():  # most is: none of the signs below would be
        return text
    text = _ESCAPES.sub("", text).replace("\t", " ").replace("\n", " ")
    return _SURROGATES.sub("\ufffd", _CONTROLS.sub("\ufffd", text))


def decode(raw: bytes) -> str:
    """Bytes of a file or of /proc as clean text."""
    return clean(raw.decode("utf-8", "replace"))


def mask(text: str, *, value: bool = False) -> str:
    """`text` with the passwords of URLs and the values of secret-sounding names as `**`.

    `value`: it is one word or value; where that is a URL, its password may hold blanks.
    """
    if "://" in text:
        text = _mask_urls(text, value and _URL.match(text) is not None)
    low = text.lower()
    if any(hint in low for hint in _HINTS):
        text = _SECRET_PAIR.sub(_mask_value, text)
    if "bearer" in low or "basic" in low:
        text = _BEARER.sub(rf"\g<head>{MASK}", text)
    return text


def _mask_value(found: re.Match[str]) -> str:
    quote = found["quote"] or ""
    return f"{found['head']}{quote or found['open']}{MASK}{quote}"


def _mask_urls(text: str, whole: bool) -> str:
    """One pass over all URLs, those in a list (`a://…;b://…`) each for itself."""
    out: list[str] = []
    at = blank = 0
    while (mark := text.find("://", at)) >= 0:
        begin = mark + 3
        if begin > blank:
            found = _BLANK.search(text, begin)
            blank = found.start() if found and not whole else len(text)
        end = max(blank, _closing(text, max(at, mark - 33), mark))
        following = text.find("://", begin, end)
        if following >= 0:
            before = _BEFORE_SCHEME.search(text, max(begin, following - 33), following + 3)
            if before:
                end = before.start()
        web = text[max(at, mark - 5) : mark].lower().endswith(("http", "https"))
        out += (text[at:begin], _mask_userinfo(text[begin:end], web))
        at = end
    out.append(text[at:])
    return "".join(out)


def _closing(text: str, begin: int, mark: int) -> int:
    """Where the quotes around the URL whose `://` is at `mark` close; -1 for none."""
    quote = _QUOTE.search(text, begin, mark)
    return text.find(quote[0], mark) if quote else -1


def _mask_userinfo(rest: str, web: bool) -> str:
    """What follows `://`, its password masked: from the first colon to the last @ before a `?`.

    A password typed raw may hold a slash or an @ itself, so it is masked too much rather than
    too little; but `http://host:80/mail?to=a@b` holds none.
    """
    colon = rest.find(":")
    address = "@" in rest[: max(0, colon)] and _PORT.match(rest, colon + 1)
    if colon < 0 or "/" in rest[:colon] or address:
        return _KEY.sub(f"{MASK}@", rest, count=1) if web and _KEY.match(rest) else rest
    head, _, query = rest.partition("?")
    if (web or query) and "@" not in rest[: rest.find("/")]:
        host = _HOST_AND_PATH.match(rest)
        if host and (web or "@" not in head):
            return rest
    sign = head.rfind("@", colon)
    if sign < 0 or "@" in query:
        # Whether the password or the query holds the last @ cannot be told: the password might.
        sign = rest.rfind("@", colon)
    return f"{rest[: colon + 1]}{MASK}{rest[sign:]}" if sign > colon + 1 else rest


def safe(text: str, *, value: bool = False) -> str:
    """Cleaned and masked: what may be shown, written and recorded."""
    return mask(clean(text), value=value)


def safe_argv(argv: Iterable[str]) -> tuple[str, ...]:
    """A command line cleaned and masked; the word after `--password` is masked too."""
    out: list[str] = []
    hide = False
    for word in argv:
        shown = safe(word, value=True)
        if hide and not shown.startswith("-"):
            shown = MASK
        hide = len(word) <= _LONGEST_OPTION and bool(_SECRET_OPTION.fullmatch(word))
        out.append(shown)
    return tuple(out)


def duration(seconds: float | None) -> str:
    """A span in the shortest words that still tell: `2.2 s`, `41 s`, `12 min`, `5 h`, `112 d`."""
    if seconds is None:
        return "–"
    seconds = max(0.0, seconds)
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    for limit, unit, name in ((99.5, 1, "s"), (5970, 60, "min"), (172800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds / 86400:.0f} d"


def size(count: int | None) -> str:
    """Bytes in binary units of at most four characters: `43M`, `1.2G`."""
    if count is None:
        return "–"
    value = float(count)
    for unit in "BKMGT":
        if value < 9.95 and unit not in "BKM":
            return f"{value:.1f}{unit}"
        if value < 1000:
            return f"{value:.0f}{unit}"
        value /= 1024
    return f"{value:.0f}P"


def count(number: int, one: str, many: str | None = None) -> str:
    """`1 respawn`, `5,121 respawns`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listing(words: Sequence[str], most: int = 4) -> str:
    """`a`, `a and b`, `a, b and 3 more`."""
    if not words:
        return ""
    if len(words) > most:
        words = [*words[: most - 1], f"{len(words) - most + 1} more"]
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def moment(at: float, now: float) -> str:
    """A past instant in local time, as short as is clear: `04:12`, `Tue 04:12`, `3 Nov 04:12`."""
    when = time.localtime(at)
    age = now - at
    clock = time.strftime("%H:%M", when)
    if age < 12 * 3600 or (age < 86400 and when.tm_yday == time.localtime(now).tm_yday):
        return clock
    if age < 6.5 * 86400:
        return f"{time.strftime('%a', when)} {clock}"
    if age < 300 * 86400:
        return f"{when.tm_mday} {time.strftime('%b', when)} {clock}"
    return time.strftime("%Y-%m-%d", when)
