"""The report by FastAPI and SQLAlchemy over the base tables, as their tutorials build it."""

import os
from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from typing import Annotated

import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Row, Select, case, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.ext.automap import automap_base

engine = create_async_engine(os.environ["PEER_DSN"].replace("postgresql", "postgresql+asyncpg"))
Session = async_sessionmaker(engine)
Base = automap_base()
app = FastAPI()


class CustomerIncome(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    owner_id: int
    business_id: int
    first_name: str | None
    last_name: str | None
    phone_number: str | None
    business_name: str | None
    business_address: str | None
    business_phone: str | None
    business_location: str | None
    business_email: str | None
    account_id: int | None
    category: str
    category_id: int
    deposit_amount: Decimal
    deposit_account_id: int | None
    archived: int
    amount_due: Decimal
    invoice_count: int
    balance: Decimal
    amount_paid: Decimal | None
    online_amount_paid: Decimal | None
    dateFrom: date
    dateTo: date
    owing: Decimal
    total_paid: Decimal
    invoices: int


async def session() -> AsyncIterator[AsyncSession]:
    async with Session() as opened:
        yield opened


Db = Annotated[AsyncSession, Depends(session)]


async def business(db: Db, authorization: Annotated[str, Header()]) -> int:
    sha256 = bytes.fromhex(authorization.removeprefix("Bearer "))
    found = await db.execute(
        text("SELECT business_id FROM api_keys WHERE sha256 = :key"), {"key": sha256}
    )
    row = found.first()
    if row is None:
        raise HTTPException(401)
    return int(row[0])


Business = Annotated[int, Depends(business)]


def report(business_id: int, start: date, end: date, customer: int | None) -> Select:
    c, i, p, d, g = (
        Base.classes[name]
        for name in ("customers", "invoices", "payments", "deposits", "categories")
    )
    paid = (
        select(
            p.business_id,
            p.invoice_id,
            func.sum(p.amount).label("paid"),
            func.sum(p.amount).filter(p.channel == "manual").label("manual"),
            func.sum(p.amount).filter(p.channel == "online").label("online"),
        )
        .where(p.business_id == business_id, p.status == "settled")
        .group_by(p.business_id, p.invoice_id)
    )
    if customer is not None:
        paid = paid.join(i, (i.business_id == p.business_id) & (i.id == p.invoice_id)).where(
            i.customer_id == customer
        )
    paid = paid.subquery()
    signed = case((i.kind == "invoice", i.total), else_=-i.total)
    inside = i.issue_date.between(start, end)
    billed = (
        select(
            i.customer_id,
            func.sum(signed).label("ever"),
            func.sum(paid.c.paid).label("paid_ever"),
            func.sum(signed).filter(inside).label("due"),
            func.count().filter(inside & (i.kind == "invoice")).label("invoices"),
            func.sum(paid.c.manual).filter(inside).label("manual"),
            func.sum(paid.c.online).filter(inside).label("online"),
            func.sum(paid.c.paid).filter(inside).label("paid"),
        )
        .outerjoin(paid, (paid.c.business_id == i.business_id) & (paid.c.invoice_id == i.id))
        .where(i.business_id == business_id, i.status == "issued")
        .group_by(i.customer_id)
    )
    if customer is not None:
        billed = billed.where(i.customer_id == customer)
    billed = billed.subquery()
    held = (
        select(
            d.customer_id,
            func.sum(case((d.type == "credit", d.amount), else_=-d.amount)).label("held"),
        )
        .where(d.business_id == business_id)
        .group_by(d.customer_id)
    ).subquery()
    balance = (
        c.opening_balance + func.coalesce(billed.c.ever, 0) - func.coalesce(billed.c.paid_ever, 0)
    ).label("balance")
    query = (
        select(
            *(column for column in c.__table__.columns if not column.name.startswith("report_")),
            g.name.label("category"),
            balance,
            func.coalesce(held.c.held, 0).label("deposit_amount"),
            func.coalesce(billed.c.due, 0).label("amount_due"),
            func.coalesce(billed.c.invoices, 0).label("invoices"),
            billed.c.manual.label("amount_paid"),
            billed.c.online.label("online_amount_paid"),
            func.coalesce(billed.c.paid, 0).label("total_paid"),
        )
        .outerjoin(g, (g.business_id == c.business_id) & (g.id == c.category_id))
        .outerjoin(billed, billed.c.customer_id == c.id)
        .outerjoin(held, held.c.customer_id == c.id)
        .where(c.business_id == business_id)
        .order_by(balance.desc(), c.id)
    )
    return query if customer is None else query.where(c.id == customer)


def shown(row: Row, start: date, end: date) -> dict:
    values = dict(row._mapping)
    return values | {
        "category": values["category"] or "Uncategorised",
        "category_id": values["category_id"] or 1,
        "invoice_count": values["invoices"],
        "owing": values["amount_due"] - values["total_paid"],
        "dateFrom": start,
        "dateTo": end,
    }


@app.on_event("startup")
async def reflect() -> None:
    async with engine.connect() as conn:
        await conn.run_sync(lambda sync: Base.prepare(autoload_with=sync))


@app.get("/list/{start}/{end}")
async def list_all(start: date, end: date, db: Db, business_id: Business) -> list[CustomerIncome]:
    rows = await db.execute(report(business_id, start, end, None))
    return [CustomerIncome(**shown(row, start, end)) for row in rows]


@app.get("/one/{customer}/{start}/{end}")
async def show_one(
    customer: int, start: date, end: date, db: Db, business_id: Business
) -> CustomerIncome:
    row = (await db.execute(report(business_id, start, end, customer))).first()
    if row is None:
        raise HTTPException(404)
    return CustomerIncome(**shown(row, start, end))


if __name__ == "__main__":
    uvicorn.run(
        app,
        port=int(os.environ["PEER_PORT"]),
        log_level="warning",
        loop="uvloop",
        timeout_keep_alive=600,
    )
