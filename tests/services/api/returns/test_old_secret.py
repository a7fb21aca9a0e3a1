"""While RETURN_SECRET is changed, posted mails to a return path of the old one still count."""

from shared.mail.return_path import ReturnPaths
from shared.process.settings import ApiSettings
from tests.roles import acting
from tests.services.api.api_client import serving
from tests.services.api.command import run
from tests.services.api.ledgers import new_key
from tests.services.api.returns.conftest import Post
from tests.services.api.returns.posts import DOMAIN, GONE, SECRET

NEW = "a newer secret of the tests, long enough for it"


async def test_a_path_of_either_secret_is_read(post: Post, golden: str) -> None:
    settings = ApiSettings(
        database_url=acting(golden, "api"),
        return_secret=NEW,
        return_secret_old=SECRET,
        bounce_domain=DOMAIN,
    )
    async with serving(settings) as api:
        api.key = await new_key(golden)
        changed = Post(api, post.db, ReturnPaths(NEW, DOMAIN))
        for paths in (changed.paths, post.paths):
            delivery = await post.handed_over()
            answer = await changed.add(GONE, paths.address(delivery))
            assert answer.json["delivery_id"] == str(delivery)
            assert await post.state(delivery) == "bounced"
        # The API before the change does not know the new secret: change readers first.
        unknown = await post.add(GONE, changed.paths.address(await post.handed_over()))
        assert unknown.json["delivery_id"] is None


async def test_the_command_reads_both(post: Post, golden: str) -> None:
    delivery = await post.handed_over()
    await post.add(GONE)
    await post.db.execute("UPDATE returns SET recipient = $1", post.paths.address(delivery))
    given = {
        "DATABASE_URL": golden,
        "RETURN_SECRET": NEW,
        "BOUNCE_DOMAIN": DOMAIN,
    }
    await run("returns", "reprocess", "--unmatched", **given)
    assert await post.state(delivery) == "sent"
    await run("returns", "reprocess", "--unmatched", **given, RETURN_SECRET_OLD=SECRET)
    assert await post.state(delivery) == "bounced"
