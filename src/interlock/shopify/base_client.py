"""What the generated operations need of a connection: send a document, and take the data out of its answer.

The generator copies this file beside the code it writes; `client.ShopifyClient` is what fills it in.
"""

from typing import Any


class BaseClient:
    """One method per operation is generated on top of these two. `lane` and `reference` travel in `kwargs`."""

    async def execute(
        self,
        query: str,
        operation_name: str | None = None,
        variables: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Send one document and return its answer as the connection understands it."""
        raise NotImplementedError

    def get_data(self, response: Any) -> dict[str, Any]:
        """The `data` of an answer of `execute`."""
        raise NotImplementedError
