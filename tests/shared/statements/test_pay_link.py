import pytest

from shared.statements.pay_link import LONGEST, fill, parse

VALUES = {
    "amount": "1234.50",
    "currency": "GHS",
    "reference": "12-2026-06-30",
    "customer_id": "12",
}


@pytest.mark.parametrize(
    ("template", "link"),
    [
        ("https://pay.example", "https://pay.example"),
        (
            "https://pay.example/{customer_id}?a={amount}&c={currency}&r={reference}",
            "https://pay.example/12?a=1234.50&c=GHS&r=12-2026-06-30",
        ),
        ("https://pay.example:8443?x={amount}", "https://pay.example:8443?x=1234.50"),
        ("https://PAY.example#{amount}", "https://PAY.example#1234.50"),
        ("https://192.0.2.1/a%2Fb", "https://192.0.2.1/a%2Fb"),
    ],
)
def test_a_link_is_filled(template: str, link: str) -> None:
    assert fill(parse(template), VALUES) == link


def test_a_value_cannot_leave_its_place() -> None:
    hostile = VALUES | {"reference": '/../?a=1&b=2#"<>\r\n%é {amount}'}
    filled = fill(parse("https://pay.example/{reference}/x"), hostile)
    assert filled == (
        "https://pay.example/%2F..%2F%3Fa%3D1%26b%3D2%23%22%3C%3E%0D%0A%25%C3%A9%20%7Bamount%7D/x"
    )


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("", "must begin with https://"),
        ("http://pay.example", "must begin with https://"),
        ("HTTPS://pay.example", "must begin with https://"),
        ("javascript:alert(1)//https://", "must begin with https://"),
        ("https://", "must have a host name"),
        ("https:///path", "must have a host name"),
        ("https://pay.example:0/", "must have a host name"),
        ("https://pay.example:65536/", "must have a host name"),
        ("https://pay..example/", "must have a host name"),
        ("https://-pay.example/", "must have a host name"),
        ("https://pay.exa%6dple/", "must have a host name"),
        ("https://[::1]/", "must have a host name"),
        ("https://user@pay.example/", "must not have a user"),
        ("https://user:{amount}@pay.example/", "placeholder before or in the host"),
        ("https://{currency}.example/", "placeholder before or in the host"),
        ("https://pay.example:{amount}/", "placeholder before or in the host"),
        ("https://pay.example{amount}", "placeholder before or in the host"),
        ("https://pay.example\\@other.example/", "only the ASCII characters"),
        ("https://pay.example/a b", "only the ASCII characters"),
        ("https://pay.example/\n", "only the ASCII characters"),
        ("https://pay.example\n", "only the ASCII characters"),
        ('https://pay.example/"', "only the ASCII characters"),
        ("https://päy.example/", "only the ASCII characters"),
        ("https://pay.example/%zz", "only the ASCII characters"),
        ("https://pay.example/%{amount}", "only the ASCII characters"),
        ("https://pay.example/{iban}", "{iban} is unknown"),
        ("https://pay.example/{}", "{} is unknown"),
        ("https://pay.example/{amount", "a brace without its other half"),
        ("https://pay.example/{{amount}}", "a brace without its other half"),
        ("https://pay.example/" + "x" * LONGEST, f"at most {LONGEST} characters"),
    ],
)
def test_a_template_that_could_lead_elsewhere_is_refused(template: str, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^[^\n]*{reason.replace('{', '.').replace('}', '.')}"):
        parse(template)
