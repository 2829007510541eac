"""config.xsd, the vocabulary that is checked with, and docs/configuration.md say the same."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from lxml import etree

from poller.config.vocabulary import VOCABULARY
from tests.config.files import ROOT, loaded, mistakes, write
from tests.config.test_examples import DESIGN, secrets, uncommented
from tests.config.test_mistakes import STRUCTURE, VALUES

XS = "{http://www.w3.org/2001/XMLSchema}"
DOCS = (ROOT / "docs" / "configuration.md").read_text()


@cache
def document() -> etree._Element:
    return etree.parse(str(ROOT / "poller" / "config" / "config.xsd")).getroot()


@cache
def schema() -> etree.XMLSchema:
    return etree.XMLSchema(document())


def accepts(text: str) -> bool:
    return bool(schema().validate(etree.fromstring(text.encode())))


def declared(tag: str) -> etree._Element:
    return next(element for element in document().findall(f"{XS}element") if element.get("name") == tag)


def attributes(tag: str) -> dict[str, bool]:
    """Name -> required, groups of attributes included."""
    found = {}
    for part in declared(tag).iter(f"{XS}attribute", f"{XS}attributeGroup"):
        if part.tag == f"{XS}attribute":
            found[str(part.get("name"))] = part.get("use") == "required"
        else:
            group = next(
                each for each in document().findall(f"{XS}attributeGroup") if each.get("name") == part.get("ref")
            )
            found |= {str(each.get("name")): False for each in group}
    return found


def children(element: etree._Element) -> list[str]:
    """What may stand inside, groups of elements included."""
    found = []
    for part in element.iter(f"{XS}element", f"{XS}group"):
        if part.tag == f"{XS}group" and part.get("ref"):
            group = next(each for each in document().findall(f"{XS}group") if each.get("name") == part.get("ref"))
            found += children(group)
        elif part.tag == f"{XS}element" and part.get("ref"):
            found.append(str(part.get("ref")))
    return found


def test_schema_and_vocabulary_have_the_same_elements() -> None:
    assert [element.get("name") for element in document().findall(f"{XS}element")] == list(VOCABULARY)


@pytest.mark.parametrize("tag", VOCABULARY)
def test_schema_and_vocabulary_agree_on_an_element(tag: str) -> None:
    shape = VOCABULARY[tag]
    assert attributes(tag) == {name: name in shape.required for name in shape.attributes}
    assert children(declared(tag)) == list(shape.children)


@pytest.mark.parametrize(
    "text", [DESIGN, "<poller/>", (ROOT / "config.xml").read_text()], ids=["design", "bare", "template"]
)
def test_what_loads_is_valid_by_the_schema_too(tmp_path: Path, text: str) -> None:
    secrets(tmp_path)
    assert loaded(tmp_path, text)
    assert accepts(re.sub(r"<\?xml.*?\?>", "", text)), schema().error_log


def test_the_template_with_every_example_switched_on_is_valid(tmp_path: Path) -> None:
    assert accepts(re.sub(r"<\?xml.*?\?>", "", uncommented(tmp_path))), schema().error_log


@pytest.mark.parametrize("body", [body for body, _ in STRUCTURE])
def test_a_structural_mistake_is_refused_by_both(tmp_path: Path, body: str) -> None:
    text = f"<poller>\n{body}</poller>"
    assert mistakes(tmp_path, text)
    assert not accepts(text)


# What only a look at the text itself finds; the rest of VALUES needs to know more than the attribute.
@pytest.mark.parametrize(
    "body",
    [
        body
        for body, sentence in VALUES
        if re.search(r"not one of|not a (port|duration)|begin with|is empty|neither a number", sentence)
    ],
)
def test_a_wrong_value_is_refused_by_both(tmp_path: Path, body: str) -> None:
    text = f"<poller>\n{body}</poller>"
    assert mistakes(tmp_path, text)
    assert not accepts(text)


def test_a_variable_may_stand_for_any_value_in_both(tmp_path: Path) -> None:
    text = "<poller><poll interval='${I}' at-once='${N}'/><host name='a' port='${P}' become='${B}'/></poller>"
    assert accepts(text)
    assert loaded(tmp_path, text, I="40s", N="3", P="22", B="sudo").at_once == 3


def test_an_editors_reference_to_the_schema_is_accepted(tmp_path: Path) -> None:
    attribute = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="config.xsd"'
    assert loaded(tmp_path, f"<poller {attribute}><host name='a'/></poller>").hosts


def documented() -> dict[str, set[str]]:
    """Element -> attributes, from the tables under the headings of the page."""
    found = {}
    for section in re.split(r"^### ", DOCS, flags=re.MULTILINE)[1:]:
        tag = re.match(r"`<([a-z-]+)>`", section)
        if tag:
            rows = re.findall(
                r"^\| ((?:`[a-z-]+` ?)+)\|", re.split(r"^## ", section, flags=re.MULTILINE)[0], re.MULTILINE
            )
            found[tag[1]] = {name for row in rows for name in re.findall(r"`([a-z-]+)`", row)}
    return found


def test_the_page_names_every_element_and_attribute_and_no_other() -> None:
    assert documented() == {tag: set(shape.attributes) for tag, shape in VOCABULARY.items()}


def test_the_page_says_which_attributes_are_required() -> None:
    for tag, shape in VOCABULARY.items():
        section = DOCS.split(f"### `<{tag}>`")[1].split("\n#")[0]
        rows = re.findall(r"^\| `([a-z-]+)` \|[^\n]*required", section, re.MULTILINE)
        assert set(rows) == set(shape.required), tag


def test_the_page_shows_the_built_in_limits_as_they_are(tmp_path: Path) -> None:
    rows = re.findall(r"^\| `([a-z_.]+)` \| above (\d+) \|(?: (\d+))? \|[^|]*\| (\w+) \|$", DOCS, re.MULTILINE)
    thresholds = loaded(tmp_path, "<poller><host name='a'/></poller>").hosts[0].thresholds
    assert sorted(rows) == sorted(
        (each.metric, f"{each.limit:g}", "" if each.clear is None else f"{each.clear:g}", str(each.severity))
        for each in thresholds
    )


def test_the_page_shows_the_built_in_limits_of_the_poller_as_they_are(tmp_path: Path) -> None:
    row = r"^\| `(poller\.[a-z_]+)` \| (more|less) than (\d+) \| (\d+) \|[^|]*\| (\w+) \|$"
    assert re.findall(row, DOCS, re.MULTILINE) == [
        (
            each.metric,
            "more" if each.above is not None else "less",
            f"{each.limit:g}",
            f"{each.clear:g}",
            str(each.severity),
        )
        for each in loaded(tmp_path, "<poller><host name='a'/></poller>").thresholds
    ]


def test_the_page_shows_the_pollers_own_limits_as_they_are(tmp_path: Path) -> None:
    pattern = r"^\| `(poller\.\w+)` \| (more|less) than (\d+) \| (\d+) \| (\d+ polls|at once) \| (\w+) \|$"
    limits = loaded(tmp_path, "<poller><host name='a'/></poller>").thresholds
    assert sorted(re.findall(pattern, DOCS, re.MULTILINE)) == sorted(
        (
            each.metric,
            "more" if each.above is not None else "less",
            f"{each.limit:g}",
            f"{each.clear:g}",
            str(each.hold).removeprefix("for ") or "at once",
            str(each.severity),
        )
        for each in limits
    )


EXAMPLES = {
    f"{page.stem}-{number}": text
    for page in sorted((ROOT / "docs").glob("*.md"))
    for number, text in enumerate(re.findall(r"^```xml\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE), 1)
}


# What an example may leave out: how it begins, and the whole of it.
PEOPLE = {
    "<mail ": '<mail server="smtp.example.org" from="poller@example.org"/>',
    '<contact name="ops"': '<contact name="ops" mail="ops@example.org"/>',
    '<contact name="net"': '<contact name="net" mail="net@example.org"/>',
    '<contact name="boss"': '<contact name="boss" mail="boss@example.org"/>',
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_of_the_pages_loads(tmp_path: Path, name: str) -> None:
    text = EXAMPLES[name].replace("/var/lib/poller", str(tmp_path))
    secrets(tmp_path)
    write(tmp_path, "a key", "key")
    write(tmp_path, "x", "config.xsd")
    text = text.replace("/usr/local/bin/tell", str(write(tmp_path, "#!/bin/sh\n", "tell")))
    (tmp_path / "tell").chmod(0o700)
    if not text.startswith("<poller"):
        missing = "".join(line for begin, line in PEOPLE.items() if begin not in text)
        text = f"<poller>{missing}{text}</poller>"
    assert loaded(tmp_path, text)
    assert accepts(text), schema().error_log
