"""Signatures of messages, beside an example of the Standard Webhooks scheme."""

from datetime import datetime
from zoneinfo import ZoneInfo

from serving.notifications.webhooks.signature import new_signing_secret, signed_headers


def test_a_message_is_signed_as_in_the_example_of_the_scheme() -> None:
    at = datetime.fromtimestamp(1614265330.9, ZoneInfo("Asia/Shanghai"))
    headers = signed_headers(
        b'{"test": 2432232314}',
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        at=at,
        secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_every_secret_is_another() -> None:
    assert new_signing_secret() != new_signing_secret()
    assert new_signing_secret().startswith("whsec_")
