"""The web process: Shopify's webhooks in, health and metrics out, and the console's pages."""

import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection, text
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from interlock.cases.store import close_connection_cases, open_connection_case
from interlock.clock import Clock, Identifiers
from interlock.console.pages import (
    Console,
    ConsoleParts,
    FormRefused,
    PageMissing,
    router,
    static_files,
)
from interlock.console.views import Health, health
from interlock.engine.hints import webhook_hint
from interlock.engine.queue import Queue
from interlock.engine.store import ConnectionRow, all_connections, body_digest, count, keep_unreadable
from interlock.logs import dropped_fields, logger
from interlock.orders.reasons import Reason
from interlock.shopify.webhooks import MAX_BODY_BYTES, Delivery, UnreadableDelivery, read_delivery, verify
from interlock.storage.database import Store
from interlock.storage.encryption import Keyring
