"""The program that a person runs once per environment, before CI can do the rest."""
