"""Light or dark: what the browser prefers, until somebody says otherwise on this browser."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from interlock.console.doors import open_to_strangers
from interlock.console.pages import THEME_COOKIE, THEMES, Console, own_path, seen_other

KEPT_FOR_SECONDS = 365 * 24 * 3600


def theme_routes(routes: APIRouter, console: Console) -> None:
    """Add the switch between light and dark to the console."""

    @routes.post("/theme")
    @open_to_strangers
    async def theme(
        request: Request,
        token: Annotated[str, Form()] = "",
        theme: Annotated[str, Form()] = "",
        back: Annotated[str, Form()] = "",
    ) -> Response:
        console.check_form(request, token)
        response = seen_other(own_path(back))
        if theme in THEMES:
            response.set_cookie(
                THEME_COOKIE, theme, max_age=KEPT_FOR_SECONDS, httponly=True, samesite="strict", path="/"
            )
        else:
            response.delete_cookie(THEME_COOKIE, path="/", httponly=True, samesite="strict")
        return response
