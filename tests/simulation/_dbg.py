import sys
from interlock.rehearsal.history import draw_plan, live, on_virtual_time
from interlock.rehearsal.judge import judge
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring, new_key
from tests.databases import ThrowawayServer
from interlock.orders.store import timeline_of, orders
from interlock.engine.ledger import operations
from sqlalchemy import select

seed = int(sys.argv[1])
which = sys.argv[2]
with ThrowawayServer() as server:
    db = Database(server.new_database(), pool_size=4, check_connections=False)
    plan = draw_plan(seed)
    lines = []

    async def rest(e):
        v = judge(e.world, quiescent=True, interruptions=e.interruptions, asked=e.crowd.asked)
        for f in v.broken:
            print("BROKEN", f)
        ahead = plan.database_ahead
        print(
            "ahead",
            ahead,
            "switches",
            {k: x for k, x in plan.mirakl_switches.as_dict().items() if "ship" in k or "st" in k[:3]},
        )
        with e.world.database.begin() as c:
            for o in c.execute(select(orders).order_by(orders.c.id)):
                if o.mirakl_order_id != which:
                    continue
                for at, who, s in timeline_of(c, o.id):
                    lines.append((at, f"SAID {who}: {s[:150]}"))
                for r in c.execute(select(operations).where(operations.c.order_id == o.id)):
                    if r.platform == "mirakl":
                        lines.append(
                            (
                                r.planned_at,
                                f"OP {r.kind} {r.state} att={r.attempt} {r.code} {r.words[:60]} sent={r.sent_at:%H:%M:%S} end={r.ended_at} {str(r.action)[:140]}"
                                if r.sent_at
                                else f"OP {r.kind} {r.state} unsent",
                            )
                        )
                print(
                    {
                        k: v
                        for k, v in o._mapping.items()
                        if k
                        in (
                            "hints",
                            "handled",
                            "lease_until",
                            "next_look_at",
                            "mirakl_wanted_since",
                            "mirakl_seen_at",
                            "mirakl_state",
                            "mirakl_written_at",
                        )
                    }
                )
            from interlock.cases.store import cases

            for r in c.execute(select(cases)):
                print("CASE", r.order_id, r.reason, r.subject, r.opened_at, r.closed_at)
        for w in e.world.mirakl.values():
            for x in w.record.effects:
                if x.order_id == which:
                    lines.append((x.at, f"  MIRAKL {x.actor} {x.kind} {x.detail}"))
            for x in w.record.calls:
                if which in x.order_ids and x.operation in ("ST11", "ST01", "ST23", "ST24", "ST06", "OR11"):
                    lines.append((x.at, f"     call {x.operation} {x.status} {x.fault} {x.detail}"))
        for x in e.world.shopify.record.effects:
            if x.kind in (
                "fulfillment_created",
                "tracking_updated",
                "fulfillment_cancelled",
                "cancelled",
                "order_created",
                "edited",
            ):
                lines.append(
                    (
                        x.at,
                        f"  SHOP {x.actor} {x.order_id[-4:]} {x.kind} {str({k: v for k, v in x.detail.items() if k in ('fulfillment', 'tracking', 'lines')})[:200]}",
                    )
                )

    on_virtual_time(seed, lambda: live(seed, plan, db, Keyring([new_key()]), at_rest=rest))
    for at, t in sorted(lines, key=lambda x: x[0]):
        print(f"{at:%H:%M:%S}", t)
    db.dispose()
