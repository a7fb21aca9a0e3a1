from tests.journeys.conftest import system

__all__ = ["system"]
