import pytest

from services.mailer.smtp.smarthost import Smarthost


@pytest.mark.parametrize(
    ("url", "smarthost"),
    [
        ("smtp://mail.test", Smarthost("mail.test", 25, "starttls")),
        ("smtp://mail.test:1025/", Smarthost("mail.test", 1025, "starttls")),
        ("smtps://mail.test", Smarthost("mail.test", 465, "implicit")),
        ("smtp://mail.test?starttls=required", Smarthost("mail.test", 25, "starttls_required")),
        ("smtp://mail.test?starttls=never", Smarthost("mail.test", 25, "none")),
        ("smtp://[::1]:25?starttls=opportunistic", Smarthost("::1", 25, "starttls")),
        (
            "smtp://us%40er:p%2Fa%3As%23s@mail.test:587",
            Smarthost("mail.test", 587, "starttls", "us@er", "p/a:s#s"),
        ),
        ("smtp://user:p@ss@mail.test", Smarthost("mail.test", 25, "starttls", "user", "p@ss")),
    ],
)
def test_a_url_names_a_smarthost(url: str, smarthost: Smarthost) -> None:
    assert Smarthost.from_url(url) == smarthost


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mail.test",
        "http://hunter2@mail.test",
        "smtp://",
        "smtp://user:hunter2@",
        "smtp://:hunter2@mail.test",
        "smtp://user:hunter2@mail.test:port",
        "smtp://user:hunter2@mail.test:99999",
        "smtp://user:hunter2/x@mail.test",
        "smtp://user:x#hunter2@mail.test",
        "smtp://user:x?hunter2@mail.test",
        "smtp://user:hunter2@[mail.test",
        "smtp://mail.test/hunter2",
        "smtp://mail.test?starttls=hunter2",
        "smtp://mail.test?hunter2=1",
        "smtps://mail.test?starttls=required",
    ],
)
def test_a_bad_url_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as caught:
        Smarthost.from_url(url)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_the_password_is_in_no_repr() -> None:
    assert "hunter2" not in repr(Smarthost.from_url("smtp://user:hunter2@mail.test"))
