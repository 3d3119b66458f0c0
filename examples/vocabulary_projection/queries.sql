-- What the sample keeps: `examples.vocabulary_projection.tables` runs these, in the projection's own schema.

-- name: create_tables
CREATE TABLE IF NOT EXISTS vocabularies (
    vocabulary_id uuid PRIMARY KEY,
    name text NOT NULL,
    language text NOT NULL
);
CREATE TABLE IF NOT EXISTS words (
    vocabulary_id uuid NOT NULL,
    word text NOT NULL,
    meaning text NOT NULL,
    PRIMARY KEY (vocabulary_id, word)
);

-- name: add_vocabulary
INSERT INTO vocabularies (vocabulary_id, name, language) VALUES (%s, %s, %s);

-- name: add_word
INSERT INTO words (vocabulary_id, word, meaning) VALUES (%s, %s, %s)
ON CONFLICT (vocabulary_id, word) DO UPDATE SET meaning = excluded.meaning;

-- name: remove_word
DELETE FROM words WHERE vocabulary_id = %s AND word = %s;

-- name: show
SELECT vocabularies.name, language, word, meaning
FROM vocabularies LEFT JOIN words USING (vocabulary_id)
WHERE %(vocabulary_id)s::uuid IS NULL OR vocabulary_id = %(vocabulary_id)s
ORDER BY name, vocabulary_id, word COLLATE "C";
