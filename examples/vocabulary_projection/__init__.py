"""A sample: vocabularies and their words, projected from the log into tables. See README.md."""
