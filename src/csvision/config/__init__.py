"""Configuration: dataclasses, composition by Hydra, validation. Imports no torch."""
