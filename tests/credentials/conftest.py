"""Hypothesis without a deadline: the machine may be busy with something else."""

from hypothesis import settings

settings.register_profile("credentials", deadline=None)
settings.load_profile("credentials")
