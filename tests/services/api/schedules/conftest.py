from tests.services.api.sends.conftest import api, key, ledger

__all__ = ["api", "key", "ledger"]
