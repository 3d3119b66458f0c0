"""An application of the library: vocabularies and their words."""

from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event


class Vocabulary(Aggregate):
    """A vocabulary of one language."""

    @event("Added")
    def __init__(self, name: str, language: str) -> None:
        self.name = name
        self.language = language
        self.words: dict[str, str] = {}

    @event("WordAdded")
    def add(self, word: str, meaning: str) -> None:
        """Add a word, or change its meaning."""
        self.words[word] = meaning


class Vocabularies(Application[UUID]):
    """The use cases of vocabularies."""

    def add_vocabulary(self, name: str, language: str) -> UUID:
        """Add a vocabulary and return its id."""
        vocabulary = Vocabulary(name, language)
        self.save(vocabulary)
        return vocabulary.id

    def add_word(self, vocabulary_id: UUID, word: str, meaning: str) -> None:
        """Add a word to a vocabulary."""
        vocabulary: Vocabulary = self.repository.get(vocabulary_id)
        vocabulary.add(word, meaning)
        self.save(vocabulary)

    def words(self, vocabulary_id: UUID) -> dict[str, str]:
        """Return the words of a vocabulary with their meanings."""
        vocabulary: Vocabulary = self.repository.get(vocabulary_id)
        return vocabulary.words
