"""The least that the processes need in their environment, with a password that is easy to find."""

DATABASE = "postgresql://user:s3cret@127.0.0.1/ledger"
API = {"DATABASE_URL": DATABASE}
MAILER = {
    "DATABASE_URL": DATABASE,
    "AMQP_URL": "amqp://user:s3cret@127.0.0.1/",
    "SMTP_URL": "smtp://user:s3cret@127.0.0.1:25?starttls=required",
    "MAIL_FROM": "statements@example.com",
}
