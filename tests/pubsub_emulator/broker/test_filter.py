"""Filters: a subscription gets the messages whose attributes match, and never sees the others."""

import pytest
from google.api_core.exceptions import InvalidArgument

from tests.pubsub_emulator.bus import Bus, texts

MESSAGES = {
    "none": {"z": ""},
    "com": {"name": "com"},
    "co": {"name": "co.uk", "lang": "en"},
    "net": {"name": "net", "iana.org/language_tag": "cs", "my-key": 'quo"te'},
    "case": {"Name": "com", "lang": "EN"},
}


@pytest.mark.parametrize(
    ("expression", "matches"),
    [
        ("attributes:name", "co com net"),
        ("NOT attributes:name", "case none"),
        ("-attributes:name", "case none"),
        ('attributes.name = "com"', "com"),
        ('attributes.name="com"', "com"),
        ('attributes.name != "com"', "case co net none"),
        ('hasPrefix(attributes.name, "co")', "co com"),
        ('NOT hasPrefix(attributes.name, "co")', "case net none"),
        ('attributes:"iana.org/language_tag"', "net"),
        ('attributes."iana.org/language_tag" = "cs"', "net"),
        (r'attributes.my-key = "quo\"te"', "net"),
        (r'attributes.lang = "\x65\u006e"', "co"),
        ('attributes:name AND attributes.lang = "en"', "co"),
        ('attributes.name = "com" OR attributes.name = "net" OR attributes:lang', "case co com net"),
        ('attributes:name AND (attributes.lang = "en" OR attributes.name = "net")', "co net"),
        ('attributes:name AND NOT (attributes.lang = "en" OR attributes.name = "net")', "com"),
        ('(attributes.name = "com")', "com"),
        ('attributes.name = "com" AND -attributes:"iana.org/language_tag"', "com"),
    ],
)
async def test_a_subscription_gets_what_matches_its_filter(bus: Bus, expression: str, matches: str) -> None:
    """The whole documented language: existence, equality, prefixes, quoting, operators, parentheses."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic, filter=expression)
    for text, attributes in MESSAGES.items():
        await bus.publish(topic, text, attributes=attributes)

    received = texts(await bus.pull_once(subscription))

    assert " ".join(sorted(received)) == matches


@pytest.mark.parametrize(
    "expression",
    [
        "name",
        "attributes",
        "attributes.name",
        'attributes.name == "com"',
        "attributes.name = com",
        'attributes.name = "com',
        '"com" = attributes.name',
        "attributes.name = attributes.lang",
        r"attributes:\u307F",
        r'attributes.name = "\q"',
        'attributes.name = "com" and attributes:lang',
        'attributes:a AND attributes.b = "1" OR attributes:c',
        'attributes.name = "com" AND ("net" OR "org")',
        'hasSuffix(attributes.name, "m")',
        'hasPrefix(attributes.name "m")',
        "(attributes:name",
        "attributes:name)",
        "attributes:name attributes:lang",
        "attributes:" + "x" * 257,
    ],
)
async def test_a_filter_that_is_none_is_refused(bus: Bus, expression: str) -> None:
    """Nothing is created with a filter that would not mean what its author believes."""
    topic = await bus.topic()

    with pytest.raises(InvalidArgument, match=r"(?i)filter"):
        await bus.subscription(topic, filter=expression)


async def test_order_holds_among_what_matches(bus: Bus) -> None:
    """A message that is filtered out holds up no key."""
    topic = await bus.topic()
    subscription = await bus.subscription(topic, filter="attributes:yes", enable_message_ordering=True)
    for n in range(6):
        await bus.publish(topic, str(n), key="k", attributes={"yes" if n % 2 else "no": "1"})

    assert texts(await bus.drain(subscription)) == ["1", "3", "5"]
