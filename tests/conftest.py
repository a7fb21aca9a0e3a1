pytest_plugins = ["tests.servers", "tests.logged"]
