"""What secrets that nobody knows look like: where they stand, or how they begin."""

from __future__ import annotations

import re
from collections.abc import Iterator

MARK = "[redacted]"
"""What stands in a text where a secret stood."""

# Quotes as they are, escaped for JSON, and escaped for HTML.
_QUOTE = r"""(?:\\{0,3}["']|&(?:quot|apos|\#0?3[49]|\#x2[27]);)"""
_QUOTED = rf"(?P<quote>{_QUOTE})(?:(?!(?P=quote)).)*(?P=quote)"
_BARE = r"""(?![|>&*])[^\s,;&|<>{}\[\]"'\\]+"""
_SAYS_IT = (
    r"(?:pass(?:word|wd|phrase)|secret|token|api[-_.]?key|credentials?"
    r"|(?:access|private|secret|signing|encryption|account|deploy)[-_.]?key(?:[-_.]?(?:id|data))?"
    r"|client[-_.]key[-_.]data|tls\.key|dockerconfigjson)"
)
_START = rf"(?P<indent>^[ \t+-]{{0,80}})(?:- )?(?:\w[\w.-]{{0,80}})?{_SAYS_IT}:"

# The group `before` stays, and so do the quotes around what is taken away.
_PATTERNS = (
    # Private keys, with line breaks as they are or escaped; without their end, as far as they go.
    (
        r"(?s:-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----"
        r"(?:.{0,20000}?-----END [A-Z ]{0,40}PRIVATE KEY-----|(?:(?:\\r|\\n|[\s|>])*[a-z0-9+/=]{16,})*))"
    ),
    # Headers.
    (
        rf"(?P<before>authorization{_QUOTE}?\s{{0,9}}[:=,]\s{{0,9}}\[?{_QUOTE}?)(?!{_QUOTE}|\[*redacted\])"
        r"(?:\w[\w-]*[ ]+)?[^\s\"'\\&<\]]+(?:,?\s*\w+=[^\s\"'\\&<]+)*"
    ),
    rf"(?P<before>\b(?:set-)?cookie{_QUOTE}?\s{{0,9}}:\s*{_QUOTE}?)[^\"'\n]+",
    r"(?P<before>\b(?:bearer|basic)\s+)[a-z0-9._~+/-]{12,}=*",
    # URLs: who asks, and signed requests; a name alone may be a token.
    r"(?P<before>\w:\\?/\\?/[^\s/@:\"'<>]*:)[^\s/\"'<>]+(?=@)",
    r"(?P<before>\w:\\?/\\?/)[^\s/@:\"'<>]{16,}(?=@)",
    r"(?P<before>%3A%2F%2F(?:(?!%3A|%40|%2F)[^\s\"'<>]){0,200}%3A)(?:(?!%40)[^\s\"'<>]){1,200}(?=%40)",
    r"(?P<before>[?&;](?:sig|signature|x-amz-\w+|key|auth)=)[^&\s\"'<>\\]+",
    # AWS, and tokens that tell what they are by their beginning.
    r"(?-i:\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b)",
    r"(?-i:\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)*)",
    (
        r"\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abprs]-[\w-]{10,}|npm_\w{20,}"
        r"|pypi-[\w-]{16,}|AIza[\w-]{30,}|sk-[\w-]{20,}|hvs\.[\w-]{20,})"
    ),
    # Names that say it: in YAML to the end of the block or the line, in commands, and anywhere else.
    rf"(?P<before>{_START}[ ]*)[|>][-+0-9]*[ ]*(?:\n(?P=indent)[ ]+\S.*)+",
    rf"(?P<before>{_START}[ ])(?![\[{{|>&*\"'\\])\S.*$",
    rf"(?P<before>(?<!-)--(?=\w)[\w-]{{0,40}}{_SAYS_IT}(?:=|\s+))(?:{_QUOTED}|{_BARE})",
    r"(?P<before>\s(?:-u|--user)(?:=|\s+)[^\s:]+:)\S+",
    rf"(?P<before>{_SAYS_IT}{_QUOTE}?\s?(?::=|=>|[:=])[ ]?)(?:{_QUOTED}|{_BARE})",
    # Environment variables as Kubernetes has them: the name in one field, the value in the next.
    (
        rf"(?P<before>\bname{_QUOTE}?:\s*{_QUOTE}?[\w.-]{{0,80}}{_SAYS_IT}(?:[-_]\w+)?{_QUOTE}?,?[ +-]*\n?[ +-]*"
        rf"{_QUOTE}?value{_QUOTE}?:[ ]*)(?:{_QUOTED}|\S[^\n,}}]*)"
    ),
)
_RULES = tuple(re.compile(pattern, re.IGNORECASE | re.MULTILINE) for pattern in _PATTERNS)
_PLAIN = frozenset({"", "true", "false", "null", "none", "nil", "~", MARK})
"""What says that there is no secret."""

_SECRET = re.compile(r"""\bkind["']?\s*:\s*["']?Secret\b""")
_YAML_DATA = re.compile(r"^(?P<indent>[ +-]*)(?:data|stringData):[ ]*\n(?:(?P=indent)[ ]+\S.*(?:\n|\Z))+", re.MULTILINE)
_YAML_VALUE = re.compile(r"^(?P<before>(?P<indent>[ +-]*)[\w.-]+:[ ]*)\S.*(?:\n(?P=indent)[ ]+\S.*)*$", re.MULTILINE)
_JSON_DATA = re.compile(r"""(?P<before>["'](?:data|stringData)["']\s*:\s*)\{[^{}]*\}""")


def without_patterns(text: str) -> str:
    """The text without what looks like a secret, or stands where one does."""
    for rule in _RULES:
        text = rule.sub(_taken_away, text)
    return "".join(_without_data(document) for document in _documents(text)) if _SECRET.search(text) else text


def _taken_away(match: re.Match[str]) -> str:
    found = match.groupdict()
    before, quote = found.get("before") or "", found.get("quote") or ""
    value = match[0][len(before) :].removeprefix(quote).removesuffix(quote)
    return match[0] if value.strip().lower() in _PLAIN else f"{before}{quote}{MARK}{quote}"


def _documents(text: str) -> Iterator[str]:
    """The documents of a YAML stream, each with the line that begins it."""
    return iter(re.split(r"(?m)^(?=[+-]?---)", text))


def _without_data(document: str) -> str:
    """A Secret without what it holds, whatever that looks like."""
    if not _SECRET.search(document):
        return document
    document = _JSON_DATA.sub(rf'\g<before>"{MARK}"', document)
    return _YAML_DATA.sub(lambda data: _data_line(data[0]), document)


def _data_line(data: str) -> str:
    first, _, rest = data.partition("\n")
    return "\n".join([first, _YAML_VALUE.sub(rf"\g<before>{MARK}", rest)])
