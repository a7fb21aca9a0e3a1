import aio_pika
import asyncpg


async def test_each_test_has_a_migrated_database_of_its_own(database: str) -> None:
    connection = await asyncpg.connect(database)
    try:
        assert await connection.fetchval("SELECT count(*) FROM schema_migrations") > 0
        assert await connection.fetchval("SELECT count(*) FROM businesses") == 0
    finally:
        await connection.close()


async def test_each_test_has_an_empty_vhost_of_its_own(broker: str) -> None:
    async with await aio_pika.connect(broker) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue("ledgerpost.test", durable=True)
        assert queue.declaration_result.message_count == 0
