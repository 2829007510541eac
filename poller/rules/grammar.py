"""The grammar of rules: text -> words in order. Which operator binds how tight is said in `poller.rules.meaning`.

    rule     = [prefix] operand { operator [prefix] operand }
    operand  = number | "(" rule ")" | call [by] | name [braces] [by]
    call     = name "(" rule { "," rule } ")"
    braces   = "{" [ name ("=" | "!=" | "=~" | "!~") string { "," ... } ] "}"
    by       = "by" name { "," name }

Nothing is tried twice, so that reading takes time in proportion to the text. Only this module knows pyparsing, which
takes a tenth of a second to import: it is imported where there is a rule to read.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

import pyparsing as pp

from poller.rules.expression import BINDING
from poller.rules.mistake import RuleError, at, meant
from poller.rules.words import Braces, Call, Operand, Run, Word

LONGEST: Final = 4000
DEEPEST: Final = 20
KEYWORDS: Final = ("and", "or", "not", "by")
_NAME: Final = r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*"
_NUMBER: Final = r"[0-9][0-9A-Za-z.%]*(?:/s(?![A-Za-z0-9_.]))?"
_STRING: Final = r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\''
_BRACKETS: Final = re.compile(rf"(?P<text>{_STRING})|(?P<quote>[\"'])|(?P<open>[({{])|(?P<close>[)}}])", re.DOTALL)
_PARTNER: Final = {")": "(", "}": "{"}
_INSTEAD: Final = {
    "=": "write == to compare",
    "&&": "write and",
    "&": "write and",
    "||": "write or",
    "|": "write or",
    "!": "write not",
    "<>": "write !=",
}


def read(text: str) -> Run:
    """RuleError with the place of what does not belong there."""
    _check_brackets(text)
    if not text.strip():
        raise RuleError("the rule is empty", "as `cpu.percent > 90`", 0, 1)
    try:
        run: Run = _grammar().parse_string(text, parse_all=True)[0]
    except pp.ParseBaseException as error:
        raise _unexpected(text, error.loc) from None
    except RecursionError:
        raise RuleError("is nested too deep", "give parts of it a rule of their own", 0, len(text)) from None
    return run


def _check_brackets(text: str) -> None:
    """Length, depth and balance, before anything recurses."""
    if len(text) > LONGEST:
        raise RuleError(f"a rule has at most {LONGEST} characters", "give parts of it a rule of their own", LONGEST, 1)
    opened: list[re.Match[str]] = []
    for found in _BRACKETS.finditer(text):
        if found["quote"]:
            raise at(found.span(), "this quote is never closed")
        if found["open"]:
            opened.append(found)
            if len(opened) > DEEPEST:
                raise at(found.span(), "is nested too deep", "give parts of it a rule of their own")
        elif found["close"] and (not opened or opened.pop()[0] != _PARTNER[found[0]]):
            raise at(found.span(), f"no {_PARTNER[found[0]]} belongs to this {found[0]}")
    if opened:
        raise at(opened[-1].span(), f"this {opened[-1][0]} is never closed")


def _unexpected(text: str, position: int) -> RuleError:
    """What stands there, and what to write instead if that is known."""
    position += len(text[position:]) - len(text[position:].lstrip())
    if position >= len(text):
        end = len(text.rstrip())
        return RuleError("something is missing behind this", "", max(0, end - 1), 1)
    found = re.compile(rf"{_NAME}|{_NUMBER}|{_STRING}|&&|\|\||<>|[<>=!]=|.", re.DOTALL).match(text, position)
    word = found[0] if found else text[position]
    hint = _INSTEAD.get(word) or (f"write {word.lower()}" if word.lower() in KEYWORDS[:3] else meant(word, KEYWORDS))
    shown = word if len(word) <= 40 else f"{word[:39]}…"
    return RuleError(f"{shown!r} does not belong here", hint, position, len(word))


@lru_cache(maxsize=1)
def _grammar() -> pp.ParserElement:
    name, number = _word(f"(?!(?:{'|'.join(KEYWORDS)})\\b){_NAME}"), _word(_NUMBER)
    string = _word(_STRING, flags=re.DOTALL)
    string.add_parse_action(lambda tokens: Word(_unquoted(tokens[0].text), tokens[0].place))
    opening, closing, comma = _word(r"\("), _word(r"\)"), pp.Suppress(",")
    signs = sorted((sign for sign in BINDING if not sign.isalpha()), key=len, reverse=True)
    operator = _word("|".join([r"and\b", r"or\b", *map(re.escape, signs)]))
    prefix = _word(r"not\b|-")

    pair = pp.Group(name - _word("=~|!~|!=|=") - string)
    braces = _word(r"\{") - pp.Opt(pair - pp.ZeroOrMore(comma - pair)) - _word(r"\}")
    braces.set_parse_action(lambda tokens: Braces(tuple(tuple(one) for one in tokens[1:-1]), _around(tokens)))
    by = pp.Opt(pp.Suppress(pp.Regex(r"by\b")) - pp.Group(name - pp.ZeroOrMore(comma - name)))

    rule = pp.Forward()
    call = name + opening - rule - pp.ZeroOrMore(comma - rule) - closing + by
    call.set_parse_action(_call)
    plain = name + pp.Opt(braces) + by
    plain.set_parse_action(_operand)
    numeral = number.copy().add_parse_action(lambda tokens: Operand(tokens[0], None, (), tokens[0].place))
    group = pp.Suppress(opening) - rule - pp.Suppress(closing)
    operand = pp.ZeroOrMore(prefix) + (numeral | group | call | plain)
    rule <<= (operand - pp.ZeroOrMore(operator - operand)).set_parse_action(
        lambda tokens: Run(tuple(tokens), _around(tokens))
    )
    return rule.parse_with_tabs()


def _word(expression: str, flags: int = 0) -> pp.ParserElement:
    return pp.Regex(expression, flags).set_parse_action(
        lambda _text, begin, tokens: Word(tokens[0], (begin, begin + len(tokens[0])))
    )


def _around(tokens: Any) -> tuple[int, int]:
    return tokens[0].place[0], tokens[-1].place[1]


def _operand(tokens: Any) -> Operand:
    braces = next((token for token in tokens if isinstance(token, Braces)), None)
    by = () if isinstance(tokens[-1], Word | Braces) else tuple(tokens[-1])
    end = by[-1] if by else braces or tokens[0]
    return Operand(tokens[0], braces, by, (tokens[0].place[0], end.place[1]))


def _call(tokens: Any) -> Call:
    by = () if isinstance(tokens[-1], Word) else tuple(tokens[-1])
    arguments = tuple(token for token in tokens if isinstance(token, Run))
    closing = by[-1] if by else tokens[-1]
    return Call(tokens[0], arguments, by, (tokens[0].place[0], closing.place[1]))


def _unquoted(text: str) -> str:
    r"""Without the quotes around it. Of what is escaped only the quote changes: `\d` stays `\d`."""
    quote = text[0]
    return re.sub(r"\\(.)", lambda found: quote if found[1] == quote else found[0], text[1:-1], flags=re.DOTALL)
