"""The program `interlock`: its commands and how they hang together."""

import sys

import typer

from interlock.cli import (
    alerts,
    api_keys,
    carriers,
    cases,
    editing,
    edits,
    labels,
    lineage,
    maps,
    methods,
    orders,
    pauses,
    people,
    privacy,
    quarantine,
    reasons,
    running,
    stock,
    tasks,
    watchdog,
)
from interlock.cli.connect import connect
from interlock.logs import configure

app = typer.Typer(
    name="interlock",
    help="Keeps Shopify orders and Mirakl marketplace orders locked together.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("connect")(connect)
orders.commands.command("preview")(editing.preview_order)
orders.commands.command("edit")(editing.edit_order)
orders.commands.command("link")(lineage.link_order)
orders.commands.command("unlink")(lineage.unlink_order)
orders.commands.command("undo-link")(lineage.undo_link)
orders.commands.command("create")(lineage.create_order)
app.add_typer(orders.commands, name="order")
app.add_typer(cases.commands, name="cases")
app.add_typer(tasks.commands, name="tasks")
app.add_typer(edits.commands, name="edits")
app.add_typer(carriers.commands, name="carriers")
app.add_typer(maps.skus, name="skus")
app.add_typer(reasons.commands, name="reasons")
app.add_typer(methods.commands, name="methods")
app.add_typer(stock.commands, name="stock")
app.add_typer(api_keys.commands, name="api-key")
app.add_typer(labels.commands, name="label")
app.add_typer(alerts.commands, name="alerts")
app.command("watchdog")(watchdog.watchdog)
app.command("openapi")(api_keys.openapi)
app.add_typer(people.commands, name="people")
app.add_typer(people.audit, name="audit-log")
app.command("health")(running.health)
app.add_typer(running.db, name="db")
app.add_typer(pauses.commands, name="pause")
app.add_typer(privacy.commands, name="privacy")
app.add_typer(quarantine.commands, name="quarantine")
app.add_typer(running.simulate, name="simulate")
app.command("serve")(running.serve)
app.command("worker")(running.worker)
app.command("demo")(running.demo)


def main(called: str = "interlock") -> None:
    """Run the command named in the arguments of the process. `called` is what people type to reach this program: its help
    says it."""
    configure(style="console" if sys.stderr.isatty() else "json")
    app(prog_name=called)
