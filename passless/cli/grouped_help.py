"""The help of a command with many options: what belongs together stands together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from passless.cli.options import ChangingAsOperator, changing, every, for_operators, on_account

SHARED = tuple(option.name for make in (every, on_account, changing, for_operators) for option in make())


class Grouped(ChangingAsOperator):
    """A command whose options stand under titles: by the names of their parameters, what no title names comes first."""

    titles: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments, and the options under their titles."""
        titles = {**self.titles, "Shared options": (*SHARED, "help")}
        of = {name: title for title, names in titles.items() for name in names}
        groups: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": [], **{title: [] for title in titles}}
        for one in self.get_params(ctx):
            record = one.get_help_record(ctx)
            if record is not None:
                usual = "Arguments" if one.param_type_name == "argument" else "Options"
                groups[of.get(str(one.name), usual)].append(record)
        for title, records in groups.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)
