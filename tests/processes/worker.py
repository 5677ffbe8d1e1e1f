"""A worker process, as `interlock worker` starts it."""

from interlock.service import work_forever
from interlock.settings import load_settings

if __name__ == "__main__":
    work_forever(load_settings())
