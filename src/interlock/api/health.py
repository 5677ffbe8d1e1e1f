"""`/v1/health`: how the service is, for a program that watches it."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from interlock.access.store import Scope
from interlock.api.gate import Caller, Gate
from interlock.api.problems import responses
from interlock.api.values import Answer
from interlock.clock import Clock
from interlock.console.health import service_health
from interlock.monitoring.board import kept_board
from interlock.monitoring.objectives import Objective
from interlock.storage.database import Store


class Part(Answer):
    """A part of the service that beats, or a marketplace that is read."""

    name: str
    at: datetime | None = Field(description="When it was heard last.")
    stale: bool = Field(description="Whether it was silent for longer than it may be.")


class HealthAnswer(Answer):
    """How the service is at this moment."""

    at: datetime
    ok: bool
    problems: list[str] = Field(description="A sentence for everything that is wrong; empty when nothing is.")
    parts: list[Part]
    polls: list[Part]
    orders_waiting: int = Field(description="Orders with hints that were not answered yet.")
    oldest_hint_at: datetime | None
    cases_open: dict[str, int] = Field(description="Open cases by severity.")
    operations_open: dict[str, int] = Field(description="Operations that are not settled, by state.")
    windows_running_out: int = Field(description="Acceptance windows more than 60 % over.")


def health_routes(gate: Gate, store: Store, clock: Clock) -> APIRouter:
    """The routes that tell how the service is."""
    routes = APIRouter(tags=["health"])

    @routes.get("/health", responses=responses(), operation_id="show_health")
    async def health(caller: Annotated[Caller, Depends(gate.needs(Scope.HEALTH_READ))]) -> HealthAnswer:
        """Say how the service is. Always 200: `ok` and `problems` tell."""
        now = clock.now()
        found = await store.tx(lambda c: service_health(c, now))
        return HealthAnswer(
            at=found.at,
            ok=found.ok,
            problems=list(found.problems),
            parts=[Part.model_validate(pulse) for pulse in found.pulses],
            polls=[Part.model_validate(pulse) for pulse in found.polls],
            orders_waiting=found.waiting,
            oldest_hint_at=found.oldest_hint_at,
            cases_open=dict(found.open_cases),
            operations_open=dict(found.operations),
            windows_running_out=len([window for window in found.windows if window.gone >= 0.6]),
        )

    @routes.get("/health/objectives", responses=responses(), operation_id="list_objectives")
    async def shown(caller: Annotated[Caller, Depends(gate.needs(Scope.HEALTH_READ))]) -> list[Objective]:
        """List the objectives S1 to S15 as they were judged last. Empty until the first judgement after the set-up."""
        board = await store.tx(kept_board)
        return [] if board is None else list(board.objectives)

    return routes
